"""What each way costs, from the kernel's own statistics: run_time_ns / run_cnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.claims import measuring
from labkit.claims.base import FALSE, NOT_HERE, TRUE, Observed, Verdict, experiment
from labkit.claims.measuring import NotTold
from labkit.program.alternatives import WAYS
from labkit.program.variants import Variant

if TYPE_CHECKING:
    import pandas as pd

BASELINE = "nothing"
OURS = "percpu_array"
# What is compared with the per-CPU array: the same event, and safe across CPUs.
RIVALS = ("ringbuf_reserve", "percpu_hash", "hash_by_task", "task_storage")
SIZES = (64, 1024, 4096, 8192, 16384)  # bytes
KIB = 1024


def judge_cost(frame: pd.DataFrame) -> Verdict:
    """Rule for the cheapest way.

    Each rival (same event, safe across CPUs) is set against the per-CPU array round by round.
    False if a rival is cheaper in at least three of four rounds (the upper quartile of its
    difference is below 0). True if each rival is dearer in at least three of four rounds. Cannot
    be told otherwise.
    """
    rivals = [way for way in RIVALS if (frame.way == way).any()]
    differences = {way: measuring.paired(frame, "way", way, OURS) for way in rivals}
    ours = frame[frame.way == OURS].ns_per_event.median()
    cheaper = [way for way, (_, _, high) in differences.items() if high < 0]
    if cheaper:
        best = min(cheaper, key=lambda way: differences[way][0])
        gain, *_ = differences[best]
        return Verdict(
            FALSE, f"{WAYS[best].title} takes {-gain:.0f} ns less than its {ours:.0f} ns."
        )
    if rivals and all(low > 0 for _, low, _ in differences.values()):
        return Verdict(TRUE, f"each other way takes longer than its {ours:.0f} ns.")
    return Verdict(NOT_HERE, "the differences are smaller than their spread.")


@experiment(
    "A per-CPU array is the cheapest way around the limit.", judge_cost, files=(BASELINE, *WAYS)
)
def cost(rounds: int = 120, calls: int = 250) -> Observed:
    """Time each way on one CPU: all are attached, and each event runs them all.

    A round is ``calls`` events; the order of the ways changes eight times. Columns: round, way,
    ns_per_event (kernel time of the program alone). The way "nothing" only counts: it holds what
    measuring costs. A way that cannot be loaded here is left out. The event has 544 bytes, that of
    small_event 448.
    """
    names = [BASELINE, *WAYS]
    defines = {name: way.defines for name, way in WAYS.items()}
    sources = [measuring.source(n, "AT_RENAME", *defines.get(n, ())) for n in names]
    load = (measuring.rename(measuring.cpus()[-1], calls),)
    steps = measuring.in_rounds(rounds, range(len(names)), load)
    done = measuring.measure(sources, steps, partial=True)
    if not {0, names.index(OURS)} <= set(done.accepted):
        raise NotTold(measuring.last_line(done.reports[names.index(OURS)]))
    timed = measuring.timings(done.taken, done.accepted)
    rows = [(turn, names[n], ns) for turn, n, ns in timed]
    return Observed(_frame(rows, ["round", "way", "ns_per_event"]), done.versions)


def _frame(rows: Sequence[tuple[Any, ...]], columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(columns))


def slopes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return ns per KiB of event, a row a round, a column a way: the least-squares line's slope.

    A round in which a time is not known is left out.
    """
    import pandas as pd

    whole = frame.groupby("round").ns_per_event.transform(lambda times: times.notna().all())
    frame = frame[whole.astype(bool)]
    rows = [
        {"round": n, "way": way, "slope": np.polyfit(part.bytes / KIB, part.ns_per_event, 1)[0]}
        for (n, way), part in frame.groupby(["round", "way"])
    ]
    return pd.DataFrame(rows).pivot(index="round", columns="way", values="slope")


def judge_copy(frame: pd.DataFrame) -> Verdict:
    """Rule for zero copy.

    In each round a line is laid through ns against KiB for output and for reserve; the copy is the
    difference of the two slopes. False if it is above 0 in at least three of four rounds (lower
    quartile), true if it is not above 1 ns per KiB in at least three of four, else not to be told.
    """
    lines = slopes(frame)
    copy, low, high = measuring.spread(lines["output"] - lines["reserve"])
    told = f"{copy:.0f} ns per KiB (quartiles {low:.0f} to {high:.0f})"
    if low > 1:
        return Verdict(FALSE, f"output copies: each event costs {told} more than with reserve.")
    if high <= 1:
        return Verdict(TRUE, f"output costs no more with larger events: {told}.")
    return Verdict(NOT_HERE, f"the copy's cost drowns in its spread: {told}.")


@experiment("A per-CPU array with ringbuf_output is zero-copy.", judge_copy, files=("zero_copy",))
def zero_copy(rounds: int = 80, calls: int = 300) -> Observed:
    """Time output and reserve at several event sizes on one CPU, in interleaved rounds.

    Neither program writes more than a word, so that what grows with the size is the copy. Columns:
    round, way (output, reserve), bytes, ns_per_event.
    """
    plan = [(way, size) for size in SIZES for way in ("output", "reserve")]
    sources = [_sized(way, size) for way, size in plan]
    load = (measuring.rename(measuring.cpus()[-1], calls),)
    done = measuring.measure(sources, measuring.in_rounds(rounds, range(len(plan)), load))
    timed = measuring.timings(done.taken, done.accepted)
    rows = [(turn, *plan[n], ns) for turn, n, ns in timed]
    return Observed(_frame(rows, ["round", "way", "bytes", "ns_per_event"]), done.versions)


def _sized(way: str, size: int) -> Variant:
    defines = [f"EVENT_BYTES={size}", *(["RESERVE"] if way == "reserve" else [])]
    return measuring.source("zero_copy", "AT_RENAME", *defines)
