"""What of the lab's is loaded in the kernel now, asked of the kernel itself."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable

# Other programs of the machine come and go. The kernel keeps 15 characters, BTF has them all.
OURS = {
    "prog": ("tracepoint__sch",),
    "map": ("events", "counters", "event_slot", "extra_slot", "local_slot"),
}


def loaded(kind: str) -> set[int]:
    """Return the ids of the lab's programs (``prog``) or maps (``map``) that the kernel holds."""
    printed = subprocess.run(
        ["bpftool", kind, "show", "--json"], check=True, capture_output=True, text=True
    ).stdout
    found = json.loads(printed or "[]")
    return {item["id"] for item in found if item.get("name", "").startswith(OURS[kind])}


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
