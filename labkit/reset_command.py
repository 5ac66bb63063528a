"""``./lab reset``: delete what runs and exercises left, after naming it and asking.

Of the folder results/ all files go. Of a folder that LABKIT_RUNS names, and of the place under
/var/tmp, only files of runs. What is in use stays, and so do folders.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labkit import results
from labkit.collecting.folders import SUFFIX, closed_folders, folders, left_files
from labkit.errors import MachineError, UsageError
from labkit.status import ACCEPTED_STATUS


@dataclass(frozen=True)
class Found:
    """A file that a reset comes upon: ``kept`` says why it stays, ``lost`` what goes with it."""

    path: Path
    bytes: int
    lost: str = ""
    kept: str = ""

    def __str__(self) -> str:
        told = f": {self.lost or self.kept}" if self.lost or self.kept else ""
        return f"{self.path} ({self.bytes:,} bytes){told}"


def find() -> list[Found]:
    """Return what runs, exercises and exports left, by folder and name."""
    runs = {one.path: one for one in left_files()}
    found = []
    for folder in dict.fromkeys((results.RESULTS, *folders())):
        for path in _files(folder):
            run, size = runs.get(path), path.lstat().st_size
            if run and run.in_use:
                found.append(Found(path, size, kept="a run under way, or open elsewhere"))
            elif run:
                lost = f"{run.events:,} events of a run that nobody has recovered"
                found.append(Found(path, size, lost=lost))
            elif path.is_dir() and not path.is_symlink():
                found.append(Found(path, size, kept="a folder; only files are deleted"))
            elif folder == results.RESULTS or path.suffix == SUFFIX:
                found.append(Found(path, size))
    return found


def _files(folder: Path) -> Iterator[Path]:
    """Yield what lies in a folder; nothing where there is none, or where it is a link elsewhere."""
    if folder.is_symlink():
        return
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        yield from sorted(folder.iterdir())


def add_options(command: argparse.ArgumentParser) -> None:
    """Add what ``reset`` takes."""
    command.add_argument("--yes", action="store_true", help="do not ask")


def command_reset(options: argparse.Namespace) -> int:
    """Run ``reset``."""
    found = find()
    going, staying = [one for one in found if not one.kept], [one for one in found if one.kept]
    for words in (*(f"stays: {one}" for one in staying), *closed_folders()):
        print(words, file=sys.stderr)
    if not going:
        print("there is nothing to delete")
        return ACCEPTED_STATUS
    print("to be deleted:", *going, sep="\n  ")
    lost = [one for one in going if one.lost]
    if lost:
        print(f"{len(lost)} of them never came home: labkit.recover() opens them, if you want them")
    if not (options.yes or _agreed(len(going))):
        print("nothing was deleted")
        return ACCEPTED_STATUS
    print(f"deleted {_delete(going)}; the exercises begin afresh")
    return ACCEPTED_STATUS


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here; to delete them all the same: ./lab reset --yes")
    try:
        return input(f"delete these {count}? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _delete(going: list[Found]) -> int:
    """Delete them, and return how many; a run in use by now stays. Raises MachineError."""
    under_way = {one.path for one in left_files() if one.in_use}
    refused, chosen = [], [one for one in going if one.path not in under_way]
    for one in chosen:
        try:
            one.path.unlink(missing_ok=True)
        except OSError as error:
            refused.append(f"{one.path}: {error.strerror}")
    if refused:
        cure = "see whose they are" if os.geteuid() == 0 else "sudo ./lab reset"
        raise MachineError("could not delete " + "; ".join(refused), cure)
    return len(chosen)
