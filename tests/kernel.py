"""What is loaded in the kernel now, asked of the kernel itself."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable


def loaded(kind: str) -> set[int]:
    """Return the ids of the BPF programs (``prog``) or maps (``map``) that the kernel holds."""
    printed = subprocess.run(
        ["bpftool", kind, "show", "--json"], check=True, capture_output=True, text=True
    ).stdout
    return {item["id"] for item in json.loads(printed or "[]") or []}


def loaded_names() -> list[str]:
    """Return the names of the loaded programs that a tracepoint of ours would have."""
    printed = subprocess.run(
        ["bpftool", "prog", "show", "--json"], check=True, capture_output=True, text=True
    ).stdout
    return [p.get("name", "") for p in json.loads(printed or "[]") if p["type"] == "tracepoint"]


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


def wait_until(true: Callable[[], object], seconds: float) -> bool:
    """Wait until something becomes true; return whether it did within that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())
