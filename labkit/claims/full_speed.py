"""Whether the lesson's program keeps up with execs at full speed."""

from __future__ import annotations

import pandas as pd

from labkit.claims import measuring, minimal_elf
from labkit.claims.claim import FALSE, NOT_HERE, TRUE, Measured, Ruling, claim
from labkit.claims.measuring import Unmeasurable
from labkit.collecting.collection import collect
from labkit.collecting.workload import exec_storm

FOREIGN = 0.05  # of the execs that arrived, by others: above it the load was not ours alone
FEW = 1000  # execs: with fewer, that none was lost tells little


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for the default buffer at full speed.

    True if no event was lost, in at least a thousand execs, and the account balances on each CPU.
    False if the account does not balance, or if events were lost though at least 19 of 20 that
    arrived were of the load that is run here. Cannot be told otherwise: others were exec'ing too.
    """
    total = table[["attempted", "submitted", "failed", "delivered", "foreign"]].sum()
    rate = total.attempted / float(table.seconds.iloc[0])
    attempted, lost = int(total.attempted), int(total.attempted - total.delivered)
    told = f"{lost:,} of {attempted:,} events were lost"
    if (table.submitted != table.delivered).any():
        return Ruling(FALSE, f"{told}, {int(total.failed):,} of them counted.")
    if lost and total.foreign <= FOREIGN * total.delivered:
        return Ruling(FALSE, f"{told}.")
    if lost:
        others = f"{int(total.foreign):,} of those that arrived were of programs that others"
        return Ruling(NOT_HERE, f"{told}, but {others} started meanwhile.")
    if attempted < FEW:
        return Ruling(NOT_HERE, f"only {attempted:,} execs happened.")
    return Ruling(TRUE, f"{told} at {rate:,.0f} execs per second.")


@claim(
    "The lesson's program keeps up with the fastest execs.",
    judge,
    truth="Not known in general: it depends on the machine, and on what else it does.",
    files=("exec_events",),
)
def full_speed(seconds: float = 4.0) -> Measured:
    """Collect with the lesson's program and its default buffer while CPUs exec at full speed.

    The load is the smallest program there can be. Columns, one row per possible CPU: cpu,
    attempted, submitted, failed (the kernel's counts), delivered (rows in the table), foreign (of
    them, those of other programs than the load's), seconds.
    """
    with minimal_elf.program() as path:
        storm = exec_storm(0, measuring.cpus(), path)
        run = collect("percpu", seconds=seconds, workload=storm)
    if run.interrupted:
        raise KeyboardInterrupt
    if not run.report.accepted:
        reason = f"the lesson's program was not loaded: {measuring.last_line(run.report)}"
        raise Unmeasurable(reason)
    foreign = run.table[run.table.filename != path].groupby("cpu").size()
    table = run.account.reset_index().assign(seconds=round(run.seconds, 2))
    table["foreign"] = table.cpu.map(foreign).fillna(0).astype(int)
    return Measured(table, run.report.versions)
