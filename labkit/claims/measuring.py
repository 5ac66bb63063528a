"""measure(): programs through both gates, then trials under load; what the kernel counted.

done = measure([source("nothing", "AT_RENAME")], [Trial((0,), (rename(cpu, 1000),))])
done.readings[0].ns_per_run(0)
"""

from __future__ import annotations

import base64
import os
import random
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from labkit import session
from labkit.building import build
from labkit.building.report import OUTCOMES, WORKER_DIED, BuildReport, worker_error
from labkit.collecting import records
from labkit.machine import patience
from labkit.program.variants import BPF_TREE, Variant

FOLDERS = (BPF_TREE / "claims", BPF_TREE / "alternatives", BPF_TREE)
RING = "events"
ORDERS = 8
MOST_CPUS = 8  # under load at once: enough to collide, and no machine-wide stop on a large one
TIME_LIMIT = 120.0  # seconds for one job on a machine of usual speed
Load = dict[str, Any]


class Unmeasurable(Exception):
    """A claim cannot be measured on this machine; the text says why."""


def path_of(file: str) -> Path:
    """Return the path of a program of the claims, of the alternatives, or of the lesson itself."""
    return next(path for folder in FOLDERS if (path := folder / f"{file}.c").exists())


def source(file: str, *defines: str) -> Variant:
    """Return the program FILE.c with its defines."""
    return Variant(file, path_of(file), "measures a claim", defines=defines)


def rename(cpu: int, count: int | None = None) -> Load:
    """Return a load: a task on ``cpu`` renames itself ``count`` times (None: until the end)."""
    return {"kind": "rename", "cpu": cpu, "count": count}


def timer(cpu: int, count: int | None = None) -> Load:
    """Return a load: a task on ``cpu`` takes 20 µs naps, a timer interrupt at the end of each."""
    return {"kind": "timer", "cpu": cpu, "count": count}


def execs(cpu: int, paths: Iterable[str | os.PathLike[str]], count: int | None = None) -> Load:
    """Return a load: a task on ``cpu`` execs ``paths`` in turn, ``count`` times in all."""
    words = [os.fspath(path) for path in paths]
    return {"kind": "exec", "cpu": cpu, "paths": words, "count": count}


def cpus() -> list[int]:
    """Return the ids of the CPUs to put under load: those this process may use, MOST_CPUS of them.

    The last ones, since interrupts and a machine's own work tend to the first.
    """
    return sorted(os.sched_getaffinity(0))[-MOST_CPUS:]


@dataclass(frozen=True)
class Trial:
    """What to do once: which sources are attached, under which load, and what is kept of it.

    The load is run ``bursts`` times. It ends by itself, after ``seconds``, or when ``keep`` bytes
    of records are there. With ``drain`` the ring buffer is emptied meanwhile, otherwise only
    after the load. Sources at one tracepoint run in their order in ``sources``.
    """

    sources: tuple[int, ...]
    load: tuple[Load, ...] = ()
    seconds: float = 5.0
    bursts: int = 1
    drain: bool = False
    keep: int = 0
    framed: bool = False  # keep all records, with their lengths; see Reading.framed()
    read: tuple[str, ...] = ()  # array maps whose values are read at the end
    ring: str = RING


def in_rounds(rounds: int, numbers: Sequence[int], load: tuple[Load, ...]) -> list[Trial]:
    """Return trials in which all of these sources see the same load, ``rounds`` times in all.

    Each of the ORDERS trials has another order of the sources (the same ones each time), so that
    what a program leaves in the caches does not always meet the same other one.
    """
    shuffled = [random.Random(seed).sample(list(numbers), len(numbers)) for seed in range(ORDERS)]
    bursts = -(-rounds // ORDERS)
    return [Trial(tuple(order), load, bursts=bursts, read=("counters",)) for order in shuffled]


@dataclass(frozen=True)
class Reading:
    """What one trial told.

    ``bursts`` holds, for each burst and by number of the source, ``programs`` (what the counters
    of each program grew by) and ``values`` (of the maps that were read); ``maps`` what the kernel
    tells of each map, by number and name; ``raw`` the records of each source's ring buffer;
    ``at_end`` the maps' values once nothing was attached any more: all that was sent is in them.
    """

    trial: Trial
    bursts: list[dict[int, dict[str, Any]]]
    maps: dict[int, dict[str, dict[str, Any]]]
    raw: dict[int, bytes]
    at_end: dict[int, dict[str, bytes]] = field(default_factory=dict)

    def counted(self, number: int, program: str, counter: str) -> int | None:
        """Return how much a program's counter grew in this trial; None if this kernel has none.

        ``program`` is a part of the function's name. Counters: run_time_ns, run_cnt (Linux 5.1),
        recursion_misses (5.12).
        """
        grown = [
            counters.get(counter)
            for burst in self.bursts
            for name, counters in burst[number]["programs"].items()
            if program in name
        ]
        return None if None in grown else sum(filter(None, grown))

    def ns_per_run(self, number: int) -> list[float]:
        """Return ns per run of a source's only program, for each burst; NaN if it never ran."""
        each = [next(iter(burst[number]["programs"].values())) for burst in self.bursts]
        return [c["run_time_ns"] / c["run_cnt"] if c["run_cnt"] else float("nan") for c in each]

    def records(self, number: int, struct: str = "event_type") -> np.ndarray[Any, Any]:
        """View the trial's records as an array of the struct that the map ``struct`` holds."""
        dtype = records.record_dtype(self.maps[number][struct]["layout"])
        whole = len(self.raw[number]) // dtype.itemsize
        return np.frombuffer(self.raw[number], dtype, whole)

    def framed(self, number: int) -> list[bytes]:
        """Return the records of a framed trial, each as long as it was sent."""
        raw, found = self.raw[number], []
        while raw:
            end = 4 + int.from_bytes(raw[:4], sys.byteorder)
            found.append(raw[4:end])
            raw = raw[end:]
        return found

    def values(self, number: int, name: str, burst: int = -1) -> np.ndarray[Any, Any]:
        """Return an array map's values after a burst.

        One per slot; of a per-CPU array one per possible CPU, in the order of possible_cpus().
        """
        dtype = records.record_dtype(self.maps[number][name]["layout"])
        return np.frombuffer(base64.b64decode(self.bursts[burst][number]["values"][name]), dtype)

    def failures(self, number: int) -> list[int]:
        """Return how many events of a source were not sent, for each burst; all CPUs together."""
        turns = range(len(self.bursts))
        after = [int(self.values(number, "counters", turn)["failed"].sum()) for turn in turns]
        return np.diff(after, prepend=0).tolist()


@dataclass(frozen=True)
class Measurement:
    """The reports of all sources, in order, and what each trial told."""

    reports: tuple[BuildReport, ...]
    readings: tuple[Reading, ...]
    versions: dict[str, str]

    @cached_property
    def accepted(self) -> tuple[int, ...]:
        """The numbers of the sources that both gates let through."""
        return tuple(n for n, report in enumerate(self.reports) if report.accepted)


def measure(
    sources: Sequence[Variant],
    trials: Sequence[Trial],
    *,
    statistics: bool = True,
    partial: bool = False,
) -> Measurement:
    """Build the sources, do the trials, return what was told; nothing stays loaded or switched on.

    With ``statistics`` the kernel times the programs meanwhile (BPF_ENABLE_STATS, Linux 5.8). With
    ``partial`` a refused source is left out of the trials. Raises Unmeasurable where a source was
    refused otherwise, or where the kernel lacks what a trial needs; WorkerError for a defect.
    """
    limit = TIME_LIMIT * patience.factor()
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        request = {
            "job": "measure",
            "time_limit": limit,
            "statistics": statistics,
            "partial": partial,
            "sources": [build.request_for(s, "lab", limit, 1) for s in sources],
            "steps": [vars(trial) for trial in trials],
            "records": folder,
        }
        told, versions = session.run_to_end(request)
        readings = [_reading(trials, event) for event in told if event["event"] == "step"]
    reports = [
        build.report_of(source, [e for e in told if e.get("source", n) == n], versions)
        for n, source in enumerate(sources)
    ]
    _check(reports, readings, len(trials), told, partial)
    return Measurement(tuple(reports), tuple(readings), versions)


def _check(
    reports: list[BuildReport],
    readings: list[Reading],
    trials: int,
    told: list[dict[str, Any]],
    partial: bool,
) -> None:
    """Raise what measure() raises."""
    refused = [report for report in reports if not report.accepted]
    if cannot := [event["reason"] for event in told if event["event"] == "cannot"]:
        raise Unmeasurable(f"{cannot[0]}.")
    if any(report.outcome == WORKER_DIED for report in refused):
        raise worker_error(told)
    if refused and not partial:
        name, outcome = refused[0].file_name, OUTCOMES[refused[0].outcome]
        raise Unmeasurable(f"{name} was not loaded; {outcome}: {last_line(refused[0])}.")
    if len(readings) < trials:
        raise worker_error(told)


def _reading(trials: Sequence[Trial], event: dict[str, Any]) -> Reading:
    return Reading(
        trial=trials[event["step"]],
        bursts=[{int(n): told for n, told in burst.items()} for burst in event["bursts"]],
        maps={int(n): maps for n, maps in event["maps"].items()},
        at_end={int(n): _decoded(values) for n, values in event["values"].items()},
        raw={int(n): Path(path).read_bytes() for n, path in event["records"].items()},
    )


def _decoded(values: dict[str, str]) -> dict[str, bytes]:
    return {name: base64.b64decode(text) for name, text in values.items()}


def last_line(report: BuildReport) -> str:
    """Return the line of a refused report that says why, as far as one line can."""
    fatal = report.verifier_log.fatal
    if fatal:
        return fatal.body
    lines = (report.reason or report.compiler_log).splitlines()
    errors = [line for line in lines if " error: " in line]
    return (errors[:1] or lines[-1:] or ["without a word"])[0]


def timings(readings: Sequence[Reading], numbers: Iterable[int]) -> list[tuple[int, int, float]]:
    """Return (round, number of the source, ns per run) for each burst and source.

    ns is NaN for a burst in which an event was not sent: a failure takes another time than a
    success. Raises Unmeasurable if that is so in half of a source's bursts.
    """
    rows = []
    for number in numbers:
        sent = [not failed for one in readings for failed in one.failures(number)]
        times = [ns for one in readings for ns in one.ns_per_run(number)]
        if sum(sent) <= len(sent) / 2:
            reason = "others filled the ring buffer meanwhile, so few bursts could be timed."
            raise Unmeasurable(reason)
        each = enumerate(zip(sent, times, strict=True))
        rows += [(turn, number, ns if good else float("nan")) for turn, (good, ns) in each]
    return rows


def paired(
    table: pd.DataFrame, by: str, one: str, other: str, value: str = "ns_per_event"
) -> tuple[float, float, float]:
    """Return by how much ``one`` exceeds ``other``, round by round: median, lower, upper quartile.

    ``by`` is the column that holds their names; the table has a column ``round``.
    """
    rounds = table.pivot(index="round", columns=by, values=value)
    return spread(rounds[one] - rounds[other])


def spread(values: pd.Series[Any]) -> tuple[float, float, float]:
    """Return the median and the quartiles below and above it: (median, low, high)."""
    low, median, high = np.nanquantile(np.asarray(values, dtype=float), [0.25, 0.5, 0.75])
    return float(median), float(low), float(high)
