"""Which exercises this machine has seen solved: noted once, shown, and robust."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from answering import NOT_TRIED, NOT_YET, RIGHT, notes, said

from labkit.notebook import exercises
from labkit.notebook.exercises import of_percpu, solved
from labkit.notebook.feedback import Feedback, not_yet, right

__all__ = ["notes"]
MEMORY = of_percpu.Memory({"one": 8})


def file(notes: Path) -> Path:
    return notes / solved.FILE


def solve() -> Feedback:
    return exercises.check_memory(MEMORY, MEMORY.bytes)


def test_an_answer_reads_as_text_and_as_html() -> None:
    answer = not_yet("2 of <3>")
    assert repr(answer) == "not yet\n  2 of <3>"
    assert "2 of &lt;3&gt;" in answer._repr_html_()
    assert "✔ right" in right()._repr_html_()
    assert "– not tried yet" in Feedback(False, tried=False)._repr_html_()


def test_at_first_nothing_is_solved_and_nothing_is_written(notes: Path) -> None:
    said(exercises.check_memory(MEMORY, MEMORY.bytes + 1), NOT_YET)
    said(exercises.check_memory(MEMORY), NOT_TRIED)
    assert repr(exercises.progress()).startswith("0 of 10 exercises solved")
    assert not notes.exists()


def test_what_is_solved_stays_noted(notes: Path) -> None:
    said(solve(), RIGHT)
    first = json.loads(file(notes).read_text())
    said(exercises.check_memory(MEMORY, 0), NOT_YET)
    said(solve(), RIGHT)
    assert json.loads(file(notes).read_text()) == first
    assert list(first["solved"]) == ["memory"]
    assert "1 of 10" in repr(exercises.progress())
    assert "✔  6 what does it cost?" in repr(exercises.progress())
    assert [path.name for path in notes.iterdir()] == [solved.FILE]


def test_the_panel_names_all_ten_and_reads_without_colour(notes: Path) -> None:
    solve()
    html = exercises.progress()._repr_html_()
    assert 'data-solved="1"' in html
    assert html.count("– not yet") == 9 and html.count("✔ solved") == 1
    assert all(title in html for title in solved.TITLES.values())


BROKEN: dict[str, bytes] = {
    "empty": b"",
    "cut off": b'{"solved": {"memory": "2026',
    "no text": b"\xff\xfe\x00",
    "a list": b"[]",
    "a number": b"3",
    "another form": b'{"solved": ["memory"]}',
    "no dates": b'{"solved": {"memory": true}}',
    "too large": b'{"solved": {"memory": "' + b"2" * solved.LARGEST + b'"}}',
    "deep": b"[" * 10_000,
}


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_told_and_begun_anew(notes: Path, content: str) -> None:
    notes.mkdir()
    file(notes).write_bytes(BROKEN[content])
    told = exercises.progress()
    assert told.solved == {}
    assert "cannot be read" in repr(told) and "cannot be read" in told._repr_html_()
    said(solve(), RIGHT)
    assert list(exercises.progress().solved) == ["memory"]
    assert not exercises.progress().problem


def test_exercises_of_another_edition_are_left_out(notes: Path) -> None:
    notes.mkdir()
    file(notes).write_text('{"solved": {"santa": "2026-01-01T00:00:00Z"}}')
    assert "0 of 10" in repr(exercises.progress())


def test_a_folder_in_its_place_does_not_make_an_answer_wrong(notes: Path) -> None:
    file(notes).mkdir(parents=True)
    said(solve(), RIGHT, "could not be noted")
    assert [path.name for path in notes.iterdir()] == [solved.FILE]


def test_a_place_that_takes_no_file_does_not_make_an_answer_wrong(notes: Path) -> None:
    notes.write_text("a file where the folder should be")
    said(solve(), RIGHT, "could not be noted")
    assert "0 of 10" in repr(exercises.progress())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_what_root_notes_belongs_to_whom_the_folder_belongs_to(notes: Path) -> None:
    notes.mkdir()
    os.chown(notes, 12345, 12346)
    solve()
    owner = file(notes).stat()
    assert (owner.st_uid, owner.st_gid) == (12345, 12346)


def test_every_check_is_one_of_the_ten() -> None:
    checks = [name for name in exercises.__all__ if name.startswith("check_")]
    assert len(checks) == len(solved.TITLES)
    asked: Any = [getattr(exercises, name) for name in checks]
    assert all(not check().right and not check().tried for check in asked)
