"""From asking to verdict: labkit's warm worker against bare bcc in a fresh interpreter.

The two take turns in one run, so that a machine whose speed drifts slows both. "Bare bcc" is what
an attendee would write without the lab, ``BPF(text=...)`` of the same program in a new process,
with the kernel headers of the distribution where they are installed. Where they are not, bcc cannot
compile at all; then it gets the lab's own small tree, and the table says so.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import labkit
from labkit import cli, session, status
from labkit.building.build import machine_has_headers
from labkit.building.report import ACCEPTED
from labkit.errors import MachineError

ROOT = Path(__file__).resolve().parents[1]

# What a first program with bcc looks like: compile, load, attach. -I finds the lab's own header.
BARE = """
import sys
from bcc import BPF
BPF(text=open(sys.argv[1]).read(), cflags=sys.argv[2:])
"""


def bare_bcc(python: str) -> float:
    """Return the seconds bare bcc takes for the good variant, with interpreter and import."""
    environment = dict(os.environ)
    flags = [f"-I{ROOT / 'bpf'}"]
    if not machine_has_headers():
        environment["BCC_KERNEL_SOURCE"] = str(ROOT / "bpf" / "headers")
        flags.append(f"-DPAGE_SIZE={os.sysconf('SC_PAGE_SIZE')}")
    words = [python, "-c", BARE, str(ROOT / "bpf" / "exec_events.c"), *flags]
    started = time.perf_counter()
    subprocess.run(words, env=environment, check=True)
    return time.perf_counter() - started


def warm_labkit() -> float:
    """Return the seconds from asking a warm process to a parsed verdict."""
    started = time.perf_counter()
    report = labkit.build("percpu")
    report.verifier_log.statistics  # noqa: B018  the verdict includes reading the log
    if report.outcome != ACCEPTED:
        raise MachineError(report.reason or report.outcome, report.explain().change)
    return time.perf_counter() - started


def compare(rounds: int) -> int:
    """Time both in turn and print the medians, the spread and the ratio pair by pair."""
    python = session.shared().python
    warm_labkit()
    bare_bcc(python)
    pairs = [(warm_labkit(), bare_bcc(python)) for _ in range(rounds)]
    whose = (
        "the distribution's headers"
        if machine_has_headers()
        else "the lab's headers (none installed)"
    )
    print(f"{rounds} rounds in turn, seconds; bare bcc with {whose}")
    for name, times in zip(("labkit, warm", "bare bcc"), zip(*pairs, strict=True), strict=True):
        low, middle, high = min(times), statistics.median(times), max(times)
        print(f"{name:<14} min {low:.3f}   median {middle:.3f}   max {high:.3f}")
    ratios = [warm / bare for warm, bare in pairs]
    print(f"labkit / bare bcc, pair by pair: median {statistics.median(ratios):.2f}")
    print(f"                   min {min(ratios):.2f}, max {max(ratios):.2f}")
    return status.ACCEPTED_STATUS


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status."""
    parser = argparse.ArgumentParser(
        prog="./lab bench",
        description="Time a build against bare bcc, side by side.",
        epilog="example: sudo ./lab bench --rounds 30",
    )
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each (default 15)")
    options = parser.parse_args(words)
    if options.rounds < 1:
        parser.error(f"--rounds needs 1 or more, not {options.rounds}")
    return cli.exit_status(lambda: compare(options.rounds))


if __name__ == "__main__":
    sys.exit(main())
