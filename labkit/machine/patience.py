"""How many times longer than usual this machine may take: the one factor of all time limits.

A kernel under software emulation is some twenty times slower than the machine it is emulated on; a
limit that ends what hangs would end there what works. So every limit is multiplied by this.
LABKIT_PATIENCE in the environment sets the factor, for what a measurement cannot know: a machine
that is busy with other things.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache

from labkit.errors import UsageError

NAME = "LABKIT_PATIENCE"
USUAL = 0.004  # seconds of a CPU for _work(): Python 3.11 on an x86-64 cloud machine of 2024
TRIES = 3
MOST = 100.0  # above it, what was measured is no machine's speed


def factor() -> float:
    """Return the factor, 1.0 or more if it is measured. Raises UsageError for a bad setting."""
    chosen = os.environ.get(NAME)
    return _read(chosen) if chosen else measured()


def _read(chosen: str) -> float:
    try:
        value = float(chosen)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(f"{NAME} is a number above 0, by which time limits grow, not {chosen!r}")
    return value


@lru_cache(maxsize=1)
def measured() -> float:
    """Time a little work on this machine, once, in CPU time: who else runs does not count."""
    return min(max(1.0, min(_seconds() for _ in range(TRIES)) / USUAL), MOST)


def _seconds() -> float:
    before = time.thread_time()
    _work()
    return time.thread_time() - before


def _work() -> int:
    total = 0
    for number in range(200_000):
        total += number & 7
    return total
