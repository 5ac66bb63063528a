"""What the lab has in the kernel now. Others load programs too: told apart by the ids held."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tools import processes

# Other programs of the machine come and go. The kernel keeps 15 characters, BTF has them all.
OURS = {
    "prog": ("tracepoint__sch",),
    "map": ("events", "counters", "event_slot", "extra_slot", "local_slot"),
}


def programs(pid: int | None = None) -> set[int]:
    """Return the ids of the programs that pid (by default: we) and its descendants hold."""
    return processes.programs_of(processes.tree(pid or os.getpid()))


def gone(programs: set[int], seconds: float = 5) -> bool:
    """Whether some were meant, and the kernel has none of them within that time."""
    return bool(programs) and wait_until(lambda: not processes.still_loaded(programs), seconds)


def loaded(kind: str) -> set[int]:
    """Return the ids of a lab's programs (``prog``) or maps (``map``) that no other process holds.

    So those of another lab are left out, and those that are there without any process are not.
    """
    printed = subprocess.run(
        ["bpftool", kind, "show", "--json"], check=True, capture_output=True, text=True
    ).stdout
    found = json.loads(printed or "[]")
    named = {item["id"] for item in found if item.get("name", "").startswith(OURS[kind])}
    return named - _held_by_others(kind)


def _held_by_others(kind: str) -> set[int]:
    ours = {str(pid) for pid in processes.tree(os.getpid())}
    held: set[int] = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            for info in () if process.name in ours else (process / "fdinfo").iterdir():
                held |= set(map(int, re.findall(rf"^{kind}_id:\s*(\d+)", info.read_text(), re.M)))
        except OSError:  # it ended meanwhile
            continue
    return held


def children(pid: int | None = None) -> list[int]:
    """Return the child processes of pid (this process by default)."""
    path = f"/proc/{pid or os.getpid()}/task"
    found: list[int] = []
    for thread in os.listdir(path):
        with open(f"{path}/{thread}/children") as listed:
            found += map(int, listed.read().split())
    return found


def descriptors() -> int:
    """Return how many descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))


def in_first_pid_namespace() -> bool:
    """Whether pids here are those by which the kernel counts; not so in most containers."""
    return os.readlink("/proc/self/ns/pid") == "pid:[4026531836]"  # PROC_PID_INIT_INO


def wait_until(true: Callable[[], object], seconds: float) -> bool:
    """Wait until something becomes true; return whether it did within that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())
