"""What processes do to a machine: their descendants, their CPU time, the BPF programs they hold."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from labkit.machine.bpf_syscall import bpf

PROG_GET_FD_BY_ID = 13  # enum bpf_cmd in linux/bpf.h


def tree(pid: int) -> list[int]:
    """Return pid and all that descends from it, parents first."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):  # it ended meanwhile
            for children in Path(f"/proc/{one}/task").glob("*/children"):
                found += map(int, children.read_text().split())
    return found


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, from the third on. Raises OSError."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def born(pid: int) -> int:
    """Return when a process was started, in ticks since boot: pids begin anew. Raises OSError."""
    return int(_stat(pid)[19])


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the seconds of CPU that processes took so far, those of ended children aside."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            ticks += sum(map(int, _stat(pid)[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def programs_of(pids: Iterable[int]) -> set[int]:
    """Return the ids of the BPF programs that processes have open, or have attached by a link."""
    held: set[int] = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            for info in Path(f"/proc/{pid}/fdinfo").iterdir():
                with contextlib.suppress(OSError):
                    held |= set(map(int, re.findall(r"^prog_id:\s*(\d+)", info.read_text(), re.M)))
    return held


def still_loaded(programs: Iterable[int]) -> set[int]:
    """Return those of the BPF programs, by id, that the kernel still has. Needs root."""
    there = set()
    for program in programs:
        descriptor, _errno = bpf(PROG_GET_FD_BY_ID, "=III", program, 0, 0)
        if descriptor >= 0:
            os.close(descriptor)
            there.add(program)
    return there
