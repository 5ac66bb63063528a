"""What a reader gave as an answer, as the kind of value that was asked for; or what to say to it.

Nobody's answer is an error: whatever is handed in, a function here returns either the value or
Feedback with a sentence.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from labkit.building.report import BuildReport
from labkit.collecting.run import Run
from labkit.notebook.feedback import Feedback, not_tried, not_yet

RUN_ABOVE = "run the cell above first: its name holds the result"
ASK_FIRST = "run the cell above that asks, and hand over what it gives"


def is_placeholder(answer: object) -> bool:
    """Whether that is what stands in the notebook before anybody has answered."""
    return answer is None or answer is ... or (isinstance(answer, str) and answer.strip() in "?")


def whole_number(answer: object, unit: str) -> int | Feedback:
    """Return one whole number; a time as nanoseconds, where ``unit`` is that.

    One number may come as Python's, NumPy's or pandas', or as the only element of a list, an array
    or a Series.
    """
    if is_placeholder(answer):
        return not_tried()
    if isinstance(answer, str):
        return not_yet(f"{answer!r} is text: give the number without quotes")
    if isinstance(answer, bool | np.bool_):
        return not_yet(f"{answer} is no number of {unit}")
    if isinstance(answer, datetime.timedelta | np.timedelta64):
        return _nanoseconds(answer, unit)
    if isinstance(answer, int | np.integer):
        return int(answer)
    if isinstance(answer, float | np.floating):
        whole = np.isfinite(answer) and answer == int(answer)
        return int(answer) if whole else not_yet(f"{answer} is no whole number of {unit}")
    return _only_element(answer, unit)


def _nanoseconds(time: Any, unit: str) -> int | Feedback:
    import pandas as pd

    if unit != "nanoseconds":
        return not_yet(f"{time} is a time; asked for are {unit}")
    span = pd.Timedelta(time)
    return not_yet("that is no time (NaT)") if pd.isna(span) else int(span.as_unit("ns").value)


def _only_element(answer: object, unit: str) -> int | Feedback:
    kind = type(answer).__name__
    if isinstance(answer, Mapping) or not hasattr(answer, "__len__"):
        return not_yet(f"a {kind} was given; one number of {unit} is asked for")
    elements = np.asarray(answer, dtype=object).ravel()
    if len(elements) != 1 or elements[0] is answer:
        return not_yet(
            f"a {kind} of {len(elements)} values was given; one number of {unit} is asked for"
        )
    return whole_number(elements[0], unit)


def words(answers: Mapping[str, object], allowed: Sequence[str]) -> dict[str, str] | Feedback:
    """Return one of the ``allowed`` words for each question; small or capital letters do."""
    open_ones = [question for question, said in answers.items() if is_placeholder(said)]
    choice = ", ".join(repr(word) for word in allowed)
    if len(open_ones) == len(answers):
        return not_tried(f"say one of {choice} for each")
    clean = {q: said.strip().lower() for q, said in answers.items() if isinstance(said, str)}
    unknown = [
        f"{answers[question]!r} for {question}"
        for question in answers
        if question not in open_ones and clean.get(question) not in allowed
    ]
    if unknown:
        return not_yet(f"{' and '.join(unknown)} is no answer: say one of {choice}")
    if open_ones:
        return not_yet(f"no answer yet for {' and '.join(open_ones)}")
    return clean


def one_each(answers: Iterable[object], questions: Sequence[str]) -> dict[str, object] | Feedback:
    """Return the answer to each question, from answers in order, or from one collection of them."""
    given = list(answers)
    if len(given) == 1 and isinstance(given[0], Mapping):
        return _by_name(given[0], questions)
    if len(given) == 1 and not isinstance(given[0], str) and isinstance(given[0], Iterable):
        given = list(given[0])
    if all(map(is_placeholder, given)):
        given = [None] * len(questions)
    if len(given) != len(questions):
        return not_yet(f"{len(questions)} answers are asked for, {len(given)} were given")
    return dict(zip(questions, given, strict=True))


def _by_name(given: Mapping[Any, object], questions: Sequence[str]) -> dict[str, object] | Feedback:
    named = {str(key).removesuffix(" bytes"): said for key, said in given.items()}
    asked = [question.removesuffix(" bytes") for question in questions]
    if others := [key for key in named if key not in asked]:
        return not_yet(f"not asked: {', '.join(others)}; asked are {', '.join(questions)}")
    return {question: named.get(key) for question, key in zip(questions, asked, strict=True)}


def loaded(made: object) -> BuildReport | Feedback:
    """Return the report of a program that loads: from a %%bpf cell, with or without ``--run``."""
    if is_placeholder(made):
        return not_tried(RUN_ABOVE)
    report = made.report if isinstance(made, Run) else made
    if not isinstance(report, BuildReport):
        return not_yet(
            f"a {type(made).__name__} was given; asked for is the word after %%bpf, without quotes"
        )
    if not report.source:
        return not_yet("this report has no source: hand over what a %%bpf cell has made")
    return report if report.accepted else not_yet(f"it does not load: {report.explain().happened}")
