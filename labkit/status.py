"""Exit states of the terminal's commands, and what all of them say on stderr."""

from __future__ import annotations

import sys

from labkit.building.report import ACCEPTED, HOST_REFUSED, WORKER_DIED, BuildReport

ACCEPTED_STATUS, REFUSED_STATUS, USAGE_STATUS, MACHINE_STATUS = 0, 1, 2, 3


def status_of(report: BuildReport) -> int:
    """Return the exit status that tells a report's outcome."""
    if report.outcome == ACCEPTED:
        return ACCEPTED_STATUS
    return MACHINE_STATUS if report.outcome in (HOST_REFUSED, WORKER_DIED) else REFUSED_STATUS


def progress(text: str) -> None:
    """Say on a terminal what is being waited for."""
    if sys.stderr.isatty():
        print(f"{text} ...", file=sys.stderr, flush=True)


def say_machine(report: BuildReport) -> None:
    """Say on stderr why this machine cannot, and the command that mends it."""
    if status_of(report) == MACHINE_STATUS:
        print(f"{report.reason}\n  To mend it: {report.explain().change}", file=sys.stderr)
