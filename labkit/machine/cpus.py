"""Which CPUs there are, by id: a machine may have holes in them, so a count tells too little.

Standard library only, Python 3.9: the worker uses it too.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path("/sys/devices/system/cpu")


def possible_cpus() -> tuple[int, ...]:
    """Return the ids of the CPUs that the kernel reserves room for, plugged in or not.

    The kernel hands out the values of a per-CPU map in this order, one for each of these ids
    (bpf_percpu_array_copy, for_each_possible_cpu).
    """
    return _ids("possible")


def online_cpus() -> tuple[int, ...]:
    """Return the ids of the CPUs that run now."""
    return _ids("online")


def _ids(name: str) -> tuple[int, ...]:
    return parse(FOLDER.joinpath(name).read_text("ascii"))


def parse(text: str) -> tuple[int, ...]:
    """Return the ids in the kernel's notation, such as ``0-3,8``: (0, 1, 2, 3, 8)."""
    ids: list[int] = []
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        ids += range(int(first), int(last or first) + 1)
    return tuple(ids)
