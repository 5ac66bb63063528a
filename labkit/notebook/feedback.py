"""What an exercise says to an answer."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.show.widgets import feedback_html


@dataclass(frozen=True)
class Feedback:
    """Whether an answer is right and, if not, how far off it is."""

    right: bool
    words: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(["right" if self.right else "not yet", *(f"  {w}" for w in self.words)])

    def _repr_html_(self) -> str:
        return feedback_html(self)
