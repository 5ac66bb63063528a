"""The command: each fault as often as asked for; what is found, with the words that repeat it."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple

from labkit import cli
from labkit.errors import MachineError
from labkit.status import ACCEPTED_STATUS


class Fault(NamedTuple):
    """One kind of fault: the module of its function, how often in a long soak, in a short one."""

    module: str
    often: int
    short: int = 1
    only_by_name: bool = False  # disturbs whatever else this machine does


FAULTS = {
    "kill_in_a_build": Fault("moments", 100, 3),
    "kill_in_a_run": Fault("moments", 100, 3),
    "interrupt_a_build": Fault("moments", 100, 3),
    "interrupt_a_run": Fault("moments", 100, 3),
    "full_disk": Fault("machines", 3),
    "full_disk_for_the_csv": Fault("machines", 3),
    "unwritable_folders": Fault("machines", 3),
    "garbled_reply": Fault("workers", 100, 4),
    "cut_reply": Fault("workers", 50, 3),
    "enormous_reply": Fault("workers", 10),
    "endless_compile": Fault("workers", 3),
    "cannot_attach": Fault("workers", 3),
    "no_bcc": Fault("machines", 1),
    "no_python": Fault("machines", 1),
    "wrong_bcc": Fault("machines", 1),
    "no_tracefs": Fault("machines", 3),
    "not_root": Fault("machines", 1),
    "root_with_less": Fault("machines", 1),
    "two_labs": Fault("machines", 10),
    "hostile_names": Fault("names", 10),
    "cpu_offline": Fault("machines", 3, only_by_name=True),
}


def function(name: str) -> Callable[[random.Random], list[str]]:
    """Return what makes one fault happen, and returns what was wrong with what came of it."""
    found: Callable[[random.Random], list[str]] = getattr(
        import_module(f"tools.soak.{FAULTS[name].module}"), name
    )
    return found


def soak(name: str, trials: Sequence[int], seed: int) -> list[str]:
    """Have one fault happen, once for each number; return what was wrong, and how to repeat it.

    A trial's chance hangs on the seed and its own number alone.
    """
    wrong = []
    for number in trials:
        faults = function(name)(random.Random(f"{seed}:{name}:{number}"))
        again = f"./lab soak --only {name} --seed {seed} --trial {number}"
        wrong += [f"{fault}\n      again: {again}" for fault in faults]
    return wrong


def run(options: argparse.Namespace) -> int:
    """Soak as the options say, and tell what came of it. Return the exit status."""
    if os.geteuid() != 0:
        raise MachineError("faults are made on purpose by root", "sudo ./lab soak")
    print(f"seed {options.seed}", flush=True)
    total = trials = 0
    for name in options.only or [name for name, one in FAULTS.items() if not one.only_by_name]:
        often = options.rounds or FAULTS[name].often
        numbers = [options.trial] if options.trial is not None else range(often)
        began = time.monotonic()
        wrong = soak(name, numbers, options.seed)
        total, trials = total + len(wrong), trials + len(numbers)
        told = f"{len(wrong)} wrong" if wrong else "nothing wrong"
        print(f"{name:<22} {len(numbers):4} trials  {time.monotonic() - began:6.1f} s  {told}")
        print(*(f"    {one}" for one in wrong), sep="\n", end="\n" if wrong else "", flush=True)
    print(f"{trials} trials, {total or 'nothing'} wrong")
    return 1 if total else ACCEPTED_STATUS


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status: 1 if anything was wrong."""
    parser = argparse.ArgumentParser(
        prog="./lab soak",
        description="Make things go wrong, hundreds of times: the lab must say what to do, keep"
        " what it collected, and leave nothing loaded. Takes about an hour.",
        epilog="example: sudo ./lab soak --only kill_in_a_run --rounds 20",
    )
    parser.add_argument("--rounds", type=int, default=0, help="trials of each (default: its own)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=FAULTS,
        metavar="NAME",
        help=f"only this one, may be repeated: {', '.join(FAULTS)}."
        " cpu_offline happens only when named: it takes a CPU from all that runs",
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="repeat a soak")
    parser.add_argument("--trial", type=int, help="only the trial of that number")
    options = parser.parse_args(words)
    if options.rounds < 0:
        parser.error(f"--rounds needs 1 or more, not {options.rounds}")
    return cli.exit_status(lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
