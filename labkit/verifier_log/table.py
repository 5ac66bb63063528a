"""The steps of a verifier log as a table, column by column, straight from the text.

A log of 10 MB may have 400,000 steps; an object for each of them would take longer than all the
rest. But a program has few different instructions and lines of source, however often the verifier
walks over them, so each of those is read once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from labkit.verifier_log.lines import (
    Instruction,
    Kind,
    Source,
    parse_instruction,
    parse_source,
    split_state,
)
from labkit.verifier_log.scan import CODE

if TYPE_CHECKING:
    import pandas as pd

    from labkit.verifier_log import VerifierLog

__all__ = ["COLUMNS", "columns_of", "to_table"]

COLUMNS = {
    "line": "int64",
    "insn": "int64",
    "opcode": "str",
    "disassembly": "str",
    "source": "str",
    "file": "str",
    "source_line": "Int64",
    "call_depth": "int64",
    "stack_extent": "Int64",
    "state": "str",
}
"""Column to dtype. ``line``: line of the log; ``insn``: instruction of the program; ``call_depth``:
0 in the program itself, 1 in a function it called; ``stack_extent``: bytes from the frame pointer
down to the lowest slot that the log has shown on this path, missing if none."""

_SLOT = re.compile(r"(?:^|\s)fp(-\d{1,9})(?:_[rwD]+)?=")
_DEPTH = re.compile(r"\s*frame(\d{1,9}):")


class _Extents:
    """Follows how far down each function's stack is known, without reading the rest."""

    def __init__(self) -> None:
        self.depth = 0
        self.lowest: dict[int, int] = {}

    def show(self, text: str, *, whole: bool) -> None:
        match = _DEPTH.match(text)
        self.depth = int(match[1]) if match else 0
        lowest = 0 if whole else self.lowest.get(self.depth, 0)
        if "fp-" in text:
            lowest = min([lowest, *(int(slot[1]) for slot in _SLOT.finditer(text))])
        self.lowest[self.depth] = lowest

    @property
    def extent(self) -> int | None:
        lowest = self.lowest.get(self.depth, 0)
        return -lowest if lowest < 0 else None


def to_table(log: VerifierLog) -> pd.DataFrame:
    """One row a step, in the order of the verifier's walk; columns as in :data:`COLUMNS`."""
    import pandas as pd

    columns = columns_of(log)
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype="str" if dtype == "str" else dtype)
            for (name, dtype), values in zip(COLUMNS.items(), columns, strict=True)
        }
    ).rename_axis("step")


def columns_of(log: VerifierLog) -> list[list[Any]]:
    """Return the same as lists, one a column, without pandas.

    A text that repeats, as on each path, is kept once.
    """
    scan, text, extents = log.scan, log.text, _Extents()
    heads: dict[str, Instruction | None] = {}
    lines, ends = list(scan.steps), [*scan.starts[1:], len(text)]
    ones: list[Instruction] = []
    depths: list[int] = []
    reached: list[int | None] = []
    states: list[str] = []
    previous = 0
    for line in lines:
        if line > previous:
            shown = _between(log, previous, line, extents)
            if shown is not None and states and not states[-1]:
                reached[-1], states[-1] = shown  # before 5.17, or after other lines
        previous = line + 1
        one, state = _instruction(text[scan.starts[line] : ends[line]], heads)
        if state:
            extents.show(state, whole=False)
        ones.append(one)
        depths.append(extents.depth)
        reached.append(extents.extent)
        states.append(state)
    return [
        lines,
        [one.index for one in ones],
        [one.opcode for one in ones],
        [one.disassembly for one in ones],
        *_source_columns(log),
        depths,
        reached,
        states,
    ]


def _instruction(body: str, heads: dict[str, Instruction | None]) -> tuple[Instruction, str]:
    """Take an instruction's line apart; what stands before the state is looked up in ``heads``.

    That is parse_instruction(), done once for each different head. None in ``heads`` marks one
    that does not end where its disassembly ends, so that its lines must be read as a whole.
    """
    head, semicolon, state = body.partition(" ; ")
    if head not in heads:
        one = parse_instruction(head)
        whole = one is not None and one.disassembly == head.partition(") ")[2].rstrip()
        heads[head] = one if whole else None
    known = heads[head]
    if known is not None:
        return known, state.strip() if semicolon else ""
    body = body.rstrip("\r\n")
    alone = parse_instruction(body) or Instruction(0, "", body, "")
    return alone, alone.state


def _source_columns(log: VerifierLog) -> list[list[Any]]:
    """Return text, file and line of the C source that each step stands under."""
    known: dict[int, Source | None] = {-1: None}
    once: dict[str, Source | None] = {}
    for index in log.scan.sources:
        if index not in known:
            body = log.lines[index].body
            known[index] = once[body] = once.get(body) or parse_source(body)
    sources = [known[index] for index in log.scan.sources]
    return [
        [source.text if source else None for source in sources],
        [source.file if source else None for source in sources],
        [source.line if source else None for source in sources],
    ]


def _between(
    log: VerifierLog, start: int, end: int, extents: _Extents
) -> tuple[int | None, str] | None:
    """Take in the state lines between two steps; return stack extent and text of the first.

    The first, if it is bare (``12: R0=...``) and on the same path, is what the step before it did.
    """
    first: tuple[int | None, str] | None = None
    same_path = True
    index = log.scan.kinds.find(CODE[Kind.STATE], start, end)
    while index >= 0:
        body = log.lines[index].body.strip()
        text = split_state(body)[1]
        if text.startswith(("R", "fp", "frame", "refs")):
            bare = body[:1].isdigit()
            extents.show(text, whole=not bare)
            same_path = same_path and bare
            if first is None and same_path:
                first = (extents.extent, text)
        index = log.scan.kinds.find(CODE[Kind.STATE], index + 1, end)
    return first
