"""Whether an event is copied on its way from the scratch into the ring buffer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from labkit.claims import measuring
from labkit.claims.claim import FALSE, NOT_HERE, TRUE, Measured, Ruling, claim

SIZES = (64, 1024, 4096, 8192, 16384)  # bytes
WAYS = {"output": (), "reserve": ("RESERVE",)}
KIB = 1024


def slopes(table: pd.DataFrame) -> pd.DataFrame:
    """Return ns per KiB of event, one row per round, one column per way: the slope of a line.

    It is the least-squares line. A round in which a time is not known is left out.
    """
    whole = table.groupby("round").ns_per_event.transform(lambda times: times.notna().all())
    rows = [
        {"round": n, "way": way, "slope": np.polyfit(part.bytes / KIB, part.ns_per_event, 1)[0]}
        for (n, way), part in table[whole.astype(bool)].groupby(["round", "way"])
    ]
    return pd.DataFrame(rows).pivot(index="round", columns="way", values="slope")


def side_by_side(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per size, with the median of each way in ns per event."""
    medians = table.groupby(["bytes", "way"]).ns_per_event.median().unstack().round()
    return medians.add_suffix(", ns per event").reset_index()


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for zero copy.

    In each round a line is laid through ns against KiB for output and for reserve; the copy is the
    difference of the two slopes. False if it is above 1 ns per KiB in at least three of four rounds
    (lower quartile), true if it is not above that in at least three of four, else not to be told.
    """
    lines = slopes(table)
    copy, low, high = measuring.spread(lines["output"] - lines["reserve"])
    told = f"{copy:.0f} ns per KiB (quartiles {low:.0f} to {high:.0f})"
    if low > 1:
        return Ruling(FALSE, f"output copies: each event costs {told} more than with reserve.")
    if high <= 1:
        return Ruling(TRUE, f"output costs no more with larger events: {told}.")
    return Ruling(NOT_HERE, f"the copy's cost drowns in its spread: {told}.")


@claim(
    "A per-CPU array with ringbuf_output is zero-copy.",
    judge,
    truth="False: ringbuf_output copies. ringbuf_reserve and submit (5.8) are the zero-copy way,"
    " and need no scratch at all.",
    files=("zero_copy",),
    brief=side_by_side,
)
def zero_copy(rounds: int = 80, calls: int = 300) -> Measured:
    """Time output and reserve at several event sizes on one CPU, in interleaved rounds.

    Neither program writes more than a word, so that what grows with the size is the copy. Columns:
    round, way (output, reserve), bytes, ns_per_event.
    """
    plan = [(way, size) for size in SIZES for way in WAYS]
    sources = [
        measuring.source("zero_copy", "AT_RENAME", f"EVENT_BYTES={size}", *WAYS[way])
        for way, size in plan
    ]
    load = (measuring.rename(measuring.cpus()[-1], calls),)
    done = measuring.measure(sources, measuring.in_rounds(rounds, range(len(plan)), load))
    timed = measuring.timings(done.readings, done.accepted)
    rows = [(turn, *plan[n], ns) for turn, n, ns in timed]
    columns = ["round", "way", "bytes", "ns_per_event"]
    return Measured(pd.DataFrame(rows, columns=columns), done.versions)
