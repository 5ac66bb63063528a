"""An exec storm, and what the lab and its peers see of it."""

from __future__ import annotations

import contextlib
import csv
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from labkit.claims import minimal_elf
from labkit.errors import MachineError
from tools import installing, processes
from tools.bench import peers
from tools.bench.compare import Bar, Table
from tools.bench.verdict import PRINT

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 5.0
QUIET = 2.0  # seconds after the storm, for those who lag
START_LIMIT = 60.0
SETTLE = 3.0
NAME = f"storm{os.getpid()}"  # of the program that the storm starts: nobody else's
RUN, COLLECT, EXECSNOOP, BPFTRACE = "./lab run", "labkit.collect()", "execsnoop", "bpftrace"
COLLECTING = f"""
import labkit
run = labkit.collect("percpu")
print("seen", int((run.table.comm == {NAME!r}).sum()))
"""


@dataclass(frozen=True)
class Watcher:
    """One that watches execs: its command, and how many it saw, from what it printed."""

    name: str
    command: Sequence[str]
    seen: Callable[[bytes], int]
    lacks: str = ""


@dataclass(frozen=True)
class Seen:
    """What came of one storm: execs that there were, that were seen, seconds of CPU for it."""

    execs: int
    seen: int
    cpu: float


def watchers(folder: Path) -> list[Watcher]:
    """Return those that take part. ``./lab run`` is counted by its CSV: all that it kept."""
    table = folder / "run.csv"
    execsnoop = installing.found("execsnoop") or "/usr/sbin/execsnoop"
    lab = [sys.executable, "-m", "labkit", "run", "percpu", "--csv", str(table)]
    return [
        Watcher(RUN, lab, lambda _printed: _rows(table)),
        Watcher(COLLECT, [sys.executable, "-c", COLLECTING], _told),
        Watcher(
            EXECSNOOP,
            [execsnoop],
            lambda printed: len(re.findall(rb"(?m)^" + NAME.encode(), printed)),
            "" if Path(execsnoop).exists() else f"libbpf-tools missing {peers.HINT}",
        ),
        Watcher(
            BPFTRACE,
            [installing.found("bpftrace") or "bpftrace", "-e", PRINT],
            lambda printed: len(re.findall(rb"\d " + NAME.encode(), printed)),
            peers.lacking("bpftrace"),
        ),
    ]


def _rows(table: Path) -> int:
    with table.open(newline="") as lines:
        return sum(row["comm"] == NAME for row in csv.DictReader(lines))


def _told(printed: bytes) -> int:
    told = re.search(rb"^seen (\d+)$", printed, re.M)
    if told is None:
        raise MachineError(f"collect() ended with: {printed[-300:]!r}", "./lab check")
    return int(told[1])


@contextlib.contextmanager
def started(command: Sequence[str], printed: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a watcher and wait until its program is attached; at the end none of it is left."""
    with printed.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT)
    try:
        _wait_until_attached(process)
        yield process
    finally:
        for pid in processes.tree(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def _wait_until_attached(process: subprocess.Popen[bytes]) -> None:
    """Wait until it holds a BPF program, and SETTLE seconds more, for it to attach that."""
    end = time.monotonic() + START_LIMIT
    since = 0.0
    while not since or time.monotonic() < since + SETTLE:
        if process.poll() is not None or time.monotonic() > end:
            raise MachineError(f"{process.args!r} attached nothing", "./lab check")
        if not since and processes.programs_of(processes.tree(process.pid)):
            since = time.monotonic()
        time.sleep(0.1)


def watch(one: Watcher, program: str, seconds: float, folder: Path) -> Seen:
    """Let one of them watch a storm."""
    loop = [sys.executable, "-I", "-S", str(Path(__file__).with_name("exec_loop.py"))]
    loop += [str(seconds), program, *map(str, sorted(os.sched_getaffinity(0)))]
    printed = folder / "printed"
    with started(one.command, printed) as process:
        before = processes.cpu_seconds(processes.tree(process.pid))
        storm = subprocess.run(loop, capture_output=True, text=True, check=True)
        time.sleep(QUIET)
        cpu = processes.cpu_seconds(processes.tree(process.pid)) - before
        process.send_signal(signal.SIGINT)
        process.wait(120)
    return Seen(int(storm.stdout), one.seen(printed.read_bytes()), cpu)


def measure(rounds: int, say: Callable[[str], object], seconds: float = SECONDS) -> list[Table]:
    """Measure them in turn, each under a storm of its own."""
    with tempfile.TemporaryDirectory(prefix="labkit-bench-") as name:
        folder = Path(name)
        program = folder / NAME
        program.write_bytes(minimal_elf.image(platform.machine()))
        program.chmod(0o755)
        everyone = watchers(folder)
        here = [one for one in everyone if not one.lacks]
        seen: dict[str, list[Seen]] = {one.name: [] for one in here}
        for number in range(rounds):
            for one in here:
                result = watch(one, str(program), seconds, folder)
                seen[one.name].append(result)
                say(f"round {number + 1}/{rounds}: {one.name}: {result}")
    return _tables(seen, {one.name: one.lacks for one in everyone if one.lacks}, seconds)


def _tables(seen: dict[str, list[Seen]], lacking: dict[str, str], seconds: float) -> list[Table]:
    how = (
        f"{seconds:g} seconds of the smallest program there is, started and waited for by one loop"
        f" on each CPU, as fast as it goes; {QUIET:g} seconds to catch up. Lost is what the loops"
        " started and the watcher does not have."
    )
    columns: dict[str, Callable[[Seen], float]] = {
        "execs per second": lambda one: one.execs / seconds,
        "lost, of 100": lambda one: 100 * (one.execs - one.seen) / one.execs,
        "µs of CPU per event": lambda one: 1e6 * one.cpu / one.execs,
    }
    made = {
        unit: Table(
            f"The exec storm: {unit}",
            how,
            unit,
            {name: list(map(of, results)) for name, results in seen.items()},
            lacking,
        )
        for unit, of in columns.items()
    }
    rate, lost, cpu = made.values()
    for ours in (RUN, COLLECT):
        lost.bars.append(Bar(f"lost by {ours}", lost.figures[ours], 0))
        cpu.ratio(ours, EXECSNOOP, 1.0)
    return [rate, lost, cpu]
