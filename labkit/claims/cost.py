"""What each way around the limit costs, by the kernel's own statistics: run time and runs."""

from __future__ import annotations

import pandas as pd

from labkit.claims import measuring
from labkit.claims.claim import FALSE, NOT_HERE, TRUE, Measured, Ruling, claim
from labkit.claims.measuring import Unmeasurable
from labkit.program.alternatives import WAYS

BASELINE = "nothing"
OURS = "percpu_array"
# What is compared with the per-CPU array: the same event, and safe across CPUs.
RIVALS = ("ringbuf_reserve", "percpu_hash", "hash_by_task", "task_storage")


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for the cheapest way.

    Each rival (same event, safe across CPUs) is set against the per-CPU array round by round.
    False if a rival is cheaper in at least three of four rounds (the upper quartile of its
    difference is below 0). True if each rival is dearer in at least three of four rounds. Cannot
    be told otherwise.
    """
    rivals = [way for way in RIVALS if (table.way == way).any()]
    differences = {way: measuring.paired(table, "way", way, OURS) for way in rivals}
    ours = table[table.way == OURS].ns_per_event.median()
    cheaper = [way for way, (_, _, high) in differences.items() if high < 0]
    if cheaper:
        best = min(cheaper, key=lambda way: differences[way][0])
        gain = -differences[best][0]
        why = f"“{WAYS[best].title}” takes {gain:.0f} ns less than the per-CPU array's {ours:.0f}."
        return Ruling(FALSE, why)
    if rivals and all(low > 0 for _, low, _ in differences.values()):
        return Ruling(TRUE, f"each other way takes longer than the per-CPU array's {ours:.0f} ns.")
    return Ruling(NOT_HERE, "the differences are smaller than their spread.")


@claim(
    "A per-CPU array is the cheapest way around the limit.",
    judge,
    truth="Not known in general: it depends on the machine and on the event's size. Reserving in"
    " the ring buffer (5.8) saves the copy.",
    files=(BASELINE, *WAYS),
)
def cost(rounds: int = 120, calls: int = 250) -> Measured:
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
    trials = measuring.in_rounds(rounds, range(len(names)), load)
    done = measuring.measure(sources, trials, partial=True)
    if not {0, names.index(OURS)} <= set(done.accepted):
        raise Unmeasurable(measuring.last_line(done.reports[names.index(OURS)]))
    timed = measuring.timings(done.readings, done.accepted)
    rows = [(turn, names[n], ns) for turn, n, ns in timed]
    return Measured(pd.DataFrame(rows, columns=["round", "way", "ns_per_event"]), done.versions)
