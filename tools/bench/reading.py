"""A verifier's log and the notebooks: what there is no peer to compare with, but a time to keep."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import labkit
from labkit import verifier_log
from tools import render
from tools.bench.compare import Bar, Contender, Table, in_turn
from tools.bench.tables import timed

MEGABYTES = 10.0


def a_large_log() -> str:
    """Return a real log of this machine's verifier, its walk repeated to MEGABYTES."""
    text: str = labkit.build("percpu").verifier_text
    walk, total = text.rsplit("processed ", 1)
    return walk * (int(MEGABYTES * 1e6) // len(walk) + 1) + "processed " + total


def measure_log(rounds: int, say: Callable[[str], object]) -> list[Table]:
    """Measure how fast a large log is read."""
    text = a_large_log()
    parsed = verifier_log.parse(text)
    with tempfile.TemporaryDirectory(prefix="labkit-bench-") as folder:
        file = Path(folder, "large.log")
        file.write_text(text)
        explain = [sys.executable, "-m", "labkit", "explain", str(file)]
        run = partial(subprocess.run, explain, capture_output=True, check=False)
        contenders = [
            Contender("parsed", lambda: timed(lambda: verifier_log.parse(text).statistics)),
            Contender("its table", lambda: timed(lambda: _table(verifier_log.parse(text)))),
            Contender("./lab explain", lambda: timed(run)),
        ]
        figures, missing = in_turn(contenders, rounds, say)
    size = len(text) / 1e6
    how = (
        f"A log of {size:.1f} MB, {len(parsed.lines):,} lines: what the verifier says of the"
        " per-CPU variant here, its walk again and again."
    )
    table = Table("A large log", how, "MB per second", {}, missing)
    for name, values in figures.items():
        table.figures[name] = [size / seconds for seconds in values]
    for name, limit in (("./lab explain", 1.0), ("its table", 2.0)):
        ten = [10 * seconds / size for seconds in figures[name]]
        table.bars.append(Bar(f"10 MB, {name}: seconds", ten, limit))
    return [table]


def _table(log: verifier_log.VerifierLog) -> object:
    return log.table


def measure_notebooks(rounds: int, say: Callable[[str], object]) -> list[Table]:
    """Measure how long each notebook takes to run from its first cell to its last."""
    figures: dict[str, list[float]] = {}
    for number in range(rounds):
        for path in sorted(render.NOTEBOOKS.glob("*.ipynb")):
            figures.setdefault(path.name, []).append(timed(partial(render.execute, path)))
            say(f"round {number + 1}/{rounds}: {path.name}: {figures[path.name][-1]:.1f}")
    how = "Every cell in order, in a kernel of its own, its start included."
    return [Table("The notebooks, from the first cell to the last", how, "seconds", dict(figures))]
