"""Notebook 01: how it is made, and what its cells show on this machine's kernel."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import labkit
from labkit.machine.stack_limit import WORD
from labkit.notebook.limit import lets_through

PATH = Path(__file__).resolve().parents[2] / "notebooks" / "01_stack_limit.ipynb"
TIME_LIMIT = 90.0  # seconds for all cells on two cores


def read() -> Any:
    return nbformat.read(PATH, as_version=4)


def test_it_is_committed_without_outputs_and_with_stable_ids():
    notebook = read()
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]+", one) for one in ids)
    for cell in notebook.cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        assert cell.metadata == {}
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"


def test_cells_are_short_and_each_has_prose_before_and_after_it():
    cells = read().cells
    kinds = [cell.cell_type for cell in cells]
    assert kinds[0] == kinds[-1] == "markdown"
    for cell in cells:
        if cell.cell_type == "code" and not cell.source.startswith("%%bpf"):
            assert 1 <= len(cell.source.splitlines()) <= 10
            assert cell.source.count("\n") <= 4
    follow_ups = {"ex3", "ex4-check"}  # a place to try, and right below it the check
    for place, cell in enumerate(cells):
        if cell.cell_type == "code" and cell.id not in follow_ups:
            assert kinds[place - 1] == "markdown", cell.id
            assert kinds[place + 1] == "markdown" or cells[place + 1].id in follow_ups, cell.id


def test_each_exercise_has_a_folded_hint():
    cells = [cell for cell in read().cells if "### Exercise" in cell.source]
    assert len(cells) >= 4
    assert all("<details><summary>Hint</summary>" in cell.source for cell in cells)


class Ran:
    """The notebook after a run in a kernel that still lives."""

    def __init__(self, client: NotebookClient) -> None:
        self.client = client
        self.cells = {cell.id: cell for cell in client.nb.cells}
        self.seconds = 0.0

    def run_all(self) -> None:
        started = time.monotonic()
        for number, cell in enumerate(self.client.nb.cells):
            if cell.cell_type == "code":
                self.client.execute_cell(cell, number)
        self.seconds = time.monotonic() - started

    def text(self, name: str) -> str:
        """All that a cell printed or shows, in plain text."""
        outputs = self.cells[name].outputs
        return "\n".join(
            o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in outputs
        )

    def kinds(self, name: str) -> set[str]:
        return {kind for o in self.cells[name].outputs for kind in o.get("data", {})}

    def value(self, expression: str) -> str:
        """What an expression is now, in the notebook's own kernel."""
        cell = nbformat.v4.new_code_cell(f"print({expression})")
        self.client.nb.cells.append(cell)
        self.client.execute_cell(cell, len(self.client.nb.cells) - 1)
        return str(cell.outputs[0].text).strip()


def client_of(notebook: Any, **options: Any) -> NotebookClient:
    resources = {"metadata": {"path": str(PATH.parent)}}
    return NotebookClient(notebook, timeout=120, resources=resources, **options)


@pytest.fixture(scope="module")
def ran(monkeypatch_module):
    client = client_of(read())
    with client.setup_kernel():
        notebook = Ran(client)
        notebook.run_all()
        yield notebook


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(PATH.parents[2]))
        yield patch


live = pytest.mark.live


@live
def test_every_cell_ran_in_time(ran):
    code = [cell for cell in ran.cells.values() if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert ran.seconds < TIME_LIMIT
    assert all(output.output_type != "error" for cell in code for output in cell.outputs)
    printed = [o for cell in code for o in cell.outputs if o.get("name") == "stderr"]
    assert printed == []


@live
def test_every_cell_shows_something(ran):
    silent = [i for i, cell in ran.cells.items() if cell.cell_type == "code" and not cell.outputs]
    assert silent == []


@live
def test_the_structs_are_drawn(ran):
    assert "image/png" in ran.kinds("structs")
    assert "image/png" in ran.kinds("search")


@live
def test_the_three_outcomes_are_those_of_the_library(ran):
    expected = {name: labkit.build(name) for name in labkit.VARIANTS}
    outcomes = {name: (one.outcome, one.refused_by) for name, one in expected.items()}
    assert (
        ran.value("{n: (r.outcome, r.refused_by) for n, r in reports.items()} == " + repr(outcomes))
        == "True"
    )
    fatal = expected["stack_lifted"].verifier_log.fatal
    assert fatal
    html = "".join(o.data.get("text/html", "") for o in ran.cells["gate2"].outputs)
    assert fatal.body in html


@live
def test_the_compilers_text_is_there(ran):
    assert "BPF stack limit" in ran.text("gate1")


@live
def test_the_search_found_where_each_gate_stops(ran):
    for gate in ("compiler", "verifier"):
        size = int(ran.value(f"{gate}.size"))
        assert lets_through(size, gate)
        assert not lets_through(size + WORD, gate)
        assert f"the {gate} lets {size} bytes through" in ran.text("search")
    assert f"off=-{int(ran.value('verifier.size')) + WORD}" in ran.text("one-past")


@live
def test_the_switch_works_in_the_kernel(ran):
    click = "setattr(switch.choice, 'value', 'percpu')"
    words = f"({click}, switch.builds.wait(60), switch.report.outcome)[-1]"
    assert ran.value(words) == labkit.build("percpu").outcome
    assert {"text/html", "text/plain", "application/vnd.jupyter.widget-view+json"} <= ran.kinds(
        "toggle"
    )
    assert "stack" in ran.text("toggle")


@live
def test_the_good_programs_log_shows_what_is_left_on_the_stack(ran):
    assert int(ran.value("len(rows[on_stack])")) > 0
    assert ran.value("(rows[on_stack].source == 'u32 zero = 0;').any()") == "True"


@live
def test_the_tables_say_what_was_measured(ran):
    outcome = labkit.build("stack", defines=("NO_BARRIER",)).outcome
    assert outcome in ran.text("optimiser")
    assert labkit.build("stack", defines=("DATA_BYTES=32", "NO_BARRIER")).outcome in ran.text(
        "optimiser-small"
    )
    chain = labkit.call_chain(304, 304, program_type="socket_filter")
    assert repr(chain) in ran.text("chain")
    assert chain.said in ran.text("claims")


@live
def test_the_exercises_are_not_solved_yet_and_can_be(ran):
    for name in ("ex1", "ex2", "ex3", "ex4-check", "ex5"):
        assert ran.text(name).startswith("not yet")
    assert ran.value("exercises.check_shrunk(data=64, buffer=64, values=8).right") == "True"
    truth = "{s: exercises.who_refuses(s) for s in (504, 512, 520)}"
    assert ran.value(f"exercises.check_predictions({truth}).right") == "True"


@live
def test_the_cell_of_ones_own_names_its_own_line(ran):
    html = "".join(o.data.get("text/html", "") for o in ran.cells["ex4"].outputs)
    lines = ran.cells["ex4"].source.splitlines()
    assert re.search(r"mine\.c:(\d+):", html)
    said = int(re.search(r"mine\.c:(\d+):", html)[1])  # type: ignore[index]
    if said:  # LLVM 19 knows no line for it and says 0
        assert "struct scratch scratch" in lines[said - 1] or lines[said - 1] == "{"


@live
def test_cells_run_again_show_the_same(ran):
    for name in ("three", "chain", "ex2"):
        before = ran.text(name)
        number = [cell.id for cell in ran.client.nb.cells].index(name)
        ran.client.execute_cell(ran.cells[name], number)
        assert ran.text(name) == before


def test_without_bcc_no_cell_shows_the_librarys_insides(monkeypatch):
    monkeypatch.setenv("LABKIT_BCC_PYTHON", "/nonexistent/python3")
    monkeypatch.setenv("PYTHONPATH", str(PATH.parents[2]))
    client = client_of(read(), allow_errors=True)
    client.execute()
    shown = {cell.id: cell.get("outputs", []) for cell in client.nb.cells}
    assert "MISSING  bcc" in shown["machine"][0].data["text/plain"]
    errors = [o for outputs in shown.values() for o in outputs if o.output_type == "error"]
    assert errors
    own_lines = re.compile(r"labkit/\w+\.py|site-packages")
    for error in errors:
        assert not own_lines.search("\n".join(error.traceback)), error.traceback
    first = next(o for o in shown["structs"] if o.output_type == "error")
    assert "To mend it" in "\n".join(first.traceback)
