"""What a maintainer's tool needs of the distribution: whether it is here, and installing it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence

from labkit.errors import MachineError

_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def found(command: str) -> str | None:
    """Return the path of a command, also where only root's PATH leads."""
    return shutil.which(command, path=_PATH)


def install(packages: Sequence[str], again: str, say: Callable[[str], object]) -> list[str]:
    """Install packages, one after the other; return those that could not be had.

    ``again`` is the command that got here. Raises MachineError without apt-get or root.
    """
    if found("apt-get") is None or os.geteuid() != 0:
        raise MachineError("what it needs is installed with apt-get, by root", again)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["apt-get", "update"], check=False, **quiet)  # type: ignore[call-overload]
    failed = []
    for package in packages:
        words = ["apt-get", "install", "-y", "--no-install-recommends", package]
        done = subprocess.run(words, check=False, **quiet)  # type: ignore[call-overload]
        say(f"{package}: {'installed' if done.returncode == 0 else 'cannot be had here'}")
        failed += [package] if done.returncode else []
    return failed
