"""The steps of a verifier log as a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from labkit.verifier_log.lines import Kind, split_state

if TYPE_CHECKING:
    import pandas as pd

    from labkit.verifier_log import VerifierLog

__all__ = ["COLUMNS", "columns_of", "to_frame"]

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


def to_frame(log: VerifierLog) -> pd.DataFrame:
    """One row a step, in the order of the verifier's walk; columns as in :data:`COLUMNS`."""
    import pandas as pd

    columns = columns_of(log)
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype="str" if dtype == "str" else dtype)
            for (name, dtype), values in zip(COLUMNS.items(), columns, strict=True)
        }
    ).rename_axis("step")


def columns_of(log: VerifierLog) -> list[list[object]]:
    """Return the same as lists, one a column, without pandas.

    A text that repeats, as on each path, is kept once.
    """
    columns: list[list[object]] = [[] for _ in COLUMNS]
    once: dict[str, str] = {}
    extents = _Extents()
    previous = 0
    for step in log.instructions:
        shown = _between(log, previous, step.line, extents)
        if shown is not None and columns[-1] and not columns[-1][-1]:
            columns[-2][-1], columns[-1][-1] = shown  # before 5.17, or after other lines
        previous = step.line + 1
        one, source = step.instruction, step.source
        if one.state:
            extents.show(one.state, whole=False)
        row = (
            step.line,
            one.index,
            once.setdefault(one.opcode, one.opcode),
            once.setdefault(one.disassembly, one.disassembly),
            once.setdefault(source.text, source.text) if source else None,
            once.setdefault(source.file, source.file) if source and source.file else None,
            source.line if source else None,
            extents.depth,
            extents.extent,
            one.state,
        )
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return columns


def _between(
    log: VerifierLog, start: int, end: int, extents: _Extents
) -> tuple[int | None, str] | None:
    """Take in the state lines between two steps; return stack extent and text of the first.

    The first, if it is bare (``12: R0=...``) and on the same path, is what the step before it did.
    """
    first: tuple[int | None, str] | None = None
    same_path = True
    for index in range(start, end):
        if log.lines[index].kind is not Kind.STATE:
            continue
        body = log.lines[index].body.strip()
        text = split_state(body)[1]
        if text.startswith(("R", "fp", "frame", "refs")):
            bare = body[:1].isdigit()
            extents.show(text, whole=not bare)
            same_path = same_path and bare
            if first is None and same_path:
                first = (extents.extent, text)
    return first
