"""The file of a run, written from memory by a thread of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from labkit.worker import run_writer
from labkit.worker.run_writer import RunWriter

SIZE = 24  # bytes of a record


made_here: list[RunWriter] = []


def writer(path: Any, kind: type[RunWriter] = RunWriter) -> RunWriter:
    owner = [os.geteuid(), os.getegid()]
    wanted = {"path": str(path), "record_size": SIZE, "owner": owner}
    made_here.append(kind(wanted, {"fact": 1}, b"counters"))
    return made_here[-1]


@pytest.fixture(autouse=True)
def _end_threads() -> Iterator[None]:
    """A test that fails half way leaves no mover that keeps the whole run from its end."""
    yield
    while made_here:
        made_here.pop()._ended.set()


def test_records_are_in_the_file_at_the_end(tmp_path: Any) -> None:
    made = writer(tmp_path / "run")
    records = os.urandom(SIZE * 1000)
    os.write(made.memory, records)
    made.finish(False)
    assert (tmp_path / "run").read_bytes().endswith(records)
    assert made.problem == ""


class Moving(RunWriter):
    """The mover goes on, by what is no whole record, at the worst moment: during each look."""

    def waiting(self) -> int:
        before = super().waiting()
        self._moved += min(SIZE // 2, before)
        return before

    def _move(self) -> None:
        """Not by itself."""


def test_a_look_while_records_are_moved_finds_nothing_wrong(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = writer(tmp_path / "run", Moving)
    os.write(made.memory, bytes(SIZE * 10))
    for _ in range(10):
        made.look(0)
        made.waiting()
    assert made.problem == ""
    made.finish(False)


def test_a_record_of_another_size_is_found(tmp_path: Any) -> None:
    made = writer(tmp_path / "run")
    os.write(made.memory, bytes(SIZE + 1))
    made.look(0)
    assert "24 bytes" in made.problem
    made.finish(False)
    assert (tmp_path / "run").stat().st_size == made.header.records_at


def test_memory_that_was_full_is_told(tmp_path: Any) -> None:
    made = writer(tmp_path / "run")
    os.write(made.memory, bytes(SIZE))
    made.finish(True)
    assert made.problem == "Cannot allocate memory"
    assert (tmp_path / "run").stat().st_size == made.header.records_at + SIZE


def test_a_disk_that_lags_is_told(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = writer(tmp_path / "run", Moving)
    monkeypatch.setattr(run_writer, "MOST_WAITING", SIZE)
    os.write(made.memory, bytes(SIZE * 3))
    made.look(0)
    assert "too slow" in made.problem
    made.finish(False)
