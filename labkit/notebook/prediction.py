"""A question before its answer: the guess comes first, then the answer, measured at that moment.

    notebook.predict("Who refuses 512 bytes?", ["nobody", "the compiler"], answer=who_refuses)

Running the cell measures nothing, so "Run all" gives nothing away, and nothing is remembered. Where
there are no buttons, ``said="nobody"`` is the guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import ipywidgets

from labkit.errors import UsageError
from labkit.notebook.background import CoalescingExecutor
from labkit.notebook.panel import Panel, error_html
from labkit.show.prediction import (
    answered_html,
    answered_text,
    question_html,
    unanswered_html,
    unanswered_text,
)
from labkit.show.style import page
from labkit.show.widgets import state_html

__all__ = ["Measured", "Prediction", "predict"]


class Measured(NamedTuple):
    """An answer, a sentence to go with it, and what it was read from, to be shown below it."""

    value: object
    why: str = ""
    evidence: object = None  # anything with a _repr_html_ and a repr, such as a BuildReport


class Prediction(Panel):
    """The question, a button for each choice and, once one was chosen, what was measured.

    ``said`` is the newest guess and ``measured`` what it was compared with; both None before.
    """

    def __init__(
        self, question: str, choices: Sequence[object], answer: Callable[[], object]
    ) -> None:
        self.question, self.choices, self._answer = question, tuple(choices), answer
        self.said: object = None
        self.measured: Measured | None = None
        self.buttons = [self._button(choice) for choice in self.choices]
        self.state, self.result = ipywidgets.HTML(), ipywidgets.HTML()
        self.asked = CoalescingExecutor(self._measure, self._show, self._fail)
        self.html, self.words = (
            unanswered_html(question, self.choices),
            unanswered_text(question, self.choices),
        )
        row = ipywidgets.HBox(self.buttons, layout={"flex_flow": "row wrap"})
        super().__init__([ipywidgets.HTML(question_html(question)), row, self.state, self.result])
        self._say("open", "your guess first: choose one, and the answer is measured")

    @property
    def right(self) -> bool | None:
        """Whether the newest guess is what was measured; None before there is an answer."""
        return None if self.measured is None else self.said == self.measured.value

    def guess(self, said: object) -> None:
        """Take this as the guess, measure now, and show both. Raises UsageError for no choice."""
        self._take(said)
        self.asked.ask_now(said)

    def _button(self, choice: object) -> Any:
        button = ipywidgets.Button(
            description=str(choice),
            tooltip=f"{self.question} Guess: {choice}",
            layout={"width": "auto"},
        )
        button.on_click(lambda _button: self._clicked(choice))
        return button

    def _clicked(self, choice: object) -> None:
        self._take(choice)
        self._say("measuring", f"you said {choice}; measuring …")
        self.asked.ask(choice)

    def _take(self, said: object) -> None:
        if said not in self.choices:
            raise UsageError(f"{said!r} is no choice; there are: {_listed(self.choices)}")
        self.said, self.measured = said, None
        for button, choice in zip(self.buttons, self.choices, strict=True):
            button.icon = "check" if choice == said else ""

    def _measure(self, _said: object) -> Measured:
        found = self._answer()
        return found if isinstance(found, Measured) else Measured(found)

    def _show(self, said: object, measured: Measured) -> None:
        if said != self.said:  # a later click waits for its own answer
            return
        self.measured = measured
        verdict = answered_text(said, measured, self.choices)
        self.words = f"{self.question}\n{verdict}"
        shown = answered_html(said, measured, self.choices)
        self.html, self.result.value = page(question_html(self.question), shown), page(shown)
        self._say("right" if self.right else "wrong", verdict.splitlines()[0])

    def _fail(self, _said: object, error: Exception) -> None:
        self.words = f"{self.question}\nthe answer could not be measured: {error}"
        self.html = self.result.value = error_html(error)
        self._say("failed", "the answer could not be measured; see below")

    def _say(self, state: str, words: str) -> None:
        self.state.value = page(state_html(state, words, data_question=self.question))


def predict(
    question: str,
    choices: Sequence[object],
    *,
    answer: Callable[[], object],
    said: object = None,
) -> Prediction:
    """Return a question with its choices; what is true is shown once somebody has guessed.

    ``answer()`` measures and returns one of the choices, or a Measured with a sentence and evidence
    beside it; it is called after each guess and not before. ``said`` is a guess given at once, for
    where no button can be pressed. Raises UsageError for fewer than two different choices, for an
    ``answer`` that cannot be called (then it is written down, not measured), and for a ``said``
    that is no choice.
    """
    if len(set(map(str, choices))) != len(choices) or len(choices) < 2:
        raise UsageError(f"a question needs two or more different choices: {_listed(choices)}")
    if not callable(answer):
        raise UsageError(f"answer is called to measure: give a function, not {answer!r}")
    made = Prediction(question, choices, answer)
    if said is not None:
        made.guess(said)
    return made


def _listed(choices: Sequence[object]) -> str:
    return ", ".join(map(repr, choices)) or "none"
