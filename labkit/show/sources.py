"""Two variants of one file side by side, read from the file; only the lines that differ are marked.

The two differ by ``#ifdef`` arms in one text. Each side shows what the preprocessor leaves of it
for that variant, with the line numbers of the file. How a compiler's check is lifted differs from
compiler to compiler, so a variant with a lifted check is built to find out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from labkit.building.build import build
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
    how_lifted: str = ""  # how this machine's compiler was made to let a side pass

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
        lines = list(difflib.unified_diff(left, right, *names, lineterm="", n=2))
        return "\n".join([*(lines or ["the same text"]), *([self.lifting] if self.lifting else [])])

    @property
    def lifting(self) -> str:
        """How the compiler's check was lifted, as a sentence; empty where it is in force."""
        return self.how_lifted and f"how the compiler's check was lifted here: {self.how_lifted}"

    def _repr_html_(self) -> str:
        heads = [
            tag("th", f"{v.name} – {v.purpose}", colspan=3, scope="colgroup")
            for v in (self.left, self.right)
        ]
        rows = [tag("tr", *_cells(pair)) for pair in self.pairs]
        caption = tag("caption", f"{self.left.file_name}, for both")
        widths = Markup(
            "<colgroup>"
            + ('<col style="width:2.6em"><col style="width:1.2em"><col>' * 2)
            + "</colgroup>"
        )
        code = tag(
            "table",
            caption,
            widths,
            tag("tr", *heads),
            *rows,
            class_="lab-code",
            data_testid="sources",
        )
        same = sum(not pair.differs for pair in self.pairs)
        legend = (
            f"− only left · + only right · unmarked: the same {same} lines of {self.left.file_name}"
        )
        lifted = tag("p", self.lifting, data_testid="how-lifted") if self.lifting else ""
        return page(code, tag("p", tag("small", legend)), lifted)


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
    """Return two variants of one source side by side, each as this machine's compiler sees it.

    Raises UsageError for an unknown name; MachineError if a variant with a lifted check is asked
    for where no Python has bcc.
    """
    (one, how), (other, how_other) = as_compiled(find(left)), as_compiled(find(right))
    return SideBySide(one, other, how or how_other)


def as_compiled(variant: Variant) -> tuple[Variant, str]:
    """Return a variant with the defines that lift the check here, and how that is done, in words.

    LLVM 17 and later have an option for it; for older ones another text is compiled.
    """
    if not variant.lifted:
        return variant, ""
    report = build(variant)
    how = report.how_lifted or f"not known, nothing was compiled: {report.reason}"
    return variant.with_defines(*re.findall(r"-D(\w+)", how)), how
