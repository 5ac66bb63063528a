"""``./lab record``, ``./lab compare`` and ``./lab ready``: the terminal's side of labkit.survey."""

from __future__ import annotations

import argparse
import sys
import time

from labkit.status import ACCEPTED_STATUS, MACHINE_STATUS, USAGE_STATUS


def add_record_options(command: argparse.ArgumentParser) -> None:
    """Add what ``./lab record`` takes."""
    command.add_argument("--json", metavar="FILE", help="write the record to FILE as well")
    command.add_argument(
        "--quick", action="store_true", help="leave out the claims that take a load"
    )
    command.add_argument(
        "--claims", metavar="WHICH", help="all, quick, none, or names with commas between them"
    )
    command.add_argument(
        "--budget",
        type=float,
        metavar="SECONDS",
        help="begin no claim and no collection after so many seconds; the record says so",
    )
    command.add_argument("--name", default="", help="a label for this machine, no more")


def add_compare_options(command: argparse.ArgumentParser) -> None:
    """Add what ``./lab compare`` takes."""
    command.add_argument(
        "files", nargs="+", metavar="FILE", help="what ./lab record --json wrote; or a folder"
    )
    command.add_argument("--csv", metavar="FILE", help="write a row a cell to FILE")
    command.add_argument("--picture", metavar="FILE", help="draw it to FILE.png")
    command.add_argument("--markdown", metavar="FILE", help="write tables to FILE.md")


def add_ready_options(command: argparse.ArgumentParser) -> None:
    """Add what ``./lab ready`` takes."""
    command.add_argument("--json", metavar="FILE", help="write a record for ./lab compare to FILE")
    command.add_argument("--name", default="", help="a label for this machine, no more")
    command.add_argument("--code", metavar="CODE", help="say what a code tells; measure nothing")


def command_ready(options: argparse.Namespace) -> int:
    """Run ``ready``: 0 if this machine is, 3 if not."""
    from labkit import survey

    if options.code is not None:
        print(survey.decode(options.code))
        return ACCEPTED_STATUS
    found = survey.ready(Ticker() if sys.stderr.isatty() else None, options.name)
    if options.json:
        found.record.write(options.json)
    print(found)
    return ACCEPTED_STATUS if found.ok else MACHINE_STATUS


def command_record(options: argparse.Namespace) -> int:
    """Run ``record``: print the record, and write it where a file is named."""
    from labkit import survey

    claims = options.claims or ("quick" if options.quick else "all")
    made = survey.record(
        Ticker(),
        claims=claims.split(",") if "," in claims else claims,
        budget=options.budget,
        name=options.name,
    )
    if options.json:
        made.write(options.json)
    print(made)
    return ACCEPTED_STATUS


def command_compare(options: argparse.Namespace) -> int:
    """Run ``compare``: 0 if all files could be read, 2 if one could not."""
    from labkit import survey

    compared = survey.Comparison(survey.open_records(options.files))
    if options.csv:
        compared.to_csv(options.csv)
    if options.markdown:
        survey.written(options.markdown, compared.to_markdown())
    if options.picture:
        compared.save_picture(options.picture)
    print(compared.to_text(0))  # last: the reader of a pipe may have enough of it
    for one in compared.bad:
        print(f"lab: not read: {one.why}", file=sys.stderr)
    return USAGE_STATUS if compared.bad else ACCEPTED_STATUS


class Ticker:
    """Tells on stderr what is being tried: in one line on a terminal, else a line each."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def __call__(self, done: int, total: int, name: str) -> None:
        """Say how far it is."""
        seconds = time.monotonic() - self.began
        words = f"[{done}/{total}] {seconds:4.0f} s  {name}"
        if sys.stderr.isatty():
            print(f"\r{words:<60}", end="" if name else "\n", file=sys.stderr, flush=True)
        else:
            print(words.rstrip(), file=sys.stderr, flush=True)
