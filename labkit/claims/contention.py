"""Whether CPUs slow each other down when each writes its own slot."""

from __future__ import annotations

import pandas as pd

from labkit.claims import measuring
from labkit.claims.claim import FALSE, NOT_HERE, TRUE, Measured, Ruling, claim
from labkit.claims.measuring import Unmeasurable
from labkit.claims.sources import TUTORIAL

SCRATCH = {"shared": ("SHARED",), "per-CPU": ()}
NOTED = 0.25  # of its time: by so much the shared slot's run must take longer to tell anything
LITTLE, MUCH = 0.2, 0.5  # of what the shared slot's run takes longer


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for cache lines.

    By how much does a run take longer when all CPUs write than when one does, round by round?
    Cannot be told unless that is, for the shared slot, at least a quarter of its time (medians):
    else no line was fought for. True if for the per-CPU slot it is at most a fifth of the shared
    one's, false if it is half or more, else not to be told.
    """
    longer = {}
    for scratch in SCRATCH:
        part = table[table.scratch == scratch]
        longer[scratch] = measuring.paired(part, "writing", "all CPUs", "one CPU")[0]
    shared, own = longer["shared"], longer["per-CPU"]
    one = table[(table.scratch == "shared") & (table.writing == "one CPU")].ns_per_event.median()
    told = f"when all CPUs write, a run takes {own:+.0f} ns per-CPU, {shared:+.0f} ns shared."
    if shared < NOTED * one or LITTLE * shared < own < MUCH * shared:
        return Ruling(NOT_HERE, told)
    return Ruling(TRUE if own <= LITTLE * shared else FALSE, told)


@claim(
    "A per-CPU array has no cache-line contention.",
    judge,
    truth="Mostly true, while only BPF on that CPU touches it: user space that reads all copies, or"
    " another CPU's program, takes lines away.",
    files=("contention",),
    said_by=TUTORIAL,
)
def contention(rounds: int = 80, calls: int = 2000) -> Measured:
    """Time programs that only count in their scratch: on one CPU alone, then on all at once.

    Both are attached, so that they see the same load. Columns: round, scratch (shared, per-CPU),
    writing (one CPU, all CPUs), ns_per_event. Needs two CPUs; on a large machine eight take part.
    """
    cpus = measuring.cpus()
    if len(cpus) < 2:
        raise Unmeasurable("this process has one CPU; two must write at the same time")
    sources = [measuring.source("contention", "AT_RENAME", *more) for more in SCRATCH.values()]
    numbers = range(len(sources))
    loads = {"one CPU": cpus[-1:], "all CPUs": cpus}
    turns = [
        measuring.in_rounds(rounds, numbers, tuple(measuring.rename(cpu, calls) for cpu in chosen))
        for chosen in loads.values()
    ]
    done = measuring.measure(
        sources, [trial for pair in zip(*turns, strict=True) for trial in pair]
    )
    rows = [
        (turn, list(SCRATCH)[n], writing, ns)
        for place, writing in enumerate(loads)
        for turn, n, ns in measuring.timings(done.readings[place::2], numbers)
    ]
    columns = ["round", "scratch", "writing", "ns_per_event"]
    return Measured(pd.DataFrame(rows, columns=columns), done.versions)
