"""Signals at random moments: of builds and of runs, to each of the processes."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import labkit
from labkit.collecting.run import Run
from tools.soak.lab import (
    BUILD,
    LAB,
    Lab,
    kept_files,
    newly_kept,
    next_call_works,
    send,
    what_is_wrong,
)

LONGEST_BUILD, LONGEST_RUN = 1.5, 4.0  # seconds, in which the moment lies
DIED = -int(signal.SIGKILL)
GOOD = (0, 3)  # it was over, or the machine (here: a process that was killed) could not


def kill_in_a_build(chance: random.Random) -> list[str]:
    """Kill one of the processes of a build, or all at once."""
    lab = Lab(BUILD)
    try:
        return _kill(lab, chance, LONGEST_BUILD) + next_call_works()
    finally:
        lab.end()


def kill_in_a_run(chance: random.Random) -> list[str]:
    """Kill one of the processes of a run, or all at once; its events must be in CSV or file."""
    return _in_a_run(lambda lab: _kill(lab, chance, LONGEST_RUN))


def interrupt_a_build(chance: random.Random) -> list[str]:
    """Press Ctrl-C at some moment of a build."""
    lab = Lab(BUILD)
    try:
        return _interrupt(lab, chance, LONGEST_BUILD) + next_call_works()
    finally:
        lab.end()


def interrupt_a_run(chance: random.Random) -> list[str]:
    """Press Ctrl-C, hang up or end it at some moment of a run."""
    return _in_a_run(lambda lab: _interrupt(lab, chance, LONGEST_RUN, runs=True))


def _kill(lab: Lab, chance: random.Random, span: float) -> list[str]:
    _wait_for_a_moment(lab, chance, span)
    there = lab.freeze()
    victims = chance.choice([*([pid] for pid in there), there]) if there else []
    for pid in victims:
        send(pid, signal.SIGKILL)
    for pid in there:
        send(pid, signal.SIGCONT)
    statuses = (DIED,) if lab.process.pid in victims else GOOD
    who = "all" if len(victims) > 1 else f"number {there.index(victims[0])}" if victims else "none"
    return [f"killed {who} of {len(there)}: {fault}" for fault in what_is_wrong(lab, statuses)]


def _interrupt(lab: Lab, chance: random.Random, span: float, runs: bool = False) -> list[str]:
    _wait_for_a_moment(lab, chance, span)
    number = chance.choice(
        [signal.SIGINT, signal.SIGTERM, signal.SIGHUP] if runs else [signal.SIGINT]
    )
    send(lab.process.pid, number)
    statuses = [0, 130, 128 + number, -number]
    return [f"{number.name}: {fault}" for fault in what_is_wrong(lab, statuses)]


def _wait_for_a_moment(lab: Lab, chance: random.Random, span: float) -> None:
    moment = time.monotonic() + chance.uniform(0, span)
    while time.monotonic() < moment:
        lab.look()
        time.sleep(0.01)


def _in_a_run(act: Callable[[Lab], list[str]]) -> list[str]:
    """Do that to a run under a light load; what it collected must be in its CSV or be recovered."""
    before = kept_files()
    with tempfile.TemporaryDirectory(prefix="labkit-soak-") as folder:
        csv = Path(folder, "run.csv")
        with labkit.exec_storm(rate=200):
            lab = Lab([*LAB, "run", "percpu", "--seconds", "2", "--csv", str(csv)])
            try:
                faults = act(lab)
                killed, printed = lab.process.poll() == DIED, lab.out
            finally:
                lab.end()
        left = newly_kept(before)
        faults += _what_is_lost(left, csv, killed, printed)
    for run in left:
        run.discard_file()
    return faults + next_call_works()


def _what_is_lost(left: list[Run], csv: Path, killed: bool, printed: str) -> list[str]:
    """Whoever was killed leaves the run's file; whoever was not has written the CSV."""
    shown = sum(line.startswith("[") and "PID:" in line for line in printed.splitlines())
    kept = [run.table for run in left] + ([labkit.read_csv(csv)] if csv.exists() else [])
    faults = []
    if left and not killed and csv.exists():
        faults.append(f"the run's file stays though its CSV is there: {left[0].file}")
    if shown and not kept:
        faults.append(f"{shown} events were shown, and nothing is kept")
    for frame in kept:
        if len(frame) < shown:
            faults.append(f"{shown} events were shown, {len(frame)} are kept")
        if not frame.data_ok.all():
            faults.append("events are kept that are not whole")
    return faults
