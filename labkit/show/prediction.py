"""A question, its choices, and what a guess is told, as HTML and as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from labkit.show.style import badge, join, page, prose, tag

if TYPE_CHECKING:
    from labkit.notebook.prediction import Measured


def question_html(question: str) -> Markup:
    """Return the question; what stands between backticks becomes code."""
    return tag("p", tag("b", prose(question)), data_testid="question")


def unanswered_html(question: str, choices: Sequence[object]) -> str:
    """Return the question for a reader who has no buttons: its choices, and how to answer."""
    return page(question_html(question), tag("p", _how(choices)))


def unanswered_text(question: str, choices: Sequence[object]) -> str:
    """Return the same as text."""
    return f"{question}\n{_how(choices)}"


def _how(choices: Sequence[object]) -> str:
    listed = " · ".join(map(str, choices))
    return f"{listed}: your guess first (a click, or said={choices[0]!r} in the cell)."


def answered_text(said: object, measured: Measured, choices: Sequence[object]) -> str:
    """Return in a line whether the guess is what was measured, and below it why."""
    return "\n".join(filter(None, [_verdict(said, measured, choices), measured.why]))


def answered_html(said: object, measured: Measured, choices: Sequence[object]) -> Markup:
    """Return the same as HTML, and below it the evidence, if there is any."""
    kind = "good" if said == measured.value else "none"
    sign = badge(kind, _verdict(said, measured, choices), data_testid="prediction")
    why = tag("p", prose(measured.why)) if measured.why else ""
    return join([tag("p", sign), why, _evidence(measured.evidence)])


def _verdict(said: object, measured: Measured, choices: Sequence[object]) -> str:
    if said == measured.value:
        return f"right: measured is {measured.value}"
    surprise = "" if measured.value in choices else ", which is none of the choices"
    return f"not quite: you said {said}; measured is {measured.value}{surprise}"


def _evidence(evidence: object) -> Markup:
    if evidence is None:
        return Markup("")
    html = getattr(evidence, "_repr_html_", None)
    return Markup(html()) if html else tag("pre", evidence, class_="lab-log")
