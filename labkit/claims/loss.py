"""Whether an event is lost in silence: the kernel's count against what user space misses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from labkit.claims import measuring
from labkit.claims.claim import FALSE, NOT_HERE, TRUE, Measured, Ruling, claim
from labkit.claims.measuring import Reading, Trial
from labkit.machine.cpus import possible_cpus

SMALL_RING = 64 << 10  # bytes: 124 events


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for silent loss.

    False if on any CPU the failures that the kernel counted are not exactly the events that user
    space misses, or its attempts are not the failures and what arrived. Cannot be told
    if no event was lost: then the storm was too small for the buffer. True otherwise.
    """
    wrong = table[
        (table.failed != table.missing) | (table.attempted != table.failed + table.delivered)
    ]
    if len(wrong):
        one = wrong.iloc[0]
        return Ruling(
            FALSE,
            f"on CPU {one.cpu} the kernel counted {one.failed:,} failures, and user space misses"
            f" {one.missing:,} events.",
        )
    lost, attempted = int(table.failed.sum()), int(table.attempted.sum())
    if not lost:
        return Ruling(NOT_HERE, f"none of {attempted:,} events was lost: the storm was too small.")
    return Ruling(
        TRUE, f"{lost:,} of {attempted:,} events were lost; each was counted, on each CPU."
    )


@claim(
    "Nothing is lost silently.",
    judge,
    truth="True of a program that counts what the ring buffer refuses; the ring buffer itself keeps"
    " no count.",
    files=("loss",),
)
def loss(calls: int = 5000, ring_bytes: int = SMALL_RING) -> Measured:
    """Send a storm of events, numbered on each CPU, into a small ring buffer that nobody empties.

    ``calls`` events per CPU, 512 bytes each. Columns, one row per possible CPU: cpu, attempted,
    submitted, failed (the kernel's counts), delivered (records that arrived), missing (numbers that
    did not).
    """
    sources = [measuring.source("loss", "AT_RENAME", f"RINGBUF_BYTES={ring_bytes}")]
    load = tuple(measuring.rename(cpu, calls) for cpu in measuring.cpus())
    trial = Trial((0,), load, keep=4 * ring_bytes, read=("counters",))
    done = measuring.measure(sources, [trial], statistics=False)
    return Measured(account(done.readings[0]), done.versions)


def account(reading: Reading) -> pd.DataFrame:
    """Set what the kernel counted on each possible CPU against the records that came from it."""
    records = reading.records(0)
    rows = []
    for cpu, count in zip(possible_cpus(), reading.values(0, "counters"), strict=True):
        mine = records["number"][records["cpu"] == cpu]
        attempted, submitted, failed = (
            int(count[name]) for name in ("attempted", "submitted", "failed")
        )
        missing = np.setdiff1d(np.arange(1, attempted + 1), mine)
        rows.append((cpu, attempted, submitted, failed, len(mine), len(missing)))
    columns = ["cpu", "attempted", "submitted", "failed", "delivered", "missing"]
    return pd.DataFrame(rows, columns=columns)
