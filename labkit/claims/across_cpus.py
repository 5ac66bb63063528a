"""Whether another CPU writes into the scratch that a program uses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from labkit.claims import measuring, minimal_elf
from labkit.claims.claim import FALSE, NOT_HERE, TRUE, Measured, Ruling, claim
from labkit.claims.measuring import Trial, Unmeasurable
from labkit.claims.sources import TUTORIAL

SCRATCH = {"shared": ("SHARED",), "per-CPU": ()}
KEEP = 16 << 20  # bytes of records per trial
AT_BEST_ODDS = ("AT_RENAME", "TIMES=8", f"RINGBUF_BYTES={KEEP}")
EXPECTED = 10.0  # torn events that must have been likely before none of them means something


def torn(words: np.ndarray[Any, Any]) -> int:
    """Count the events (rows) whose words do not all hold the same mark."""
    return int((words != words[:, :1]).any(axis=1).sum())


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for safety across CPUs.

    False if any event through the per-CPU array is torn. Cannot be told unless the shared slot
    tears under the same load: then the load shows nothing. Cannot be told either if, at the
    shared slot's rate, fewer than ten torn events were to be expected through the per-CPU array.
    True otherwise.
    """
    shared, percpu = table[table.scratch == "shared"], table[table.scratch == "per-CPU"]
    seen, of, torn_shared = int(percpu.torn.sum()), int(percpu.events.sum()), int(shared.torn.sum())
    if seen:
        return Ruling(FALSE, f"{seen} of {of:,} events through the per-CPU array were torn.")
    if not torn_shared:
        return Ruling(NOT_HERE, "even one slot shared by all CPUs was never torn here.")
    rates = shared.set_index("trigger").torn / shared.set_index("trigger").events
    expected = float((rates * percpu.set_index("trigger").events).sum())
    if not expected >= EXPECTED:  # NaN too: a trial without events
        return Ruling(NOT_HERE, f"only {expected:.1f} torn events were to be expected: too few.")
    return Ruling(
        TRUE,
        f"0 of {of:,} events through the per-CPU array were torn;"
        f" through one shared slot {torn_shared:,} of {int(shared.events.sum()):,}.",
    )


@claim(
    "A per-CPU array needs no lock: it is safe across CPUs.",
    judge,
    truth="True across CPUs. Within one CPU it is another matter: see within_a_cpu.",
    files=("tearing",),
    said_by=TUTORIAL,
)
def across_cpus(exec_seconds: float = 3.0, bursts: int = 8, calls: int = 25_000) -> Measured:
    """Write one mark into all words of the scratch on every CPU at once; look for mixed marks.

    First as in the lesson, at each exec, at full speed. Then with better odds: in bursts of
    ``calls`` renames per CPU, one event each, and with the scratch filled eight times over.
    Columns: trigger, scratch, events, torn. Needs two CPUs; on a large machine eight take part.
    """
    cpus = measuring.cpus()
    if len(cpus) < 2:
        raise Unmeasurable("this process has one CPU; two must write at the same time")
    triggers = {"exec": (), "rename": AT_BEST_ODDS}
    plan = [(trigger, scratch) for trigger in triggers for scratch in SCRATCH]
    sources = [measuring.source("tearing", *triggers[t], *SCRATCH[scratch]) for t, scratch in plan]
    with minimal_elf.program() as path:
        storm = tuple(measuring.execs(cpu, [path]) for cpu in cpus)
        trials = [Trial((n,), storm, exec_seconds, drain=True, keep=KEEP) for n in (0, 1)]
        burst = tuple(measuring.rename(cpu, calls) for cpu in cpus)
        trials += [Trial((n,), burst, keep=KEEP) for _ in range(bursts) for n in (2, 3)]
        done = measuring.measure(sources, trials)
    rows = []
    for reading in done.readings:
        number = reading.trial.sources[0]
        words = reading.records(number)["words"]
        rows.append((*plan[number], len(words), torn(words)))
    table = pd.DataFrame(rows, columns=["trigger", "scratch", "events", "torn"])
    whole = table.groupby(["trigger", "scratch"], sort=False, as_index=False).sum()
    return Measured(whole, done.versions)
