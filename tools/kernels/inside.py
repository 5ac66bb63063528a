"""What runs on each kernel: the lab's record of it, and the logs of what it refused.

    .venv/bin/python -m tools.kernels.inside FOLDER [all|quick|none]

It leaves in the folder: record.json (as ./lab record makes it) and logs/, named as in tests/logs.
The word says which claims are measured, as ./lab record --claims has it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from labkit import survey
from labkit.building.report import BuildReport

CLAIMS = ("all", "quick", "none")


class Progress:
    """Tells how far it is, a line a step; on a guest's console its first word is looked for."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def __call__(self, done: int, total: int, name: str) -> None:
        """Tell the step that begins."""
        print(f"lab: {time.monotonic() - self.began:.0f} s, {done}/{total} {name}", flush=True)


class Logs:
    """Writes what compiler and verifier printed of each build, a file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def __call__(self, report: BuildReport) -> None:
        """Write the logs of a report."""
        for gate, text in (("", report.verifier_text), ("compiler_", report.compiler_log)):
            if text:
                (self.folder / f"{gate}{report.variant}.log").write_text(text)


def main(words: Sequence[str] | None = None) -> int:
    """Make the record. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.kernels.inside")
    parser.add_argument("folder", type=Path)
    parser.add_argument("claims", nargs="?", default="all", choices=CLAIMS)
    options = parser.parse_args(words)
    options.folder.mkdir(exist_ok=True)
    found = survey.record(
        Progress(),
        claims=options.claims,
        built=Logs(options.folder / "logs"),
    )
    found.write(options.folder / "record.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
