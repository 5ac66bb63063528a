"""Root file systems of Debian's suites with the lab set up in them (tools/room.sh makes them)."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from labkit.errors import MachineError

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "room.sh"
# What decides what is in a room, besides the suite.
_MADE_FROM = ("requirements/setup.lock", "requirements/run.lock")
# What no record needs, a third of it all: a guest has it in memory.
_LEFT_OUT = (
    *("./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*", "./var/cache/*"),
    *("./root/lab/.venv/share/*", "*/site-packages/jupyterlab/*", "*/site-packages/debugpy/*"),
    *("*/site-packages/babel/*", "*/bin/uv", "*/pandas/tests/*", "*/pyarrow/include/*"),
)
END = 1500  # characters of what a failed command printed


def _key(suite: str) -> str:
    parts = b"".join((ROOT / name).read_bytes() for name in _MADE_FROM)
    return f"{suite}-{hashlib.sha256(parts).hexdigest()[:12]}"


def room(suite: str, cache: Path, say: Callable[[str], object]) -> Path:
    """Return the folder of a suite's room; it is made if the cache lacks it or has an older one."""
    folder = cache / f"{_key(suite)}.room"
    if not folder.exists():
        say(f"making a root file system of {suite}, with the lab set up in it")
        half = folder.with_suffix(".half")
        _run(["make", suite, half], f"a root file system of {suite} could not be made")
        half.rename(folder)
    return folder


def run_in_room(folder: Path, command: Sequence[str]) -> dict[str, bytes]:
    """Run a command in a room, on this machine's kernel; return the files it left in /out."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    _run(["run", folder, *command], f"{command[-1]} failed in {folder.name}")
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def archived(folder: Path) -> Path:
    """Return a room as a cpio archive, such as a kernel unpacks into memory: its first root."""
    target = folder.with_suffix(".cpio")
    if not target.exists():
        half = target.with_suffix(".half")
        find = ["find", ".", "-xdev", "(", *_any_of(_LEFT_OUT), ")", "-prune", "-o", "-print0"]
        with (
            half.open("wb") as file,
            subprocess.Popen(find, cwd=folder, stdout=subprocess.PIPE) as names,
        ):
            words = ["cpio", "--quiet", "-0", "-o", "-H", "newc"]
            subprocess.run(words, cwd=folder, stdin=names.stdout, stdout=file, check=True)
        half.rename(target)
    return target


def _any_of(patterns: Sequence[str]) -> list[str]:
    return [word for one in patterns for word in ("-o", "-path", one)][1:]


def checkout() -> bytes:
    """Return the files of this checkout as they lie here, without what is ignored, as a tar."""
    return subprocess.run(["bash", SCRIPT, "pack"], check=True, capture_output=True).stdout


def _run(words: Sequence[object], failure: str) -> None:
    done = subprocess.run(
        ["bash", SCRIPT, *map(str, words)],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise MachineError(f"{failure}:\n{done.stdout[-END:]}", "see the lines above")
