"""Notebook 05 and its worked copy: how they are made, and what their cells show here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import executed
import nbformat
import pytest
import simulated
from executed import Executed

from labkit.notebook.exercises import solved
from labkit.notebook.exercises.of_percpu import START

PATH = executed.NOTEBOOKS / "05_exercises.ipynb"
WORKED = executed.ROOT / "solutions" / PATH.name
MOST_SECONDS = 120  # for all cells of one of them, on two cores that others use as well
CHECKS = [f"ex{n}" for n in (1, 2, 3, 5, 6, 7, 8)] + ["ex4-check", "ex9-check", "ex10-check"]

pytestmark = pytest.mark.timeout(2 * MOST_SECONDS)
live = pytest.mark.live


def read(path: Path = PATH) -> Any:
    return nbformat.read(path, as_version=4)


def by_id(path: Path) -> dict[str, Any]:
    return {cell.id: cell for cell in read(path).cells}


# --- as they stand in git ---


@pytest.mark.parametrize("path", [PATH, WORKED], ids=["exercises", "worked"])
def test_it_is_committed_without_outputs_and_with_stable_ids(path: Path) -> None:
    notebook = read(path)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]+", one) for one in ids)
    for cell in notebook.cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"


def test_the_worked_copy_asks_the_same_and_answers_each() -> None:
    exercises, worked = by_id(PATH), by_id(WORKED)
    added = set(worked) - set(exercises)
    assert added == {f"ex{n}-why" for n in range(1, 11)}
    assert [name for name in worked if name not in added] == list(exercises)
    assert all(cell.metadata.tags == ["exercise"] for cell in exercises.values())
    answered = {f"ex{n}" for n in range(1, 11)}
    for name, cell in exercises.items():
        other = worked[name]
        if name in answered:
            assert other.metadata.tags == ["solution"]
            assert other.source != cell.source
        elif name not in ("title", "end-a"):
            there = cell.source.replace("](0", "](../notebooks/0")
            assert (other.source, other.metadata) == (there, cell.metadata), name
    assert all(worked[name].metadata.tags == ["solution"] for name in added)


def test_a_program_to_begin_with_is_that_of_its_file() -> None:
    cells = by_id(PATH)
    for name, file in {"ex4": "own_scratch", "ex9": "stale_event"}.items():
        text = START[file].read_text().split("*/\n", 1)[1].rstrip("\n")
        assert cells[name].source.partition("\n")[2] == text


def test_cells_are_short_and_prose_stands_before_each() -> None:
    cells = read().cells
    for before, cell in pairwise(cells):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown", cell.id
            assert cell.source.startswith("%%bpf") or len(cell.source.splitlines()) <= 5
            assert all(len(line) <= 100 for line in cell.source.splitlines())


def test_each_exercise_has_a_folded_hint_and_its_title() -> None:
    text = "\n".join(cell.source for cell in read().cells)
    parts = text.split("### Exercise ")[1:]
    assert len(parts) == len(solved.TITLES)
    for number, (part, title) in enumerate(zip(parts, solved.TITLES.values(), strict=True), 1):
        assert part.startswith(f"{number}: {title}\n")
        assert part.count("<details><summary>Hint</summary>") == 1
        assert part.count("exercises.check_") == 1


@pytest.mark.parametrize("path", [PATH, WORKED], ids=["exercises", "worked"])
def test_what_it_links_to_is_there(path: Path) -> None:
    for cell in read(path).cells:
        for place in re.findall(r"\]\(([^)#]+)\)", cell.source if "%%" not in cell.source else ""):
            assert (path.parent / place).exists(), place


# --- as they run ---

HERE, SIMULATED = simulated.KERNELS
KERNELS = [HERE, pytest.param(SIMULATED, marks=pytest.mark.slow)]


def started(kernel: str, notes: Path) -> str:
    other = f"{simulated.startup()}\n" if kernel == SIMULATED else ""
    there = f"results.RESULTS = type(results.RESULTS)({str(notes)!r})"
    return f"{other}from labkit import results\n{there}"


@pytest.fixture(scope="module", params=KERNELS)
def ran(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executed]:
    """The exercises as an attendee first runs them all."""
    notes = tmp_path_factory.mktemp("exercises")
    with executed.kernel_for(read(), timeout=MOST_SECONDS) as notebook:
        notebook.do(started(request.param, notes))
        notebook.run_all()
        yield notebook


@pytest.fixture(scope="module", params=KERNELS)
def worked(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executed]:
    notes = tmp_path_factory.mktemp("worked")
    with executed.kernel_for(read(WORKED), timeout=MOST_SECONDS) as notebook:
        notebook.do(started(request.param, notes))
        notebook.run_all()
        yield notebook


def test_a_check_whose_cell_was_not_run_says_so(tmp_path: Path) -> None:
    with executed.kernel_for(read(), timeout=MOST_SECONDS) as notebook:
        notebook.do(started(HERE, tmp_path))
        notebook.run_again("begin")
        for name in CHECKS:
            if name != "ex5":  # whose question needs no cell
                notebook.run_again(name)
                said = notebook.text(name)
                assert said.startswith("not tried yet\n"), (name, said)
                assert "run the cell" in said or "no run yet" in said


@live
def test_nothing_fails_and_nothing_is_said_before_an_attempt(ran: Executed) -> None:
    code = [cell for cell in ran.cells.values() if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert not [o for o in ran.outputs() if o.output_type == "error" or o.get("name") == "stderr"]
    assert ran.seconds < MOST_SECONDS
    for name in CHECKS:
        assert ran.text(name).startswith("not tried yet"), name
    assert ran.text("progress").startswith("0 of 10")


@live
def test_the_questions_are_there_and_are_others_each_time(ran: Executed) -> None:
    for name in ("ex1-frames", "ex2-keep", "ex6-memory"):
        shown = {ran.text(name)}
        for _ in range(8):
            ran.run_again(name)
            shown.add(ran.text(name))
        assert len(shown) > 2, name
    assert "off=-" in ran.text("ex3-log")


@live
def test_each_worked_answer_is_right(worked: Executed) -> None:
    assert not [o for o in worked.outputs() if o.output_type == "error"]
    for name in CHECKS:
        assert worked.text(name).startswith("right"), (name, worked.text(name))
    assert worked.text("progress").startswith("10 of 10")
    assert worked.text("begin").startswith("0 of 10")


@live
def test_answers_stay_right_when_the_questions_change(worked: Executed) -> None:
    for name in ("ex1-frames", "ex1", "ex2-keep", "ex2", "ex3-log", "ex3", "ex6-memory", "ex6"):
        worked.run_again(name)
        assert name not in CHECKS or worked.text(name).startswith("right"), name


@live
def test_numbers_of_a_neighbour_are_not_right(worked: Executed) -> None:
    """What was computed for one draw does not pass for another."""
    old = worked.value("[sum(memory.sizes.values()) * len(possible_cpus()), max(loads)]")
    passed = [0, 0]
    for _ in range(4):
        for name in ("ex6-memory", "ex2-keep"):
            worked.run_again(name)
        passed[0] += worked.value(f"exercises.check_memory(memory, {old[0]}).right")
        passed[1] += worked.value(f"exercises.check_shrunk(keep, buffer={old[1]}).right")
    assert passed[0] < 4 and passed[1] < 4
