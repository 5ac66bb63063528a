"""Whether an event finds its slot fresh, or with bytes of an older one."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

import pandas as pd

from labkit.claims import measuring, minimal_elf
from labkit.claims.claim import FALSE, NOT_HERE, TRUE, Measured, Ruling, claim, folded
from labkit.claims.measuring import Reading, Trial

LONG = "a-rather-long-name-" + "x" * 180
SHORT = "short"
REMEDIES = {"none": (), "clear first": ("CLEAR",), "send what was used": ("SEND_USED",)}


def by_remedy(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per remedy: the events that were looked at, and what it took to make one."""
    whole = folded(table)
    seen = whole[whole.trigger == "exec"][["remedy", "events", "stale"]]
    times = whole[whole.trigger == "rename"][["remedy", "ns_per_event"]]
    return seen.merge(times, on="remedy")


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for stale bytes.

    False if, without a remedy, events of the short name bring bytes of an older event along. Cannot
    be told if no such event arrived, or if a remedy leaves stale bytes too: then something else is
    at work. True if without a remedy there are none.
    """
    execs = table[table.trigger == "exec"]
    events = execs.groupby("remedy", sort=False)[["events", "stale"]].sum()
    plain, remedied = events.loc["none"], events.drop("none")
    if not plain.events or not (remedied.events > 0).all():
        return Ruling(NOT_HERE, "no event of the short name arrived.")
    if remedied.stale.any():
        return Ruling(NOT_HERE, f"stale bytes in spite of the remedy: {remedied.stale.to_dict()}.")
    if not plain.stale:
        return Ruling(TRUE, f"0 of {int(plain.events)} events brought older bytes along.")
    renames = table[table.trigger == "rename"]
    dearer = {name: measuring.paired(renames, "remedy", name, "none") for name in remedied.index}
    costs = ", ".join(
        f"{name} {median:+.0f} ns (quartiles {low:+.0f} to {high:+.0f})"
        for name, (median, low, high) in dearer.items()
    )
    return Ruling(
        FALSE,
        f"{int(plain.stale)} of {int(plain.events)} events brought bytes of an older one along,"
        f" with either remedy 0. What a remedy costs: {costs}.",
    )


@claim(
    "Each event finds its per-CPU slot fresh.",
    judge,
    truth="False: a slot is zero when the map is made, and keeps the last event's bytes from then"
    " on. Who sends all of it must clear it first.",
    files=("stale_bytes",),
    brief=by_remedy,
)
def stale_bytes(turns: int = 100, rounds: int = 80, calls: int = 250) -> Measured:
    """Exec a program of a long name and one of a short name in turn; look behind the short name.

    The program without a remedy and those with one are attached together. What a remedy costs is
    timed apart, at the busier tracepoint. Columns: trigger (exec, rename), round, remedy, events
    (of the short name), stale (of them, those with other bytes than 0 after the NUL that ends the
    name), ns_per_event (kernel time of the program); NaN for what was not looked at.
    """
    names = list(REMEDIES)
    plan = [(at, name) for at in ((), ("AT_RENAME",)) for name in names]
    sources = [measuring.source("stale_bytes", *at, *REMEDIES[name]) for at, name in plan]
    seen, timed = range(len(names)), range(len(names), len(plan))
    cpu = measuring.cpus()[-1]
    with _two_names() as paths:
        load = (measuring.execs(cpu, paths, 2 * turns),)
        trials = [Trial(tuple(seen), load, keep=1 << 20)]
        trials += measuring.in_rounds(rounds, timed, (measuring.rename(cpu, calls),))
        done = measuring.measure(sources, trials)
    short = paths[1].encode()
    counts = [("exec", 0, names[n], *_stale_of(done.readings[0], n, short), None) for n in seen]
    times = measuring.timings(done.readings[1:], timed)
    cost = [("rename", turn, plan[n][1], None, None, ns) for turn, n, ns in times]
    columns = ["trigger", "round", "remedy", "events", "stale", "ns_per_event"]
    return Measured(pd.DataFrame([*counts, *cost], columns=columns), done.versions)


@contextlib.contextmanager
def _two_names() -> Iterator[list[str]]:
    """Lend two paths of a program, one much longer than the other."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder, minimal_elf.program() as program:
        paths = [os.path.join(folder, name) for name in (LONG, SHORT)]
        for path in paths:
            os.symlink(program, path)
        yield paths


def _stale_of(reading: Reading, number: int, short: bytes) -> tuple[int, int]:
    """Return how many records have the short name, and how many of them more behind it.

    The records of SEND_USED differ in size: 8 bytes, then as many as their length field says.
    """
    whole = reading.maps[number]["event_type"]["layout"]["size"]
    used_only = number == list(REMEDIES).index("send what was used")
    raw = reading.raw[number]
    seen = stale = place = 0
    while place < len(raw):
        length = int.from_bytes(raw[place + 4 : place + 8], sys.byteorder)
        size = 8 + length if used_only else whole
        name, _, rest = raw[place + 8 : place + size].partition(b"\0")
        seen += name == short
        stale += name == short and any(rest)
        place += size
    return seen, stale
