"""One pass over a verifier log: where lines start, their kinds, and which one refused."""

from __future__ import annotations

import re
from array import array

from labkit.verifier_log.lines import Kind, classify

__all__ = ["CODE", "KINDS", "Scan"]

KINDS = tuple(Kind)
CODE = {kind: code for code, kind in enumerate(KINDS)}

# 7.3 prints tables of all instructions under these, before it starts to walk.
_TABLES = ("subprog#", "topo_order", "stack use/def")
_HEADING = re.compile(
    r"(?:Reason|At|Causal path|Suggestion|[A-Z][a-z]+(?: [a-z]+){0,2}):\s*$", re.M
)
_RUN = 4096  # equal lines that are compared at once
# Above one of these, no line is the one that refused.
_BEFORE_FATAL = (Kind.INSTRUCTION, Kind.FUNCTION)


class Scan:
    """One pass over the text: where each line starts, its kind, and which lines are steps."""

    def __init__(self, text: str) -> None:
        self.starts = array("Q")
        self.kinds = bytearray()
        self.steps = array("Q")  # line of each instruction
        self.sources = array("q")  # line of the source it stands under, or -1
        self._source = -1
        self._in_tables = self._in_report = False
        start = 0
        while start < len(text):
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
            kind = classify(text, start, end)
            if kind is Kind.BLANK:
                start = self._add_blank(text, start, text[start : end + 1])
                continue
            self._add(self._settle(kind, text, start), start)
            start = end + 1
        self.fatal = _fatal_index(self)
        if self.fatal is not None:
            self.kinds[self.fatal] = CODE[Kind.ERROR]

    def _add_blank(self, text: str, start: int, line: str) -> int:
        """Add a blank line and all that follow and are equal to it; return where they end."""
        end = start + len(line)
        for run in (line * _RUN, line):
            while text.startswith(run, end):
                end += len(run)
        kind = Kind.REPORT if self._in_report else Kind.BLANK
        self.starts.extend(range(start, end, len(line)))
        self.kinds.extend(bytes((CODE[kind],)) * ((end - start) // len(line)))
        return end

    def _add(self, kind: Kind, start: int) -> None:
        if kind is Kind.SOURCE:
            self._source = len(self.kinds)
        elif kind is Kind.INSTRUCTION:
            self.steps.append(len(self.kinds))
            self.sources.append(self._source)
        self.starts.append(start)
        self.kinds.append(CODE[kind])

    def _settle(self, kind: Kind, text: str, start: int) -> Kind:
        """Return the kind, in the light of the lines before it."""
        if kind is Kind.REPORT:
            self._in_report = True
        elif self._in_report:  # indented lines, and headings that end in a colon
            inside = text[start] == " " or _HEADING.match(text, start)
            self._in_report = bool(inside)
            return Kind.REPORT if inside else kind
        if kind is Kind.LIVENESS:
            self._in_tables = text.startswith(_TABLES, start) or (
                self._in_tables and not text.startswith("Live regs", start)
            )
        elif kind is Kind.STATE or kind is Kind.SOURCE:
            self._in_tables = False
        elif kind is Kind.INSTRUCTION and self._in_tables:
            return Kind.LIVENESS
        return kind


def _fatal_index(scan: Scan) -> int | None:
    """Look for the line that refused, upwards from each log's figures, the last log first."""
    kinds, figures = scan.kinds, CODE[Kind.STATISTIC]
    end = kinds.rfind(figures)
    found = _fatal_above(kinds, end if end >= 0 else len(kinds), judged=end >= 0)
    while found is None and end >= 0:
        while end >= 0 and kinds[end] in (figures, CODE[Kind.BLANK]):
            end -= 1
        end = kinds.rfind(figures, 0, end + 1)
        found = _fatal_above(kinds, end, judged=True) if end >= 0 else None
    return found


def _fatal_above(kinds: bytearray, end: int, *, judged: bool) -> int | None:
    """Find the first error above line ``end``, with no step between; else the first odd line there.

    :param judged: the figures follow, so the verifier did come to a verdict.
    """
    last = max(kinds.rfind(CODE[kind], 0, end) for kind in _BEFORE_FATAL)
    error, *odd = (
        kinds.find(CODE[kind], last + 1, end)
        for kind in (Kind.ERROR, Kind.UNRECOGNISED, Kind.REPORT)
    )
    if error >= 0:
        return error
    walked = last >= 0 and kinds[last] == CODE[Kind.INSTRUCTION]
    return min((at for at in odd if at >= 0), default=None) if judged or walked else None
