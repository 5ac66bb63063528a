"""Nothing is lost silently: the kernel's count of failures against what user space misses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.claims import measuring, tiny
from labkit.claims.base import FALSE, NOT_HERE, TRUE, Observed, Verdict, experiment
from labkit.claims.measuring import NotTold, Step, Taken
from labkit.collecting import collection
from labkit.collecting.workload import exec_storm
from labkit.errors import LabError
from labkit.machine.cpus import possible_cpus

if TYPE_CHECKING:
    import pandas as pd

SMALL_RING = 64 << 10  # bytes: 124 events
FOREIGN = 0.05  # of the execs that arrived, by others: above it the load was not ours alone
FEW = 1000  # execs: with fewer, that none was lost tells little


def judge_loss(frame: pd.DataFrame) -> Verdict:
    """Rule for silent loss.

    False if on any CPU the failures that the kernel counted are not exactly the events that user
    space misses, or its attempts are not the failures and what arrived. Cannot be told
    if no event was lost: then the storm was too small for the buffer. True otherwise.
    """
    wrong = frame[
        (frame.failed != frame.missing) | (frame.attempted != frame.failed + frame.delivered)
    ]
    if len(wrong):
        one = wrong.iloc[0]
        return Verdict(
            FALSE,
            f"on CPU {one.cpu} the kernel counted {one.failed:,} failures, and user space misses"
            f" {one.missing:,} events.",
        )
    lost, attempted = int(frame.failed.sum()), int(frame.attempted.sum())
    if not lost:
        return Verdict(NOT_HERE, f"none of {attempted:,} events was lost: the storm was too small.")
    return Verdict(
        TRUE, f"{lost:,} of {attempted:,} events were lost; each was counted, on each CPU."
    )


@experiment("Nothing is lost silently.", judge_loss, files=("loss",))
def loss(calls: int = 5000, ring_bytes: int = SMALL_RING) -> Observed:
    """Send a storm of events, numbered on each CPU, into a small ring buffer that nobody empties.

    ``calls`` events a CPU, 512 bytes each. Columns, a row a possible CPU: cpu, attempted,
    submitted, failed (the kernel's counts), delivered (records that arrived), missing (numbers that
    did not).
    """
    sources = [measuring.source("loss", "AT_RENAME", f"RINGBUF_BYTES={ring_bytes}")]
    load = tuple(measuring.rename(cpu, calls) for cpu in measuring.cpus())
    step = Step((0,), load, keep=4 * ring_bytes, read=("counters",))
    done = measuring.measure(sources, [step], statistics=False)
    return Observed(_account(done.taken[0]), done.versions)


def _account(taken: Taken) -> pd.DataFrame:
    import pandas as pd

    counters, records = taken.values(0, "counters"), taken.records(0)
    rows = [
        (cpu, *_of_cpu(count, records[records["cpu"] == cpu]))
        for cpu, count in zip(possible_cpus(), counters, strict=True)
    ]
    columns = ["cpu", "attempted", "submitted", "failed", "delivered", "missing"]
    return pd.DataFrame(rows, columns=columns)


def _of_cpu(count: Any, records: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """Return attempted, submitted, failed, delivered, missing of one CPU."""
    attempted = int(count["attempted"])
    missing = np.setdiff1d(np.arange(1, attempted + 1), records["number"])
    return attempted, int(count["submitted"]), int(count["failed"]), len(records), len(missing)


def judge_full_speed(frame: pd.DataFrame) -> Verdict:
    """Rule for the default buffer at full speed.

    True if no event was lost, in at least a thousand execs, and the account balances on each CPU.
    False if the account does not balance, or if events were lost though at least 19 of 20 that
    arrived were of the experiment's own load. Cannot be told otherwise: others were exec'ing too.
    """
    total = frame[["attempted", "submitted", "failed", "delivered", "foreign"]].sum()
    rate = total.attempted / float(frame.seconds.iloc[0])
    attempted, lost = int(total.attempted), int(total.attempted - total.delivered)
    if (frame.submitted != frame.delivered).any():
        return Verdict(
            FALSE, f"{lost:,} of {attempted:,} were lost, {int(total.failed):,} counted."
        )
    if lost and total.foreign <= FOREIGN * total.delivered:
        return Verdict(FALSE, f"{lost:,} of {attempted:,} events were lost.")
    if lost:
        return Verdict(
            NOT_HERE,
            f"{lost:,} of {attempted:,} events were lost, but {int(total.foreign):,} of those that"
            " arrived were of programs that others started meanwhile.",
        )
    if attempted < FEW:
        return Verdict(NOT_HERE, f"only {attempted:,} execs happened.")
    return Verdict(TRUE, f"0 of {attempted:,} events lost at {rate:,.0f} execs a second.")


@experiment(
    "The lesson's program keeps up with the fastest execs.", judge_full_speed, ("exec_events",)
)
def full_speed(seconds: float = 4.0) -> Observed:
    """Collect with the lesson's program and its default buffer while each CPU execs at full speed.

    The load is the smallest program there can be. Columns, a row a possible CPU: cpu, attempted,
    submitted, failed (the kernel's counts), delivered (rows in the frame), foreign (of them, those
    of other programs than the load's), seconds.
    """
    with tiny.program() as path:
        try:
            run = collection.collect(
                "percpu", seconds=seconds, workload=exec_storm(0, program=path)
            )
        except LabError as error:
            raise NotTold(str(error)) from error
    if run.interrupted:
        raise KeyboardInterrupt
    if not run.report.accepted:
        raise NotTold(f"the lesson's program was not loaded: {measuring.last_line(run.report)}")
    foreign = run.frame[run.frame.filename != path].groupby("cpu").size()
    frame = run.account.reset_index().assign(seconds=run.seconds)
    frame["foreign"] = frame.cpu.map(foreign).fillna(0).astype(int)
    return Observed(frame, run.report.versions)
