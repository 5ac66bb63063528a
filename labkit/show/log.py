"""A log of any size in a page: the line that matters in sight, the rest folded, nothing dropped.

A verifier's log can have many megabytes, which would freeze a page. Then the page holds parts, says
which lines they are, and how to get the whole. To show a value writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from labkit.explain import Explanation
from labkit.show.style import download, folded, headline, join, log_lines, tag

AROUND = 8  # lines in sight on either side of the one that matters
FOLDED_BUDGET = 150_000  # characters on the page of each folded part, half from either end
LONGEST_LINE = 4_000  # characters
CARRIED = 2_000_000  # bytes of a log that a page carries in a download link
SAVES = " writes the whole log to a file of its own under results/"


@dataclass(frozen=True)
class Part:
    """Some lines of a log, ``first`` counted from 0."""

    first: int
    lines: Sequence[str]

    @property
    def name(self) -> str:
        """The lines' numbers as a reader counts them."""
        last = self.first + len(self.lines)
        return f"line {last:,}" if len(self.lines) == 1 else f"lines {self.first + 1:,}–{last:,}"


def index_in(explained: Explanation, log: str) -> int | None:
    """Return which line of ``log`` (``compiler`` or ``verifier``) is the one that is explained."""
    line = explained.line
    return line.index if line is not None and line.log == log else None


def log_html(title: str, text: str, matters: int | None, file_name: str) -> Markup:
    """Return a log whose line number ``matters`` (from 0) is marked; None: its end is in sight."""
    file_name = re.sub(r"[^\w.-]+", "-", file_name)
    lines = text.rstrip("\n").split("\n")
    centre = len(lines) - 1 if matters is None else matters
    start, end = max(0, centre - AROUND), centre + AROUND + 1
    before, after = Part(0, lines[:start]), Part(end, lines[end:])
    count = f"{len(lines):,} line{'s' if len(lines) > 1 else ''}"
    size = f"{count}, {len(text.encode('utf-8', 'replace')):,} bytes"
    return join(
        [
            headline(f"{title} ", tag("small", f"({size})")),
            _fold("before", before),
            log_lines(*_marked(lines[start:end], start, matters)),
            _fold("after", after),
            tag("p", _whole(text, file_name)),
        ]
    )


def _marked(lines: Sequence[str], start: int, matters: int | None) -> Iterator[Markup]:
    for number, line in enumerate(lines, start):
        shown = _shorten(line)
        if number == matters:
            yield join([tag("mark", f"▶ {shown}", data_testid="matters"), "\n"])
        else:
            yield join(["  " if matters is not None else "", shown, "\n"])


def _shorten(line: str) -> str:
    if len(line) <= LONGEST_LINE:
        return line
    return f"{line[:LONGEST_LINE]} … [{len(line) - LONGEST_LINE:,} more characters in this line]"


def _over(part: Part) -> bool:
    return sum(map(len, part.lines)) + len(part.lines) > FOLDED_BUDGET


def _fold(where: str, part: Part) -> Markup:
    """Fold a part away; of one that is over the budget only both ends are on the page."""
    if not part.lines:
        return Markup("")
    if not _over(part):
        return folded(f"{part.name}, {where} that", log_lines(_text(part)))
    head, tail = _ends(part)
    missing = Part(head.first + len(head.lines), part.lines[len(head.lines) : -len(tail.lines)])
    gap = tag("p", f"[{missing.name} are not on this page; below it says how to get them]")
    summary = f"{part.name}, {where} that; here are {head.name} and {tail.name}"
    return folded(summary, log_lines(_text(head)), gap, log_lines(_text(tail)))


def _ends(part: Part) -> tuple[Part, Part]:
    """Return the first and the last lines that fit in the budget; at least one line each."""
    half = FOLDED_BUDGET // 2
    head = _fitting(part.lines, half)
    tail = min(_fitting(part.lines[::-1], half), len(part.lines) - head) or 1
    return (
        Part(part.first, part.lines[:head]),
        Part(part.first + len(part.lines) - tail, part.lines[-tail:]),
    )


def _fitting(lines: Sequence[str], characters: int) -> int:
    used = 0
    for count, line in enumerate(lines):
        used += min(len(line), LONGEST_LINE) + 1
        if used > characters:
            return max(1, count)
    return len(lines)


def _text(part: Part) -> Markup:
    return escape("\n".join(map(_shorten, part.lines)) + "\n")


def _whole(text: str, file_name: str) -> Markup:
    """Return a link to the whole log, or the words that say how to get one that is too big."""
    data = text.encode("utf-8", "surrogateescape")
    if len(data) > CARRIED:
        return join(
            ["too big for a page; the whole log: ", tag("code", "report.save_logs()"), SAVES]
        )
    return download(file_name, data, f"⤓ the whole log: {file_name}")
