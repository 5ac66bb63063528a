"""The terminal's commands: thin lines over the same functions that the notebooks call.

Exit status: 0 accepted, 1 refused by a gate, 2 wrong use, 3 this machine cannot.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence

from labkit.errors import BuildRefused, LabError, UsageError
from labkit.program.variants import VARIANTS
from labkit.status import (
    ACCEPTED_STATUS,
    MACHINE_STATUS,
    REFUSED_STATUS,
    USAGE_STATUS,
    progress,
    say_machine,
    status_of,
)


def command_check(options: argparse.Namespace) -> int:
    """Run ``check``."""
    from labkit.checklist import check
    from labkit.collecting.folders import notice

    found = check()
    print(json.dumps(found.to_json(), indent=2) if options.json else found)
    print(notice(), file=sys.stderr, end="")
    lacking = [row for row in found if row.ok is False]
    for row in lacking:
        print(f"{row.name}: {row.found}\n  To mend it: {row.mend}", file=sys.stderr)
    return MACHINE_STATUS if lacking else ACCEPTED_STATUS


def command_build(options: argparse.Namespace) -> int:
    """Run ``build``."""
    from labkit.building.build import build
    from labkit.show import terminal

    progress(f"building {options.variant}")
    report = build(options.variant, defines=options.define)
    print(json.dumps(report.to_json(), indent=2) if options.json else terminal.report(report))
    say_machine(report)
    return status_of(report)


def command_run(options: argparse.Namespace) -> int:
    """Run ``run``."""
    from labkit import run_command

    return run_command.command_run(options)


def command_explain(options: argparse.Namespace) -> int:
    """Run ``explain``."""
    from labkit import explain_command

    return explain_command.command_explain(options)


def command_prove(options: argparse.Namespace) -> int:
    """Run ``prove``: 0 if every claim could be told here, whatever the verdict; 3 if none could."""
    from labkit import claims
    from labkit.claims.claim import NOT_HERE

    if options.list:
        print("\n".join(f"{name:<14} {one.sentence}" for name, one in claims.CLAIMS.items()))
        return ACCEPTED_STATUS
    results = claims.prove(*options.names, progress=_progress_bar)
    print(json.dumps(results.to_json(), indent=2) if options.json else results)
    told = any(result.verdict != NOT_HERE for result in results)
    return ACCEPTED_STATUS if told else MACHINE_STATUS


def command_record(options: argparse.Namespace) -> int:
    """Run ``record``."""
    from labkit import survey_command

    return survey_command.command_record(options)


def command_compare(options: argparse.Namespace) -> int:
    """Run ``compare``."""
    from labkit import survey_command

    return survey_command.command_compare(options)


def command_ready(options: argparse.Namespace) -> int:
    """Run ``ready``."""
    from labkit import survey_command

    return survey_command.command_ready(options)


def _progress_bar(done: int, total: int, name: str) -> None:
    if sys.stderr.isatty():
        bar = "#" * done + "." * (total - done)
        end = "" if name else "\n"
        print(f"\r[{bar}] {done}/{total} {name:<16}", end=end, file=sys.stderr, flush=True)


def command_reset(options: argparse.Namespace) -> int:
    """Run ``reset``."""
    from labkit import reset_command

    return reset_command.command_reset(options)


# Name, what it does, an example of it.
COMMANDS = (
    ("check", "what this machine has and lacks", "./lab check"),
    ("build", "build a variant and show both gates", "sudo ./lab build stack --json"),
    (
        "run",
        "attach a variant and print each exec, until Ctrl-C",
        "sudo ./lab run percpu --seconds 10 --csv execs.csv",
    ),
    (
        "explain",
        "explain a verifier's log from any tool: 0 explained, 1 not known",
        "sudo bpftool prog load x.o /sys/fs/bpf/x 2>&1 | ./lab explain -",
    ),
    (
        "prove",
        "measure what is claimed of per-CPU arrays, and judge it",
        "sudo ./lab prove cost zero_copy --json",
    ),
    (
        "record",
        "try every program and claim on this machine, and write down what came of it",
        "sudo ./lab record --quick --json mine.json",
    ),
    (
        "compare",
        "set records of machines side by side; needs no rights",
        "./lab compare class/*.json --picture class.png --csv class.csv",
    ),
    (
        "ready",
        "whether this machine is ready for the workshop, with a code to read out",
        "sudo ./lab ready --json mine.json",
    ),
    ("reset", "delete what runs and exercises left, after asking", "sudo ./lab reset"),
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; each one's help ends with an example."""
    from labkit import explain_command, reset_command, survey_command

    top = argparse.ArgumentParser(
        prog="./lab",
        description="See on your own kernel why big local variables do not load in eBPF.",
        epilog="exit status: 0 accepted, 1 refused by a gate, 2 wrong use, 3 this machine cannot",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    made = {
        name: commands.add_parser(
            name, help=purpose, description=purpose, epilog=f"example: {example}"
        )
        for name, purpose, example in COMMANDS
    }
    for name, command in made.items():
        command.set_defaults(function=globals()[f"command_{name}"])
    explain_command.add_options(made["explain"])
    survey_command.add_record_options(made["record"])
    survey_command.add_ready_options(made["ready"])
    survey_command.add_compare_options(made["compare"])
    reset_command.add_options(made["reset"])
    made["prove"].add_argument("names", nargs="*", metavar="NAME", help="only these (default: all)")
    made["prove"].add_argument(
        "--list", action="store_true", help="name the claims and measure nothing"
    )
    for name in ("check", "build", "prove"):
        made[name].add_argument("--json", action="store_true", help="print JSON instead of text")
    for name in ("build", "run"):
        _take_a_variant(made[name])
    _take_how_to_run(made["run"])
    return top


def _take_a_variant(command: argparse.ArgumentParser) -> None:
    names = "; ".join(f"{v.name}: {v.purpose}" for v in VARIANTS.values())
    command.add_argument("variant", choices=VARIANTS, metavar="VARIANT", help=names)
    command.add_argument(
        "-D",
        dest="define",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="hand a define to the compiler, for instance -D BAD_EXAMPLE_STACK",
    )


def _take_how_to_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds")
    run.add_argument("--csv", metavar="FILE", help="write the events to FILE at the end")
    run.add_argument(
        "--quiet", action="store_true", help="print no events: how many there are, and their rate"
    )


def main(words: Sequence[str] | None = None) -> int:
    """Run a command. Return its exit status; no error ends in a traceback."""

    def command() -> int:
        options = parser().parse_args(words)
        return int(options.function(options))

    return exit_status(command)


def exit_status(command: Callable[[], int]) -> int:
    """Run a command and return its exit status; what it raises becomes a line and a status."""
    try:
        return command()
    except UsageError as error:
        return _fail(error, USAGE_STATUS)
    except BuildRefused as error:
        return _fail(error, REFUSED_STATUS)
    except LabError as error:
        return _fail(error, MACHINE_STATUS)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:  # the reader of a pipe has enough: `./lab run percpu | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ACCEPTED_STATUS


def _fail(reason: object, status: int) -> int:
    print(f"lab: {reason}", file=sys.stderr)
    return status
