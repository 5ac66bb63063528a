"""Exercises 1 to 5: the answers that people give, right and wrong, and what is said to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from answering import NOT_TRIED, NOT_YET, RIGHT, notes, said

import labkit
from labkit.machine.stack_limit import WORD, largest_frame
from labkit.notebook import exercises
from labkit.notebook.exercises import of_the_limit as limit
from labkit.program.variants import LLVM_LIMIT

__all__ = ["notes"]
either_kernel = pytest.mark.usefixtures("either_kernel")
live = pytest.mark.live
ASKED = limit.Frames((496, 512, 528))


@pytest.fixture
def truth(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What both gates say of these frames on a machine with 512 bytes, without asking them."""
    told = {496: "neither", 512: "compiler", 528: "both"}
    monkeypatch.setattr(limit, "who_refuses", told.__getitem__)
    return list(told.values())


# --- 1: predict ---

PREDICTED: dict[str, Any] = {
    "a word each": lambda words: words,
    "a list": lambda words: [words],
    "a tuple": lambda words: [tuple(words)],
    "by size": lambda words: [dict(zip(ASKED.sizes, words, strict=True))],
    "by name": lambda words: [{f"{s} bytes": w for s, w in zip(ASKED.sizes, words, strict=True)}],
    "a Series": lambda words: [pd.Series(words)],
    "an array": lambda words: [np.array(words)],
    "in capitals, with blanks": lambda words: [f" {word.upper()} " for word in words],
}


@pytest.mark.parametrize("form", PREDICTED)
def test_right_predictions_are_right_in_any_form(truth: list[str], form: str) -> None:
    said(exercises.check_predictions(ASKED, *PREDICTED[form](truth)), RIGHT, "528 bytes: both")


MISPREDICTED: dict[str, tuple[list[Any], str, str]] = {
    "nothing": ([], NOT_TRIED, "neither"),
    "the cell as it is": (["?", "?", "?"], NOT_TRIED, "say one of"),
    "an empty dict": ([{}], NOT_TRIED, "say one of"),
    "an empty list": ([[]], NOT_TRIED, "say one of"),
    "None": ([None, None, None], NOT_TRIED, ""),
    "one wrong": (["neither", "both", "both"], NOT_YET, "512 bytes: not 'both'"),
    "all wrong": (["both", "neither", "compiler"], NOT_YET, "496 bytes: not 'both'"),
    "one left open": (["neither", "?", "both"], NOT_YET, "no answer yet for 512 bytes"),
    "too few": (["neither", "both"], NOT_YET, "3 answers are asked for, 2"),
    "one word": (["both"], NOT_YET, "3 answers are asked for, 1"),
    "another word": (["no", "both", "both"], NOT_YET, "'no' for 496 bytes is no answer"),
    "numbers": ([1, 2, 3], NOT_YET, "is no answer"),
    "a size not asked": ([{504: "both"}], NOT_YET, "not asked: 504"),
    "a table": ([pd.DataFrame({"a": [1], "b": [2], "c": [3]})], NOT_YET, "is no answer"),
}


@pytest.mark.parametrize("answer", MISPREDICTED)
def test_other_predictions_are_not_and_nothing_is_told(truth: list[str], answer: str) -> None:
    given, verdict, words = MISPREDICTED[answer]
    text = said(exercises.check_predictions(ASKED, *given), verdict, words)
    assert "512 bytes: compiler" not in text and "not 'neither', 'compiler'" not in text


@pytest.mark.parametrize("asked", [None, 512, [496, 512, 528], "frames"])
def test_without_the_question_there_is_no_answer(asked: Any) -> None:
    said(exercises.check_predictions(asked, "both", "both", "both"), NOT_TRIED, "run the cell")


@either_kernel
@live
def test_the_frames_asked_about_have_three_answers_and_change() -> None:
    kernel = largest_frame()
    drawn = [exercises.frames() for _ in range(20)]
    assert len({frames.sizes for frames in drawn}) > 5
    for frames in drawn:
        low, between, high = sorted(frames.sizes)
        assert low < LLVM_LIMIT <= between <= kernel < high
    frames = drawn[0]
    answers = [limit.who_refuses(size) for size in frames.sizes]
    assert sorted(answers) == ["both", "compiler", "neither"]
    said(exercises.check_predictions(frames, *answers), RIGHT)
    said(exercises.check_predictions(frames, *answers[1:], answers[0]), NOT_YET)
    assert str(frames.sizes[0]) in repr(frames)


# --- 2: shrink ---

KEEP = limit.Sizes(data=96, values=8)


@pytest.fixture(scope="module")
def largest() -> int:
    loads = [size for size in range(WORD, 256, WORD) if KEEP.build(size).accepted]
    return max(loads)


ONE_NUMBER: dict[str, Any] = {
    "int": int,
    "NumPy's": np.int64,
    "a float": float,
    "NumPy's float": np.float64,
    "in a list": lambda n: [n],
    "in an array": lambda n: np.array([n]),
    "an array without a shape": np.array,
    "in a Series": lambda n: pd.Series([n]),
    "in a DataFrame": lambda n: pd.DataFrame({"n": [n]}),
}


@live
@pytest.mark.parametrize("form", ONE_NUMBER)
def test_the_largest_buffer_is_right_in_any_form(largest: int, form: str) -> None:
    said(exercises.check_shrunk(KEEP, buffer=ONE_NUMBER[form](largest)), RIGHT, "refused")


@live
@either_kernel
@pytest.mark.parametrize(
    ("off", "words"), [(-8, "too small"), (-16, "too small"), (8, "too large"), (800, "too large")]
)
def test_another_buffer_is_too_small_or_too_large(largest: int, off: int, words: str) -> None:
    text = said(exercises.check_shrunk(KEEP, buffer=largest + off), NOT_YET, words)
    assert str(largest) not in text


NO_NUMBER: dict[str, tuple[Any, str, str]] = {
    "None": (None, NOT_TRIED, ""),
    "dots": (..., NOT_TRIED, ""),
    "a question mark": ("?", NOT_TRIED, ""),
    "text": ("64", NOT_YET, "without quotes"),
    "a truth": (True, NOT_YET, "no number"),
    "no number": (float("nan"), NOT_YET, "no whole number"),
    "infinite": (float("inf"), NOT_YET, "no whole number"),
    "half": (8.5, NOT_YET, "no whole number"),
    "a time": (pd.Timedelta(64), NOT_YET, "is a time"),
    "two of them": (pd.Series([8, 64]), NOT_YET, "a Series of 2 values"),
    "none of them": ([], NOT_YET, "a list of 0 values"),
    "a table": (pd.DataFrame({"a": [1, 2]}), NOT_YET, "a DataFrame of 2 values"),
    "a dict": ({"buffer": 64}, NOT_YET, "a dict was given"),
    "a function": (max, NOT_YET, "was given"),
    "a report": (object(), NOT_YET, "was given"),
}


@pytest.mark.parametrize("answer", NO_NUMBER)
def test_what_is_no_number_gets_a_sentence(answer: str) -> None:
    given, verdict, words = NO_NUMBER[answer]
    said(exercises.check_shrunk(KEEP, buffer=given), verdict, words)


@pytest.mark.parametrize("size", [12, 0, -8, 4])
def test_sizes_that_the_program_cannot_have_are_not_built(size: int) -> None:
    said(exercises.check_shrunk(KEEP, buffer=size), NOT_YET, "multiple of 8")


@live
def test_any_size_is_answered() -> None:
    said(exercises.check_shrunk(KEEP, buffer=10**9), NOT_YET, "too large")
    said(exercises.check_shrunk(KEEP, buffer=10**30 // 8 * 8), NOT_YET, "too large")
    said(exercises.check_shrunk(None, buffer=8), NOT_TRIED, "run the cell")
    said(exercises.check_shrunk(96, buffer=8), NOT_TRIED, "run the cell")


@live
def test_each_pair_of_sizes_has_an_answer_and_they_change() -> None:
    drawn = [exercises.sizes_to_keep() for _ in range(20)]
    assert len(set(drawn)) > 5
    assert limit.Sizes(data=160, values=12).build(WORD).accepted
    assert all(one.data <= 160 and one.values <= 12 for one in drawn)


# --- 3: find the line ---


@pytest.fixture(scope="module")
def puzzles() -> list[limit.Puzzle]:
    return [limit.puzzle(shift) for shift in range(limit.PUZZLE_OBJECTS)]


def used(puzzle: limit.Puzzle) -> list[int]:
    """The lines that write to an object."""
    lines = puzzle.report.source.splitlines()
    return [n for n, line in enumerate(lines, 1) if "[0] = " in line]


@live
def test_the_line_is_another_for_each_shift(puzzles: list[limit.Puzzle]) -> None:
    truths = [puzzle.refused_line() for puzzle in puzzles]
    assert sorted(filter(None, truths)) == used(puzzles[0])
    assert len(used(puzzles[0])) == limit.PUZZLE_OBJECTS
    assert len({exercises.puzzle().refused_line() for _ in range(12)}) > 1


@live
@pytest.mark.parametrize("form", ONE_NUMBER)
def test_the_right_line_is_right_in_any_form(puzzles: list[limit.Puzzle], form: str) -> None:
    for puzzle in puzzles:
        line = puzzle.refused_line()
        said(exercises.check_line(puzzle, ONE_NUMBER[form](line)), RIGHT, "too deep")


@live
def test_every_other_line_is_not(puzzles: list[limit.Puzzle]) -> None:
    for puzzle in puzzles:
        truth = puzzle.refused_line()
        for line in range(1, len(puzzle.report.source.splitlines()) + 1):
            if line != truth:
                text = said(exercises.check_line(puzzle, line), NOT_YET)
                assert str(truth) not in text


@live
def test_a_wrong_line_is_told_the_direction(puzzles: list[limit.Puzzle]) -> None:
    puzzle = puzzles[2]
    truth = puzzle.refused_line()
    assert truth
    said(exercises.check_line(puzzle, truth + 1), NOT_YET, "further up")
    said(exercises.check_line(puzzle, truth - 1), NOT_YET, "further down")
    said(exercises.check_line(puzzle, puzzle.declared_line(truth)), NOT_YET, "address is computed")
    said(exercises.check_line(puzzle, 0), NOT_YET, "has the lines 1 to")
    said(exercises.check_line(puzzle, 1000), NOT_YET, "has the lines 1 to")
    said(exercises.check_line(puzzle, "result[0]"), NOT_YET, "is text")
    said(exercises.check_line(puzzle), NOT_TRIED)
    for other in (None, puzzle.report, puzzle.log, 36):
        said(exercises.check_line(other, truth), NOT_TRIED, "run the cell")


@live
@either_kernel
def test_the_line_of_an_older_kernel_is_found_by_its_text() -> None:
    puzzle = limit.puzzle(3)
    line = puzzle.refused_line()
    assert line
    text = puzzle.report.source.splitlines()[line - 1]
    assert puzzle._line_of(text) == line
    said(exercises.check_line(puzzle, line), RIGHT)


# --- 5: the NULL check ---


@pytest.fixture(scope="module")
def verdicts() -> dict[str, str]:
    table: Any = labkit.claims.null_check().measured
    rows = table[~table.checked].set_index("key").accepted
    told = rows.map({True: "accepted", False: "refused"})
    return {"constant_key": told["constant"], "variable_key": told["variable"]}


@live
@pytest.mark.parametrize("form", [str, str.upper, str.title, np.str_, " {} ".format])
def test_the_right_verdicts_are_right_in_any_form(verdicts: dict[str, str], form: Any) -> None:
    said(exercises.check_null(**{key: form(word) for key, word in verdicts.items()}), RIGHT)


@live
def test_wrong_verdicts_are_not_and_none_is_told(verdicts: dict[str, str]) -> None:
    turned = {"accepted": "refused", "refused": "accepted"}
    for keys in (["constant_key"], ["variable_key"], list(verdicts)):
        given = {**verdicts, **{key: turned[verdicts[key]] for key in keys}}
        text = said(exercises.check_null(**given), NOT_YET, "not as measured here")
        assert "accepted" not in text and "refused" not in text


@pytest.mark.parametrize(
    ("given", "verdict", "words"),
    [
        ({}, NOT_TRIED, "'accepted', 'refused'"),
        ({"constant_key": "?", "variable_key": "?"}, NOT_TRIED, ""),
        ({"constant_key": "?", "variable_key": "refused"}, NOT_YET, "the constant key"),
        ({"constant_key": "yes", "variable_key": "refused"}, NOT_YET, "'yes'"),
        ({"constant_key": True, "variable_key": False}, NOT_YET, "True for the constant key"),
        ({"constant_key": 1, "variable_key": 0}, NOT_YET, "is no answer"),
        ({"constant_key": {}, "variable_key": pd.Series([1])}, NOT_YET, "is no answer"),
    ],
)
def test_what_is_no_verdict_gets_a_sentence(given: Any, verdict: str, words: str) -> None:
    said(exercises.check_null(**given), verdict, words)
