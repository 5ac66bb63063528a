"""How much memory the kernel accounts for a per-CPU map."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

import numpy as np
import pandas as pd

from labkit.claims.claim import FALSE, NOT_HERE, TRUE, Measured, Ruling, claim
from labkit.claims.measuring import Unmeasurable
from labkit.claims.sources import MAP_ARRAY
from labkit.machine.bpf_syscall import make_map
from labkit.machine.cpus import possible_cpus

WORD = 8  # bytes: the kernel rounds a per-CPU value up to this
PAGE = 4096  # bytes
KINDS = ("percpu_array", "percpu_hash", "array")
# Bytes, in whole pages: before 6.4 memlock is rounded up to pages (bpf_map_memory_footprint() in
# kernel/bpf/syscall.c up to 6.3, bpf_map_charge_init() up to 5.10), which no slope survives.
SIZES = (PAGE, 2 * PAGE, 4 * PAGE, 7 * PAGE)
SLACK = 0.02  # of the slope: what may be due to the kernel's own bookkeeping


def side_by_side(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per size of the value, with what each kind of map takes for it."""
    whole = table.pivot(index="value_bytes", columns="map", values="memlock")[list(KINDS)]
    return whole.add_suffix(", bytes").reset_index()


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for the memory of a per-CPU array.

    A line is laid through the accounted bytes against the value size rounded up to 8. False if its
    slope is 1 within 2 % (one value for all CPUs) where there are more possible CPUs than one; true
    if it is the number of possible CPUs within 2 %. Cannot be told otherwise, nor where the kernel
    accounts 0 bytes.
    """
    part = table[table["map"] == "percpu_array"]
    cpus = int(part.possible_cpus.iloc[0])
    if not (part.memlock > 0).all():
        return Ruling(NOT_HERE, "this kernel does not account for maps in fdinfo.")
    slope, fixed = np.polyfit(np.ceil(part.value_bytes / WORD) * WORD, part.memlock, 1)
    told = f"{slope:.2f} bytes for each byte of the value, and {fixed:.0f} besides"
    if abs(slope / cpus - 1) <= SLACK:
        return Ruling(TRUE, f"{told}; possible CPUs: {cpus}.")
    if abs(slope - 1) <= SLACK:
        return Ruling(FALSE, f"{told}, though {cpus} CPUs are possible.")
    return Ruling(NOT_HERE, f"{told}: neither one value nor one for each of {cpus} CPUs.")


@claim(
    "A per-CPU array takes its value's size for each possible CPU.",
    judge,
    truth="True: the size, rounded up to 8 bytes, for each CPU that could be there, used or not.",
    quick=True,
    said_by=MAP_ARRAY,
    brief=side_by_side,
)
def memory(sizes: tuple[int, ...] = SIZES) -> Measured:
    """Read what the kernel accounts (memlock in fdinfo) for maps with one value of several sizes.

    Columns: map, value_bytes, possible_cpus, expected (size rounded up to 8 × CPUs), memlock.
    """
    cpus = len(possible_cpus())
    rows = [
        (kind, size, cpus, -(-size // WORD) * WORD * (cpus if "percpu" in kind else 1), locked)
        for size in sizes
        for kind in KINDS
        for locked in [_memlock(kind, size)]
    ]
    columns = ["map", "value_bytes", "possible_cpus", "expected", "memlock"]
    return Measured(pd.DataFrame(rows, columns=columns), {"kernel": platform.release()})


def _memlock(kind: str, size: int) -> int:
    try:
        fd = make_map(kind, size)
    except OSError as error:
        raise Unmeasurable(f"no {kind} of {size} bytes: {error.strerror}.") from error
    try:
        told = re.search(r"^memlock:\s*(\d+)", Path(f"/proc/self/fdinfo/{fd}").read_text(), re.M)
    finally:
        os.close(fd)
    return int(told[1]) if told else 0
