"""What the tests of the exercises share: programs as readers change them, a place for notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labkit import results
from labkit.magic import build_cell
from labkit.notebook.exercises.of_percpu import START
from labkit.notebook.feedback import Feedback

NOT_TRIED, NOT_YET, RIGHT = "not tried yet", "not yet", "right"
Change = tuple[str, str]


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is solved here is noted in a folder of the test's own."""
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def start(name: str) -> str:
    """Return the program that an exercise begins with, as its cell has it."""
    return START[name].read_text().split("*/\n", 1)[1]


def changed(text: str, *changes: Change) -> str:
    """Return a program as a reader has changed it; each old text stands in it once."""
    for old, new in changes:
        assert text.count(old) == 1, (old, text)
        text = text.replace(old, new)
    return text


def built(text: str, line: str = "mine") -> Any:
    return build_cell(line, text)


def said(feedback: object, verdict: str, words: str = "") -> str:
    """Assert the verdict, and that it is said in a sentence; return what is said."""
    assert isinstance(feedback, Feedback)
    text = " ".join(feedback.words)
    assert feedback.verdict == verdict, feedback
    assert words in text, feedback
    assert "Error" not in text
    return text
