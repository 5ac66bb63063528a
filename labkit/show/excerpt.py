"""A few lines of one of the lab's C files, as they stand there at this moment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from labkit.errors import UsageError
from labkit.show.style import c_code, page, tag

CSS = """
.lab .lab-columns { columns: 2 28em; column-gap: 8px; }
.lab .lab-columns > div { break-inside: avoid; padding-bottom: 4px; }
"""


@dataclass(frozen=True)
class Excerpt:
    """The lines of a file from the first that matches ``begin`` to the next that matches ``end``.

    Shows as C with the file's name and the lines' numbers; ``text`` is the C alone. Raises
    UsageError if no line matches, which names the pattern.
    """

    path: Path
    begin: str  # regular expressions, each for one line
    end: str

    @property
    def numbers(self) -> tuple[int, int]:
        """The numbers of the first and the last line, from 1."""
        first = self._next(1, self.begin)
        return first, self._next(first, self.end)

    def _next(self, start: int, pattern: str) -> int:
        lines = self.path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines[start - 1 :], start):
            if re.search(pattern, line):
                return number
        raise UsageError(f"no line of {self.path.name} from {start} on matches {pattern!r}")

    @property
    def text(self) -> str:
        """The lines as they are in the file now."""
        first, last = self.numbers
        return "\n".join(self.path.read_text("utf-8").splitlines()[first - 1 : last])

    @property
    def place(self) -> str:
        """The file and the lines, in words."""
        first, last = self.numbers
        return f"{self.path.parent.name}/{self.path.name}, lines {first} to {last}"

    def __repr__(self) -> str:
        return f"{self.place}:\n\n{self.text}"

    def _repr_html_(self) -> str:
        """Return what a blank line separates as blocks, beside one another where there is room."""
        blocks = [tag("div", c_code(block)) for block in self.text.expandtabs(4).split("\n\n")]
        columns = tag("div", *blocks, class_="lab-columns")
        return page(tag("style", Markup(CSS)), tag("p", tag("small", self.place)), columns)
