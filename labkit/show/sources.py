"""Two variants of one file side by side, read from the file; only the lines that differ are marked.

The two differ by ``#ifdef`` arms in one text. Each side shows what the preprocessor leaves of it
for that variant, with the line numbers of the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from labkit.program.preprocess import Numbered, lines_of
from labkit.program.variants import Variant, find
from labkit.show.style import join, page, tag


class Pair(NamedTuple):
    """One row: a line of either side, or None where that side has none, and whether they differ."""

    left: Numbered | None
    right: Numbered | None
    differs: bool


@dataclass(frozen=True)
class SideBySide:
    """Two variants of one source; shows as two columns, and as a unified diff in plain text."""

    left: Variant
    right: Variant

    @property
    def pairs(self) -> list[Pair]:
        """All rows, in order."""
        left, right = lines_of(self.left), lines_of(self.right)
        texts = [line.text for line in left], [line.text for line in right]
        matcher = difflib.SequenceMatcher(None, *texts, autojunk=False)
        return [
            pair
            for kind, a, b, c, d in matcher.get_opcodes()
            for pair in _aligned(left[a:b], right[c:d], differs=kind != "equal")
        ]

    @property
    def differing(self) -> tuple[list[str], list[str]]:
        """The texts of the lines that only the left has, and of those that only the right has."""
        rows = [pair for pair in self.pairs if pair.differs]
        return [p.left.text for p in rows if p.left], [p.right.text for p in rows if p.right]

    def __repr__(self) -> str:
        left, right = ([line.text for line in lines_of(v)] for v in (self.left, self.right))
        names = self.left.name, self.right.name
        return "\n".join(difflib.unified_diff(left, right, *names, lineterm="", n=2))

    def _repr_html_(self) -> str:
        heads = [tag("th", f"{v.name} – {v.purpose}", colspan=3) for v in (self.left, self.right)]
        rows = [tag("tr", *_cells(pair)) for pair in self.pairs]
        widths = Markup(
            "<colgroup>"
            + ('<col style="width:2.6em"><col style="width:1.2em"><col>' * 2)
            + "</colgroup>"
        )
        code = tag(
            "table", widths, tag("tr", *heads), *rows, class_="lab-code", data_testid="sources"
        )
        same = sum(not pair.differs for pair in self.pairs)
        legend = (
            f"− only left · + only right · unmarked: the same {same} lines of {self.left.file_name}"
        )
        return page(code, tag("p", tag("small", legend)))


def _aligned(left: list[Numbered], right: list[Numbered], *, differs: bool) -> Iterator[Pair]:
    for row in range(max(len(left), len(right))):
        yield Pair(
            left[row] if row < len(left) else None,
            right[row] if row < len(right) else None,
            differs,
        )


def _cells(pair: Pair) -> Iterator[Markup]:
    for line, sign, colour in ((pair.left, "−", "lab-del"), (pair.right, "+", "lab-add")):
        marked = pair.differs and line is not None
        yield tag("td", line.number if line else "", class_="lab-number")
        yield tag(
            "td", sign if marked else "", class_="lab-sign" + (f" {colour}" if marked else "")
        )
        text = line.text.expandtabs(4) if line else ""
        yield tag("td", join([text]), class_=colour if marked else None)


def side_by_side(left: str | Variant = "stack", right: str | Variant = "percpu") -> SideBySide:
    """Return two variants of one source side by side. Raises UsageError for an unknown name."""
    return SideBySide(find(left), find(right))
