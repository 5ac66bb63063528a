"""Who else may write into the scratch: another CPU, or another program on the same CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.claims import measuring, tiny
from labkit.claims.base import FALSE, NOT_HERE, TRUE, Observed, Verdict, experiment
from labkit.claims.measuring import NotTold, Step, Taken

if TYPE_CHECKING:
    import pandas as pd

SCRATCH = ("shared", "per-CPU")
KEEP = 16 << 20  # bytes of records a step
EXPECTED = 10.0  # torn events that must have been likely before none of them means something


def torn(words: np.ndarray[Any, Any]) -> int:
    """Count the events (rows) whose words do not all hold the same mark."""
    return int((words != words[:, :1]).any(axis=1).sum())


def judge_tearing(frame: pd.DataFrame) -> Verdict:
    """Rule for safety across CPUs.

    False if any event through the per-CPU array is torn. Cannot be told unless the shared slot
    tears under the same load: then the load shows nothing. Cannot be told either if, at the
    shared slot's rate, fewer than ten torn events were to be expected through the per-CPU array.
    True otherwise.
    """
    shared, percpu = frame[frame.scratch == "shared"], frame[frame.scratch == "per-CPU"]
    seen, of, torn_shared = int(percpu.torn.sum()), int(percpu.events.sum()), int(shared.torn.sum())
    if seen:
        return Verdict(FALSE, f"{seen} of {of:,} events through the per-CPU array were torn.")
    if not torn_shared:
        return Verdict(NOT_HERE, "even one slot shared by all CPUs was never torn here.")
    rates = shared.set_index("trigger").torn / shared.set_index("trigger").events
    expected = float((rates * percpu.set_index("trigger").events).sum())
    if not expected >= EXPECTED:
        return Verdict(NOT_HERE, f"only {expected:.1f} torn events were to be expected: too few.")
    return Verdict(
        TRUE,
        f"0 of {of:,} events through the per-CPU array were torn;"
        f" through one shared slot {torn_shared:,} of {int(shared.events.sum()):,}.",
    )


@experiment(
    "A per-CPU array needs no lock: it is safe across CPUs.", judge_tearing, files=("tearing",)
)
def across_cpus(exec_seconds: float = 3.0, bursts: int = 8, calls: int = 25_000) -> Observed:
    """Write one mark into all words of the scratch on every CPU at once; look for mixed marks.

    First as in the lesson, at each exec, at full speed. Then with better odds: in bursts of
    ``calls`` renames a CPU, an event each, and with the scratch filled eight times over. Columns:
    trigger, scratch, events, torn. Needs two CPUs.
    """
    import pandas as pd

    cpus = measuring.cpus()
    if len(cpus) < 2:
        raise NotTold("this process has one CPU; two must write at the same time")
    plan = [(trigger, scratch) for trigger in ("exec", "rename") for scratch in SCRATCH]
    sources = [measuring.source("tearing", *_tearing_defines(*planned)) for planned in plan]
    with tiny.program() as path:
        storm = tuple(measuring.execs(cpu, [path]) for cpu in cpus)
        steps = [Step((n,), storm, exec_seconds, drain=True, keep=KEEP) for n in (0, 1)]
        burst = tuple(measuring.rename(cpu, calls) for cpu in cpus)
        steps += [Step((n,), burst, keep=KEEP) for _ in range(bursts) for n in (2, 3)]
        done = measuring.measure(sources, steps)
    rows = [(*plan[taken.step.sources[0]], *_torn_of(taken)) for taken in done.taken]
    frame = pd.DataFrame(rows, columns=["trigger", "scratch", "events", "torn"])
    whole = frame.groupby(["trigger", "scratch"], sort=False, as_index=False).sum()
    return Observed(whole, done.versions)


def _tearing_defines(trigger: str, scratch: str) -> list[str]:
    odds = ["AT_RENAME", "TIMES=8", f"RINGBUF_BYTES={KEEP}"] if trigger == "rename" else []
    return [*odds, "SHARED"] if scratch == "shared" else odds


def _torn_of(taken: Taken) -> tuple[int, int]:
    words = taken.records(taken.step.sources[0])["words"]
    return len(words), torn(words)


LOWER, UPPER = 1, 2  # the marks that the two programs of nesting.c write


def judge_nesting(frame: pd.DataFrame) -> Verdict:
    """Rule for safety within a CPU.

    False if, without the remedy, events of the lower program hold the upper one's marks where
    they are attached as raw tracepoints: the kernel let one into the other's slot. True if there
    are none of them, yet the kernel counted runs that it skipped in order to prevent it. Cannot
    be told if neither was seen: then the one never met the other.
    """
    plain = frame[frame.remedy == "none"].set_index("attached_as")
    raw: Any = plain.loc["raw tracepoint"]
    classic: Any = plain.loc["tracepoint"]
    if not raw.mixed:
        if raw.skipped > 0:
            return Verdict(TRUE, f"the kernel skipped {int(raw.skipped):,} runs that met another.")
        return Verdict(NOT_HERE, "no program was seen to run within the other.")
    return Verdict(
        FALSE,
        f"as raw tracepoints {int(raw.mixed):,} of {int(raw.events):,} events were overwritten"
        f" in the making; {_remedied(frame)}; {_guarded(classic)}.",
    )


def _remedied(frame: pd.DataFrame) -> str:
    with_it = frame[frame.remedy != "none"]
    mixed, events = int(with_it.mixed.sum()), int(with_it.events.sum())
    return f"with a buffer for each depth {mixed:,} of {events:,}"


def _guarded(classic: Any) -> str:
    if classic.mixed:
        return f"as tracepoints {int(classic.mixed):,}"
    if classic.skipped > 0:
        return f"as tracepoints 0, since the kernel skipped {int(classic.skipped):,} runs instead"
    return "as tracepoints 0"


@experiment(
    "Nothing else writes into a CPU's slot while a program uses it.", judge_nesting, ("nesting",)
)
def within_a_cpu(bursts: int = 6, calls: int = 25_000) -> Observed:
    """Let a timer's interrupt run a second program in the middle of the first, on one CPU.

    Both fill the same scratch with their own mark; the first sends it. As tracepoints the kernel
    skips a program that meets another on its CPU (bpf_prog_active) and counts it; raw tracepoints
    have a guard only against themselves. Columns: attached_as, remedy, events, mixed (events with
    both marks or the wrong one), interrupts (runs of the second program), skipped (NaN where this
    kernel does not count, before 5.12).
    """
    import pandas as pd

    plan = [
        (kind, remedy) for kind in ("raw tracepoint", "tracepoint") for remedy in ("none", "depth")
    ]
    sources = [measuring.source("nesting", *_nesting_defines(*planned)) for planned in plan]
    cpu = measuring.cpus()[-1]
    load = (measuring.rename(cpu, calls), measuring.timer(cpu, calls // 25))
    steps = [Step((n,), load, keep=KEEP) for _ in range(bursts) for n in range(len(plan))]
    done = measuring.measure(sources, steps)
    rows = [(*plan[taken.step.sources[0]], *_mixed_of(taken)) for taken in done.taken]
    columns = ["attached_as", "remedy", "events", "mixed", "interrupts", "skipped"]
    frame = pd.DataFrame(rows, columns=columns)
    whole = frame.groupby(columns[:2], sort=False, as_index=False).sum(min_count=1)
    return Observed(whole, done.versions)


def _nesting_defines(kind: str, remedy: str) -> list[str]:
    raw = ["RAW"] if kind == "raw tracepoint" else []
    ring = f"RINGBUF_BYTES={KEEP}"
    return [*raw, ring, "REMEDY"] if remedy != "none" else [*raw, ring]


def _mixed_of(taken: Taken) -> tuple[int, int, int | None, int | None]:
    number = taken.step.sources[0]
    words = taken.records(number)["words"]
    mixed = int((words != LOWER).any(axis=1).sum())
    skipped = taken.counted(number, "", "recursion_misses")
    return len(words), mixed, taken.counted(number, "hrtimer", "run_cnt"), skipped
