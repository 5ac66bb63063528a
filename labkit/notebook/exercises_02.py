"""Checks for the exercises of notebook 02. Each compares with what this machine has measured."""

from __future__ import annotations

from labkit.building.build import layout
from labkit.building.report import BuildReport
from labkit.collecting.collection import collect
from labkit.collecting.run import Run
from labkit.collecting.workload import exec_storm
from labkit.machine.cpus import possible_cpus
from labkit.notebook.feedback import Feedback
from labkit.notebook.map_values import left_over
from labkit.program.variants import STRUCTS, Variant

SCRATCH = 512  # bytes: a map value of that size or more is scratch that the exercise does without
LEAST = 20  # events that a check wants to see before it judges
NOT_RUN = Feedback(False, ("run the cell above first; its name holds the result",))


def check_cost(bytes_taken: int) -> Feedback:
    """Compare with the memory that the three per-CPU arrays take on this machine."""
    once = sum(layout()[name]["size"] for name in STRUCTS)
    cpus = len(possible_cpus())
    truth = once * cpus
    if bytes_taken == truth:
        return Feedback(True, (f"{once} bytes for each of {cpus} possible CPUs",))
    return Feedback(False, (f"{bytes_taken:,} bytes are {abs(bytes_taken - truth):,} off",))


def check_loss(run: Run | None) -> Feedback:
    """Check a run that was to lose events: it did, and each loss was counted."""
    if not isinstance(run, Run):
        return NOT_RUN
    total = run.account.sum()
    if not run.balanced:
        return Feedback(False, (f"the account does not balance: {dict(total)}",))
    words = f"{total.attempted} attempted = {total.delivered} delivered + {total.failed} failed"
    if total.failed == 0:
        return Feedback(False, (words, "we kept up: make the ring smaller or the reader slower"))
    return Feedback(True, (words, "lost, but not in silence"))


def check_longest_gap(run: Run, nanoseconds: float) -> Feedback:
    """Compare with the longest time between two events in a row on the same CPU."""
    gaps = run.frame.groupby("cpu").timestamp.diff().dropna()
    if gaps.empty:
        return Feedback(False, ("this run has no two events on one CPU: collect again",))
    truth = int(gaps.max())
    if int(nanoseconds) == truth:
        return Feedback(True, (f"{truth / 1e6:,.1f} ms, before row {gaps.idxmax()}",))
    return Feedback(False, (f"{abs(int(nanoseconds) - truth):,} ns off",))


def check_clean(report: BuildReport | None) -> Feedback:
    """Run the reader's program under a known load: no event may carry what an older one left."""
    run = _run_of(report)
    if isinstance(run, Feedback):
        return run
    texts = left_over(run)
    dirty = texts[texts != ""]
    if len(dirty):
        words = f"{len(dirty)} of {len(run)} events carry something of older ones"
        return Feedback(False, (words, f"for instance: {dirty.iloc[0]!r}"))
    return Feedback(True, (f"{len(run)} events, and nothing left over in any of them",))


def check_no_scratch(report: BuildReport | None) -> Feedback:
    """Run the reader's program: its events must be sound, and no map value may be scratch."""
    run = _run_of(report)
    if isinstance(run, Feedback):
        return run
    assert report is not None
    scratch = [name for name, facts in report.maps.items() if facts["value_size"] >= SCRATCH]
    if scratch:
        words = f"it works, but {', '.join(scratch)} is still there, with a copy for each CPU"
        return Feedback(False, (words,))
    return Feedback(True, (f"{len(run)} sound events, written in the ring buffer itself",))


def _run_of(report: BuildReport | None) -> Run | Feedback:
    """Collect from the program of a %%bpf cell; Feedback where that is not right yet."""
    if not isinstance(report, BuildReport):
        return NOT_RUN
    if not report.accepted:
        return Feedback(False, (f"it does not load: {report.explain().happened}",))
    missing = [name for name in ("events", "counters") if name not in report.maps]
    if missing:
        return Feedback(False, (f"it has no map called {' and none called '.join(missing)}",))
    program = Variant(report.variant, report.source, "the reader's own", defines=report.defines)
    run = collect(program, seconds=1, workload=exec_storm(rate=100))
    return _unsound(run) or run


def _unsound(run: Run) -> Feedback | None:
    """Say what is wrong with the events themselves, if anything is."""
    if len(run) < LEAST:
        return Feedback(False, (f"only {len(run)} events came, of some hundred execs: {run!r}",))
    if not run.frame.data_ok.all():
        bad = int((~run.frame.data_ok).sum())
        return Feedback(False, (f"in {bad} of {len(run)} events data[0..3] does not hold the pid",))
    if not run.frame.filename.str.startswith("/").any():
        return Feedback(False, ("no event has a file name in data, from byte 16 on",))
    return None
