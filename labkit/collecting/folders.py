"""Where runs' files lie, and which of them nobody finished with.

Standard library only, as check() looks too, before anything is set up.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from labkit.errors import MachineError
from labkit.results import RESULTS
from labkit.worker import run_format

SUFFIX = ".run"
EVENT = "big_event"  # the struct that a run's records are


def folders() -> tuple[Path, ...]:
    """Return where runs' files may lie: $LABKIT_RUNS; else results/ or a place of this user's own.

    That place is under /var/tmp, which outlives a restart of the machine.
    """
    chosen = os.environ.get("LABKIT_RUNS")
    if chosen:
        return (Path(chosen).resolve(),)
    return RESULTS, Path(f"/var/tmp/labkit-{os.geteuid()}")


def new_path() -> tuple[Path, list[int]]:
    """Return the path for a run's file in the first folder that takes one, and who is to own it.

    What root writes into somebody's checkout is theirs. Raises MachineError.
    """
    stem = time.strftime("exec_events_%Y%m%dT%H%M%SZ", time.gmtime())
    for folder in folders():
        with contextlib.suppress(OSError):
            owner = _usable(folder)
            return folder / f"{stem}_{secrets.token_hex(3)}{SUFFIX}", owner
    raise MachineError(
        f"a run's file cannot be written into {' or '.join(map(str, folders()))}",
        "set LABKIT_RUNS to a folder that can be written to",
    )


def _usable(folder: Path) -> list[int]:
    """Return the owner for files in that folder, which is made if need be. Raises OSError."""
    user = [os.geteuid(), os.getegid()]
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o755 if folder == RESULTS else 0o700)
        if folder == RESULTS and user[0] == 0:
            checkout = folder.parent.stat()
            os.chown(folder, checkout.st_uid, checkout.st_gid)
    everybodys = (
        folder.parent.stat().st_mode & stat.S_ISVTX
    )  # as /tmp: others may have put it there
    theirs = folder.is_symlink() or folder.stat().st_uid != user[0]
    if (everybodys and theirs) or not os.access(folder, os.W_OK):
        raise PermissionError(folder)
    if user[0] == 0:
        user = [folder.stat().st_uid, folder.stat().st_gid]
    return user


@dataclass(frozen=True)
class LeftFile:
    """A run's file that is still there: its collection was killed, or is under way."""

    path: Path
    variant: str
    events: int
    started: float  # seconds since 1970
    in_use: bool  # whether a process has it open: a worker that writes, or a labkit that reads

    def __str__(self) -> str:
        began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.started))
        under_way = ", under way or open elsewhere" if self.in_use else ""
        return f"{self.path}: {self.variant}, {self.events:,} events, begun {began}{under_way}"


def left_files() -> list[LeftFile]:
    """Return the files of runs that are there now, the oldest first.

    What this user may not read is not among them: closed_folders() tells.
    """
    paths = []
    for folder in folders():
        with contextlib.suppress(OSError):
            paths += [folder / name for name in os.listdir(folder) if name.endswith(SUFFIX)]
    found = []
    for path in sorted(paths, key=lambda path: path.name):
        with contextlib.suppress(OSError, ValueError, KeyError):  # gone meanwhile, or no such file
            found.append(_look_into(path))
    return found


def _look_into(path: Path) -> LeftFile:
    with path.open("rb") as file:
        header = run_format.read(file.fileno())
        size = header.facts["layouts"][EVENT]["size"]
        events = (path.stat().st_size - header.records_at) // size
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            in_use = False
        except BlockingIOError:
            in_use = True
        facts = header.facts
        return LeftFile(path, facts["variant"], max(0, events), facts["started"] / 1e9, in_use)


def closed_folders() -> list[str]:
    """Return a sentence for each folder whose runs this user cannot know of."""
    told = []
    for folder in folders():
        try:
            os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            told.append(f"whether runs are left in {folder} is not known: {error.strerror}")
    return told


def notice() -> str:
    """Return a few lines that name the runs whose collection was killed; "" if there are none."""
    left = [str(one) for one in left_files() if not one.in_use]
    killed = ["\n  ".join(["runs that were killed, which labkit.recover() opens:", *left])]
    return "".join(f"{one}\n" for one in [*(killed if left else []), *closed_folders()])
