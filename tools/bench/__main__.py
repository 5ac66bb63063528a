"""The command: measure what is asked for, print it, and after a whole run write it to docs/."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from labkit import cli, session
from labkit.status import ACCEPTED_STATUS
from tools.bench import peers
from tools.bench.compare import Table

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = ROOT / "docs" / "benchmarks.md"

# Modules and functions by name: --help needs none of what they import.
SECTIONS = {
    "verdict": ("verdict", "measure"),
    "storm": ("storm", "measure"),
    "table": ("tables", "measure_table"),
    "files": ("tables", "measure_files"),
    "log": ("reading", "measure_log"),
    "notebooks": ("reading", "measure_notebooks"),
}


def measure(name: str, rounds: int, say: Callable[[str], object]) -> list[Table]:
    """Measure one section."""
    module, function = SECTIONS[name]
    measured: list[Table] = getattr(import_module(f"tools.bench.{module}"), function)(rounds, say)
    return measured


def machine() -> dict[str, str]:
    """Return what decides the figures: processor, memory, kernel, versions, other load."""
    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    told = session.shared().versions
    return {
        "processor": f"{model[1] if model else platform.machine()}, {os.cpu_count()} CPUs",
        "memory": f"{memory:.0f} GiB",
        "load before": f"{os.getloadavg()[0]:.1f} (1 minute's average)",
        **told,
        "pandas": version("pandas"),
        "pyarrow": version("pyarrow"),
        **peers.versions(),
    }


def missed(measured: Sequence[Table]) -> str:
    """Return what misses its target, a line each."""
    lines = [f"- {one.title}: {bar.name}" for one in measured for bar in one.bars if not bar.met]
    return "\n".join(["## What misses its target", "", *(lines or ["Nothing."]), ""])


def document(about: dict[str, str], measured: Sequence[Table], rounds: int) -> str:
    """Return all of it as Markdown."""
    day = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    head = (
        f"# Benchmarks\n\nWritten by `sudo ./lab bench` on {day}; do not edit. Everyone ran once in"
        f" each round; rounds: {rounds}. Ratios are taken round by round. Times of another"
        " machine say little, ratios more.\n\n| | |\n|---|---|"
    )
    rows = [f"| {name} | {value} |" for name, value in about.items()]
    return "\n".join([head, *rows, "", *(one.markdown() for one in measured), missed(measured)])


def run(names: Sequence[str], rounds: int, install: bool) -> int:
    """Measure those sections; print them, and write them if they are all there are."""

    def say(words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    if install:
        peers.install(say)
    about = machine()
    measured: list[Table] = []
    for name in names or SECTIONS:
        say(f"== {name}")
        measured += measure(name, rounds, say)
    text = document(about, measured, rounds)
    print(text)
    if not names:
        WRITTEN.write_text(text)
        say(f"wrote {WRITTEN}")
    return ACCEPTED_STATUS


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status."""
    parser = argparse.ArgumentParser(
        prog="./lab bench",
        description="Measure the lab beside its peers, in turn, and write docs/benchmarks.md.",
        epilog="example: sudo ./lab bench --only verdict --only storm --rounds 3",
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (default 5)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=SECTIONS,
        metavar="NAME",
        help=f"only this one ({', '.join(SECTIONS)}); may be repeated; prints and writes nothing",
    )
    parser.add_argument(
        "--install-peers",
        action="store_true",
        help=f"install what is compared with: {', '.join(peers.PACKAGES)}, kernel headers",
    )
    options = parser.parse_args(words)
    if options.rounds < 1:
        parser.error(f"--rounds needs 1 or more, not {options.rounds}")
    return cli.exit_status(lambda: run(options.only, options.rounds, options.install_peers))


if __name__ == "__main__":
    sys.exit(main())
