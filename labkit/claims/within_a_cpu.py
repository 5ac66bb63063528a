"""Whether another program on the same CPU writes into the scratch that a program uses."""

from __future__ import annotations

from typing import Any

import pandas as pd

from labkit.claims import measuring
from labkit.claims.claim import FALSE, NOT_HERE, TRUE, Measured, Ruling, claim
from labkit.claims.measuring import Trial
from labkit.claims.sources import FALCO

LOWER = 1  # the mark of the program that is interrupted; see nesting.c
KEEP = 16 << 20  # bytes of records per trial
KINDS = {"raw tracepoint": ("RAW",), "tracepoint": ()}
REMEDIES = {"none": (), "depth": ("REMEDY",)}


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for safety within a CPU.

    False if, without the remedy, events of the lower program hold the upper one's marks where
    they are attached as raw tracepoints: the kernel let one into the other's slot. True if there
    are none of them, yet the kernel counted runs that it skipped in order to prevent it. Cannot
    be told if neither was seen: then the one never met the other.
    """
    plain = table[table.remedy == "none"].set_index("attached_as")
    raw: Any = plain.loc["raw tracepoint"]
    classic: Any = plain.loc["tracepoint"]
    if not raw.mixed:
        if raw.skipped > 0:
            return Ruling(TRUE, f"the kernel skipped {int(raw.skipped):,} runs that met another.")
        return Ruling(NOT_HERE, "no program was seen to run within the other.")
    remedied = table[table.remedy != "none"]
    guard = ""
    if not classic.mixed and classic.skipped > 0:
        guard = f", since the kernel skipped {int(classic.skipped):,} runs instead"
    return Ruling(
        FALSE,
        f"as raw tracepoints {int(raw.mixed):,} of {int(raw.events):,} events were overwritten"
        f" in the making; with a buffer for each depth {int(remedied.mixed.sum()):,} of"
        f" {int(remedied.events.sum()):,}; as tracepoints {int(classic.mixed):,}{guard}.",
    )


@claim(
    "Nothing else writes into a CPU's slot while a program uses it.",
    judge,
    truth="False: a second program that uses the same map may, and so may the same one where it can"
    " be preempted or sleep. Classic tracepoints keep preemption off and skip what they meet; raw"
    " ones do not, and are preemptible from 7.0 on.",
    files=("nesting",),
    said_by=FALCO,
)
def within_a_cpu(bursts: int = 6, calls: int = 25_000) -> Measured:
    """Let a timer's interrupt run a second program in the middle of the first, on one CPU.

    Both fill the same scratch with their own mark; the first sends it. As tracepoints the kernel
    skips a program that meets another on its CPU (bpf_prog_active) and counts it; raw tracepoints
    have a guard only against themselves. Columns: attached_as, remedy, events, mixed (events with
    both marks or the wrong one), interrupts (runs of the second program), skipped (NaN where this
    kernel does not count, before 5.12).
    """
    plan = [(kind, remedy) for kind in KINDS for remedy in REMEDIES]
    ring = f"RINGBUF_BYTES={KEEP}"
    sources = [
        measuring.source("nesting", ring, *KINDS[kind], *REMEDIES[remedy]) for kind, remedy in plan
    ]
    cpu = measuring.cpus()[-1]
    load = (measuring.rename(cpu, calls), measuring.timer(cpu, calls // 25))
    trials = [Trial((n,), load, keep=KEEP) for _ in range(bursts) for n in range(len(plan))]
    done = measuring.measure(sources, trials)
    rows = []
    for reading in done.readings:
        number = reading.trial.sources[0]
        words = reading.records(number)["words"]
        mixed = int((words != LOWER).any(axis=1).sum())
        interrupts = reading.counted(number, "hrtimer", "run_cnt")
        skipped = reading.counted(number, "", "recursion_misses")
        rows.append((*plan[number], len(words), mixed, interrupts, skipped))
    columns = ["attached_as", "remedy", "events", "mixed", "interrupts", "skipped"]
    table = pd.DataFrame(rows, columns=columns).astype({"skipped": float})  # None is NaN then
    whole = table.groupby(columns[:2], sort=False, as_index=False).sum(min_count=1)
    return Measured(whole, done.versions)
