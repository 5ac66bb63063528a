"""``%%bpf``: a cell whose body is BPF C. Load it once with ``%load_ext labkit.magic``.

    %%bpf mine -D SMALL --lift
    #include "exec_event.h"
    TRACEPOINT_PROBE(sched, sched_process_exec) { return 0; }

The report appears below the cell, and here is also the variable ``mine``. ``%%bpf`` is line 1, so
the line numbers in messages are those that JupyterLab shows beside the cell.
"""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Any, NoReturn

from labkit.building.build import build, checked_define
from labkit.building.report import BuildReport
from labkit.collecting.collection import collect
from labkit.errors import UsageError
from labkit.notebook import unmade
from labkit.program.variants import Variant
from labkit.show import pictures

if TYPE_CHECKING:
    from labkit.collecting.run import Run

USAGE = "%%bpf [NAME] [-D WORD[=VALUE]]... [--lift] [--run SECONDS]"
NEEDED_TO_RUN = ("events", "counters")  # the maps that a collection reads


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; a cell starts with {USAGE}")


def _parser() -> _Parser:
    parser = _Parser(prog="%%bpf", add_help=False)
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("-D", dest="defines", action="append", default=[])
    parser.add_argument("--lift", action="store_true")
    parser.add_argument("--run", type=float, metavar="SECONDS")
    return parser


def parse_line(line: str) -> argparse.Namespace:
    """Return name, defines, lift and run of the magic's own line. Raises UsageError."""
    try:
        options = _parser().parse_args(shlex.split(line))
    except ValueError as error:  # a quote that is not closed
        raise UsageError(f"{error}; a cell starts with {USAGE}") from None
    if options.name and not options.name.isidentifier():
        raise UsageError(f"{options.name!r} cannot name a variable; a cell starts with {USAGE}")
    options.defines = [checked_define(word) for word in options.defines]
    return options


def cell_variant(line: str, body: str) -> Variant:
    """Return the program in a cell. The magic's own line counts as line 1 of the source."""
    options = parse_line(line)
    return Variant(
        options.name or "cell",
        "\n" + body,
        "a cell of the notebook",
        defines=tuple(options.defines),
        lifted=options.lift,
    )


def build_cell(line: str, body: str) -> BuildReport | Run:
    """Build the program in a cell; with ``--run`` also attach it and collect its events."""
    variant = cell_variant(line, body)
    seconds = parse_line(line).run
    report = build(variant)
    if seconds is None or not report.accepted:
        return report
    return _collected(variant, report, seconds)


def _collected(variant: Variant, report: BuildReport, seconds: float) -> Run:
    missing = [name for name in NEEDED_TO_RUN if name not in report.maps]
    if missing:
        raise UsageError(f"--run needs the maps {' and '.join(NEEDED_TO_RUN)}; missing: {missing}")
    run = collect(variant, seconds=seconds)
    if run.problem and not len(run):
        run.discard_file()
        raise UsageError(
            f"{run.problem}: --run reads struct big_event; give its sizes with -D, not with #define"
        )
    return run


def load_ipython_extension(shell: Any) -> None:
    """Register ``%%bpf`` and how tables, pictures and missing names are shown; for %load_ext."""

    def bpf(line: str, cell: str) -> BuildReport | Run:
        """%%bpf [NAME] [-D WORD[=VALUE]]... [--lift] [--run SECONDS]: build this cell's C."""
        result = build_cell(line, cell)
        name = parse_line(line).name
        if name:
            shell.user_ns[name] = result
        return result

    pictures.register(shell)
    unmade.watch(shell)
    shell.register_magic_function(bpf, "cell", "bpf")
