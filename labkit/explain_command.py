"""``./lab explain FILE``: any verifier's log, of any tool, in plain English. Needs no packages."""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

from labkit import verifier_log
from labkit.errors import UsageError
from labkit.explain import Explanation, explain_text
from labkit.verifier_log import VerifierLog
from labkit.verifier_log.table import COLUMNS, columns_of
from labkit.verifier_log.unwrap import unwrap

__all__ = ["add_options", "command_explain"]

STDIN = "-"
EXPLAINED, NOT_EXPLAINED = 0, 1
# A cell that begins like this is a formula to a spreadsheet, and the text is a stranger's.
_FORMULA = re.compile(r"[=+\-@\t\r]")


def add_options(command: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    command.add_argument("file", metavar="FILE", help="a file with the log in it, or - for stdin")
    command.add_argument("--json", action="store_true", help="print JSON instead of text")
    command.add_argument("--csv", metavar="OUT", help="write one line per instruction to OUT")


def command_explain(options: argparse.Namespace) -> int:
    """Run ``explain``: 0 if the log is explained, 1 if it holds nothing that this lab knows.

    Raises UsageError for a file that cannot be read or written, or is empty.
    """
    log = verifier_log.parse(unwrap(_read(options.file)))
    explained = explain_text(log)
    if options.csv:
        _write_csv(log, options.csv)
    if options.json:
        print(json.dumps({**explained.to_json(), "log": facts(log)}, indent=2))
    else:
        print(printable(as_text(explained, log)))
    return EXPLAINED if explained.known else NOT_EXPLAINED


def _read(name: str) -> bytes:
    try:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"cannot read {name!r}: {why}; name a file with a log, or -") from error
    if not data.strip():
        what = "standard input" if name == STDIN else repr(name)
        raise UsageError(f"{what} is empty: there is no log to explain")
    return data


def facts(log: VerifierLog) -> dict[str, Any]:
    """Return what there is in a log: counts of lines, and the verifier's own figures."""
    figures = log.statistics
    unrecognised = log.unrecognised
    return {
        "lines": len(log.lines),
        "unrecognised": len(unrecognised),
        "unrecognised_lines": [line.index + 1 for line in unrecognised[:20]],
        "instructions": len(log.instructions),
        "truncated": bool(len(log.instructions)) and log.is_truncated,
        "insns_processed": figures.insns_processed,
        "stack_depths": list(figures.stack_depths),
        "verification_time_us": figures.verification_time_us,
    }


def as_text(explained: Explanation, log: VerifierLog) -> str:
    """Return an explanation, and one line about the log it is from."""
    known = facts(log)
    words = [f"{known['lines']:,} lines, {known['instructions']:,} of them instructions"]
    if known["insns_processed"] is not None:
        words.append(f"the verifier processed {known['insns_processed']:,}")
    if known["stack_depths"]:
        words.append(f"stack depth {' + '.join(map(str, known['stack_depths']))} bytes")
    if known["truncated"]:
        words.append("an end of the log is missing")
    if known["unrecognised"]:
        words.append(f"{known['unrecognised']:,} lines are of no kind that this lab knows")
    return f"{explained}\n\n({'; '.join(words)})"


def printable(text: str) -> str:
    """Return text that does nothing to a terminal: what could, and what is no UTF-8, is escaped."""
    return "".join(
        one if one.isprintable() or one in "\n\t" else one.encode("unicode_escape").decode("ascii")
        for one in text
    )


def _write_csv(log: VerifierLog, name: str) -> None:
    """Write the instruction table, with the columns of ``log.table``."""
    columns = columns_of(log)
    try:
        with open(name, "w", encoding="utf-8", newline="", errors="backslashreplace") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(["step", *COLUMNS])
            for step, row in enumerate(zip(*columns, strict=True)):
                writer.writerow([step, *map(_cell, row)])
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write {name!r}: {error}") from error


def _cell(value: object) -> object:
    if isinstance(value, str) and _FORMULA.match(value):
        return f"\\x{ord(value[0]):02x}{value[1:]}"
    return value
