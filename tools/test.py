"""``./lab test``: linters, types, layers and tests. One that fails does not stop the others.

Without options the tests run in two passes: two files at a time, then one by one what needs a
browser, measures, or keeps the kernel busy for long. With options pytest runs once, with them.
``--fast`` leaves out what is marked ``browser`` or ``slow``. Exit status: 0 if all passed, else 1.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ALONE = "browser or (live and slow)"  # markers of what must not share the processors
LEFT_OUT = "browser or slow"  # with --fast
TWO = ("-n", "2", "--dist", "loadfile")  # tests of one file share what they have made
HELP = """usage: ./lab test [--fast] [OPTIONS]

Run ruff, mypy, lint-imports and pytest. --fast: without the tests marked browser or slow.
All other OPTIONS go to pytest as they are, which then runs once.

example: sudo ./lab test tests/test_repository.py -k lock"""


LAYERS = "from importlinter.cli import lint_imports_command as check; check()"  # it has no -m


def plan(fast: bool, options: Sequence[str]) -> dict[str, list[str]]:
    """Return the steps in their order: what each gives to Python."""
    pytest = ["-m", "pytest"]
    steps = {
        "ruff check": ["-m", "ruff", "check", "."],
        "ruff format": ["-m", "ruff", "format", "--check", "."],
        "mypy": ["-m", "mypy"],
    }
    if "[tool.importlinter]" in (ROOT / "pyproject.toml").read_text():
        steps["lint-imports"] = ["-c", LAYERS]
    if options:
        left_out = ["-m", f"not ({LEFT_OUT})"] if fast else []
        return {**steps, "pytest": [*pytest, *left_out, *options]}
    kept = f" and not ({LEFT_OUT})" if fast else ""
    steps["pytest, two at a time"] = [*pytest, *TWO, "-m", f"not ({ALONE}){kept}"]
    steps["pytest, one by one"] = [*pytest, "-m", f"({ALONE}){kept}"]
    return steps


class Interrupted(Exception):
    """Somebody has had enough."""


def run(words: list[str]) -> int:
    """Run Python to its end; return its status. Raises Interrupted where somebody stopped it."""
    told: list[int] = []
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    with subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environment) as child:

        def stop(sign: int, _frame: object) -> None:
            told.append(sign)
            if sign != signal.SIGINT:  # which a terminal gives to the child as well
                child.send_signal(signal.SIGINT)  # pytest ends in good order by it

        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(sign) is not signal.SIG_IGN:
                signal.signal(sign, stop)
        status = child.wait()
    if told:
        raise Interrupted
    return status


def main(words: Sequence[str] | None = None) -> int:
    """Run all steps and sum them up. Return the exit status."""
    options = list(sys.argv[1:] if words is None else words)
    if {"-h", "--help"} & {*options}:
        print(HELP)
        return 0
    steps = plan("--fast" in options, [word for word in options if word != "--fast"])
    summary, failed = [], []
    for name, command in steps.items():
        print(f"== {name}", file=sys.stderr, flush=True)
        began = time.monotonic()
        try:
            status = run(command)
        except Interrupted:
            print(f"interrupted: {name}", file=sys.stderr)
            return 130
        failed += [name] if status else []
        sign = "FAILED" if status else "ok"
        summary.append(f"{sign:<7} {name:<22} {time.monotonic() - began:6.1f} s")
    print("==", *summary, sep="\n", file=sys.stderr)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
