"""Which BPF programs a process and its descendants hold: exact where others load programs too."""

from __future__ import annotations

import contextlib
import os
import re

import kernel


def programs_of(pid: int) -> set[int]:
    """Return the ids of the programs that pid or a descendant of it has open."""
    held: set[int] = set()
    with contextlib.suppress(OSError):  # it ended meanwhile
        for descriptor in os.listdir(f"/proc/{pid}/fdinfo"):
            held |= _programs_behind(pid, descriptor)
        for child in kernel.children(pid):
            held |= programs_of(child)
    return held


def programs_of_this_process() -> set[int]:
    """Return the ids of the programs that our own workers have open."""
    return programs_of(os.getpid())


def _programs_behind(pid: int, descriptor: str) -> set[int]:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/fdinfo/{descriptor}") as info:
        return {int(number) for number in re.findall(r"^prog_id:\s*(\d+)", info.read(), re.M)}
    return set()
