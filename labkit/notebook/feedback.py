"""What an exercise says to an answer."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.show.widgets import feedback_html


@dataclass(frozen=True)
class Feedback:
    """Whether an answer is right, and a few sentences; ``tried`` is False where there is none."""

    right: bool
    words: tuple[str, ...] = ()
    tried: bool = True

    @property
    def verdict(self) -> str:
        """``right``, ``not yet`` or ``not tried yet``."""
        if self.right:
            return "right"
        return "not yet" if self.tried else "not tried yet"

    def __repr__(self) -> str:
        return "\n".join([self.verdict, *(f"  {words}" for words in self.words)])

    def _repr_html_(self) -> str:
        return feedback_html(self)


def right(*words: str) -> Feedback:
    """Say that an answer is right."""
    return Feedback(True, words)


def not_yet(*words: str) -> Feedback:
    """Say that an answer is not right, and why."""
    return Feedback(False, words)


def not_tried(*words: str) -> Feedback:
    """Say that there is no answer yet."""
    return Feedback(False, words, tried=False)
