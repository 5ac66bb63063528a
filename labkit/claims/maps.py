"""What a per-CPU map may hold, what it takes, and what it keeps: cap, memory, stale bytes."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.building.build import build
from labkit.building.report import BuildReport
from labkit.claims import measuring, tiny
from labkit.claims.base import FALSE, HALF_TRUE, NOT_HERE, TRUE, Observed, Verdict, experiment
from labkit.claims.measuring import NotTold, Step, Taken
from labkit.errors import LabError
from labkit.machine.stack_limit import bisect

if TYPE_CHECKING:
    import pandas as pd

WORD = 8  # bytes: the kernel rounds a per-CPU value up to this
STACK = 512  # bytes
SEARCHED = 1 << 16  # bytes: a value that the kernel is expected to refuse
MEASURED = (8, 100, 544, 1000, 8000, 32000)  # bytes
SLACK = 0.02  # of the slope: what may be due to the kernel's own bookkeeping


def possible_cpus() -> int:
    """Return how many CPUs the kernel reserves room for, plugged in or not."""
    text = Path("/sys/devices/system/cpu/possible").read_text("ascii").strip()
    ranges = [part.split("-") for part in text.split(",")]
    return sum(int(ends[-1]) - int(ends[0]) + 1 for ends in ranges)


def judge_cap(frame: pd.DataFrame) -> Verdict:
    """Rule for the value cap.

    True if a per-CPU value may be larger than 512 bytes and every size tried was let through;
    half true if it may be larger but some size was refused: there is a cap, only a higher one.
    False if no size above 512 bytes was let through.
    """
    largest = int(frame[frame.accepted].bytes.max())
    refused = frame[~frame.accepted]
    if largest <= STACK:
        return Verdict(FALSE, f"the largest value let through has {largest} bytes.")
    if refused.empty:
        return Verdict(TRUE, f"{largest:,} bytes were let through, and nothing was refused.")
    first: Any = refused.sort_values("bytes").iloc[0]
    return Verdict(
        HALF_TRUE,
        f"up to {largest:,} bytes a value; {int(first.bytes):,} are refused: {first.said}.",
    )


@experiment("A per-CPU array takes values of any size.", judge_cap, files=("value_cap",))
def value_cap(upper: int = SEARCHED) -> Observed:
    """Find the largest per-CPU value that the kernel accepts, by bisection up to ``upper`` bytes.

    Columns: bytes, accepted, said (what the refusal says). A row a size tried, in that order, the
    first byte above the largest included.
    """
    import pandas as pd

    rows: list[tuple[int, bool, str]] = []
    versions: dict[str, str] = {}

    def passes(size: int) -> bool:
        report = build(measuring.source("value_cap", f"VALUE_BYTES={size}"))
        versions.update(report.versions)
        rows.append((size, report.accepted, "" if report.accepted else _said(report)))
        return report.accepted

    try:
        passes(bisect(passes, WORD, upper, WORD) + 1)
    except LabError as error:
        if not rows or not rows[0][1]:
            raise NotTold(str(error)) from None
    return Observed(pd.DataFrame(rows, columns=["bytes", "accepted", "said"]), versions)


def _said(report: BuildReport) -> str:
    return (
        measuring.last_line(report)
        .removeprefix("the kernel did not create the map scratch:")
        .strip()
    )


def judge_memory(frame: pd.DataFrame) -> Verdict:
    """Rule for the memory of a per-CPU array.

    A line is laid through the accounted bytes against the value size rounded up to 8. False if its
    slope is 1 within 2 % (one value for all CPUs) where there are more possible CPUs than one; true
    if it is the number of possible CPUs within 2 %. Cannot be told otherwise, nor where the kernel
    accounts 0 bytes.
    """
    part = frame[frame["map"] == "percpu_array"]
    cpus = int(part.possible_cpus.iloc[0])
    if not (part.memlock > 0).all():
        return Verdict(NOT_HERE, "this kernel does not account for maps in fdinfo.")
    slope, fixed = np.polyfit(np.ceil(part.value_bytes / WORD) * WORD, part.memlock, 1)
    told = f"{slope:.2f} bytes for each byte of the value, and {fixed:.0f} besides"
    if abs(slope / cpus - 1) <= SLACK:
        return Verdict(TRUE, f"{told}; possible CPUs: {cpus}.")
    if abs(slope - 1) <= SLACK:
        return Verdict(FALSE, f"{told}, though {cpus} CPUs are possible.")
    return Verdict(NOT_HERE, f"{told}: neither one value nor one for each of {cpus} CPUs.")


@experiment(
    "A per-CPU array takes its value's size for each possible CPU.", judge_memory, files=("memory",)
)
def memory(sizes: tuple[int, ...] = MEASURED) -> Observed:
    """Read what the kernel accounts (memlock in fdinfo) for maps with one value of several sizes.

    Columns: map, value_bytes, possible_cpus, expected (size rounded up to 8 × CPUs), memlock.
    """
    import pandas as pd

    sources = [measuring.source("memory", f"VALUE_BYTES={size}") for size in sizes]
    steps = [Step((n,)) for n in range(len(sizes))]
    done = measuring.measure(sources, steps, statistics=False)
    rows = [
        (name, size, possible_cpus(), _expected(name, size), info["memlock"])
        for n, size in enumerate(sizes)
        for name, info in done.taken[n].maps[n].items()
    ]
    columns = ["map", "value_bytes", "possible_cpus", "expected", "memlock"]
    return Observed(pd.DataFrame(rows, columns=columns), done.versions)


def _expected(name: str, size: int) -> int:
    return -(-size // WORD) * WORD * (possible_cpus() if name.startswith("percpu") else 1)


LONG = "a-rather-long-name-" + "x" * 180
SHORT = "short"
REMEDIES = {"none": (), "clear first": ("CLEAR",), "send what was used": ("SEND_USED",)}


def judge_stale(frame: pd.DataFrame) -> Verdict:
    """Rule for stale bytes.

    False if, without a remedy, events of the short name bring bytes of an older event along. Cannot
    be told if no such event arrived, or if a remedy leaves stale bytes too: then something else is
    at work. True if without a remedy there are none.
    """
    execs = frame[frame.trigger == "exec"]
    events = execs.groupby("remedy", sort=False)[["events", "stale"]].sum()
    plain, remedied = events.loc["none"], events.drop("none")
    if not plain.events or not (remedied.events > 0).all():
        return Verdict(NOT_HERE, "no event of the short name arrived.")
    if remedied.stale.any():
        return Verdict(NOT_HERE, f"stale bytes in spite of the remedy: {remedied.stale.to_dict()}.")
    if not plain.stale:
        return Verdict(TRUE, f"0 of {int(plain.events)} events brought older bytes along.")
    costs = ", ".join(f"{name} {_dearer(frame, name)}" for name in remedied.index)
    return Verdict(
        FALSE,
        f"{int(plain.stale)} of {int(plain.events)} events brought bytes of an older one along,"
        f" with either remedy 0. What a remedy costs: {costs}.",
    )


def _dearer(frame: pd.DataFrame, remedy: str) -> str:
    renames = frame[frame.trigger == "rename"]
    median, low, high = measuring.paired(renames, "remedy", remedy, "none")
    return f"{median:+.0f} ns (quartiles {low:+.0f} to {high:+.0f})"


@experiment("Each event finds its per-CPU slot fresh.", judge_stale, files=("stale_bytes",))
def stale_bytes(turns: int = 100, rounds: int = 80, calls: int = 250) -> Observed:
    """Exec a program of a long name and one of a short name in turn; look behind the short name.

    The program without a remedy and those with one are attached together. What a remedy costs is
    timed apart, at the busier tracepoint. Columns: trigger (exec, rename), round, remedy, events
    (of the short name), stale (of them, those with other bytes than 0 after the NUL that ends the
    name), ns_per_event (kernel time of the program); NaN for what was not looked at.
    """
    import pandas as pd

    names = list(REMEDIES)
    plan = [(trigger, name) for trigger in ((), ("AT_RENAME",)) for name in names]
    sources = [measuring.source("stale_bytes", *at, *REMEDIES[name]) for at, name in plan]
    numbers = range(len(names))
    cpu = measuring.cpus()[-1]
    timed = [n + len(names) for n in numbers]
    with _two_names() as paths:
        load = (measuring.execs(cpu, paths, 2 * turns),)
        steps = [Step(tuple(numbers), load, keep=1 << 20)]
        steps += measuring.in_rounds(rounds, timed, (measuring.rename(cpu, calls),))
        done = measuring.measure(sources, steps)
    short = paths[1].encode()
    seen = [("exec", 0, names[n], *_stale_of(done.taken[0], n, short), None) for n in numbers]
    times = measuring.timings(done.taken[1:], timed)
    cost = [("rename", turn, plan[n][1], None, None, ns) for turn, n, ns in times]
    columns = ["trigger", "round", "remedy", "events", "stale", "ns_per_event"]
    return Observed(pd.DataFrame([*seen, *cost], columns=columns), done.versions)


@contextlib.contextmanager
def _two_names() -> Iterator[list[str]]:
    """Lend two paths of a program, one much longer than the other."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder, tiny.program() as program:
        paths = [os.path.join(folder, name) for name in (LONG, SHORT)]
        for path in paths:
            os.symlink(program, path)
        yield paths


def _stale_of(taken: Taken, number: int, short: bytes) -> tuple[int, int]:
    """Return how many records have the short name, and how many of them more behind it.

    The records of SEND_USED differ in size: 8 bytes, then as many as their length field says.
    """
    whole = taken.maps[number]["event_type"]["layout"]["size"]
    used_only = number == list(REMEDIES).index("send what was used")
    raw = taken.raw[number]
    seen = stale = place = 0
    while place < len(raw):
        length = int.from_bytes(raw[place + 4 : place + 8], sys.byteorder)
        size = 8 + length if used_only else whole
        name, _, rest = raw[place + 8 : place + size].partition(b"\0")
        seen += name == short
        stale += name == short and any(rest)
        place += size
    return seen, stale
