"""A small table that a cell or a widget shows: a head and rows, as HTML and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labkit.show.style import page, table


@dataclass(frozen=True, repr=False)
class Rows:
    """What is to be shown, below its caption."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[object]]

    def __repr__(self) -> str:
        return "\n".join("  ".join(map(str, row)) for row in (self.head, *self.rows))

    def _repr_html_(self) -> str:
        return page(table(self.head, self.rows, self.caption))
