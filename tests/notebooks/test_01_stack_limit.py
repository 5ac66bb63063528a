"""Notebook 01: how it is made, and what its cells show on this machine's kernel."""

from __future__ import annotations

import re
from typing import Any

import executed
import nbformat
import pytest
import simulated

import labkit
from labkit.building.frame_size import lets_through
from labkit.machine import stack_limit
from labkit.machine.stack_limit import WORD

PATH = executed.NOTEBOOKS / "01_stack_limit.ipynb"
MOST_SECONDS = 240  # for all cells, on two cores that others use as well

# Whichever test comes first runs the whole notebook.
pytestmark = pytest.mark.timeout(2 * MOST_SECONDS)


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


HERE, SIMULATED = simulated.KERNELS


@pytest.fixture(scope="module", params=[HERE, pytest.param(SIMULATED, marks=pytest.mark.slow)])
def ran(request):
    """The notebook, run on this machine's kernel and on the simulated one."""
    other = request.param == SIMULATED
    with pytest.MonkeyPatch.context() as patch:
        if other:
            simulated.install(patch)
        with executed.executed(PATH.name, simulated.startup() if other else "") as notebook:
            yield notebook
    simulated.forget()


live = pytest.mark.live


@live
def test_every_cell_ran_in_time(ran):
    code = [cell for cell in ran.cells.values() if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert ran.seconds < MOST_SECONDS
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
    same = "{n: (r.outcome, r.refused_by) for n, r in reports.items()} == " + repr(outcomes)
    assert ran.value(same) is True
    name = ran.value("refused.variant")
    fatal = expected[name].verifier_log.fatal
    assert fatal
    assert fatal.body in ran.shown("gate2", "text/html")


@live
def test_what_is_said_follows_from_what_was_measured(ran):
    size, total = stack_limit.largest_frame(), 1568
    assert f"{size} bytes, measured" in ran.text("machine")
    assert ran.value("reports['percpu'].stack_limit") == size
    assert ran.value("verifier.size") == size
    assert ran.value("reports['stack_lifted'].accepted") is (size >= total)
    assert ran.value("refused.variant") == ("stack_beyond" if size >= total else "stack_lifted")
    too_many, to_spare = f"{total - size} too many", f"fits, {size - total} to spare"
    assert (too_many if total > size else to_spare) in ran.text("sizes")
    fit = "do not fit" if total > size else "fit"
    assert f"{total} bytes {fit} the {size}" in ran.text("outlook")
    assert f"grants {size}" in ran.text("three")
    depth = -int(ran.value("refused.verifier_log.fatal.body").split("off=")[1].split()[0])
    assert depth > size
    assert f"past the {size} bytes of stack" in ran.shown("stepper", "text/html")
    assert f"{depth - size} bytes past the end of the stack" in ran.text("stepper")


# The compiler's limit, LLVM's default, is the same number on every kernel.
COMPILERS = re.compile(
    r"(?:stack limit of|the compiler (?:refuses|lets)[^.]*?|refuses|more than the) 512\b|data\[512"
    r"|512: '\?'"
)
ABOUT_IT = ("claims", "gate1")  # the sentences that circulate; what the compiler printed


@live
def test_no_kernel_is_said_to_grant_what_another_does(ran):
    size = stack_limit.largest_frame()
    if size == 512:
        pytest.skip("on this kernel both limits are the same number")
    for name, cell in ran.cells.items():
        if cell.cell_type == "code" and name not in ABOUT_IT:
            said = COMPILERS.sub("", ran.text(name))
            assert not re.search(r"(?<![\d.,-])512\b", said), (name, said)


@live
def test_the_compilers_text_is_there(ran):
    assert "BPF stack limit" in ran.text("gate1")


@live
def test_the_search_found_where_each_gate_stops(ran):
    for gate in ("compiler", "verifier"):
        size = ran.value(f"{gate}.size")
        assert lets_through(size, gate)
        assert not lets_through(size + WORD, gate)
        assert f"the {gate} lets {size} bytes through" in ran.text("search")
    assert f"off=-{ran.value('verifier.size') + WORD}" in ran.text("one-past")


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
    assert ran.value("len(rows[on_stack])") > 0
    assert ran.value("bool((rows[on_stack].source == 'u32 zero = 0;').any())") is True


@live
def test_the_tables_say_what_was_measured(ran):
    outcome = labkit.build("stack", defines=("NO_BARRIER",)).outcome
    assert outcome in ran.text("optimiser")
    assert labkit.build("stack", defines=("DATA_BYTES=32", "NO_BARRIER")).outcome in ran.text(
        "optimiser-small"
    )
    frame = stack_limit.largest_frame() // 2 + 48
    chain = stack_limit.call_chain(frame, frame, program_type="socket_filter")
    assert repr(chain) in ran.text("chain")
    assert chain.said in " ".join(ran.text("claims").split())


@live
def test_the_exercises_are_not_solved_yet_and_can_be(ran):
    for name in ("ex1", "ex2", "ex3", "ex4-check", "ex5"):
        assert ran.text(name).startswith("not yet")
    assert ran.value("exercises.check_shrunk(data=64, buffer=64, values=8).right") is True
    sizes = "(compiler.size, compiler.size + 8, verifier.size + 8)"
    truth = f"{{s: exercises.who_refuses(s) for s in {sizes}}}"
    assert ran.value(f"exercises.check_predictions({truth}).right") is True


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
        ran.run_again(name)
        assert ran.text(name) == before


def test_without_bcc_no_cell_shows_the_librarys_insides():
    without = {"LABKIT_BCC_PYTHON": "/nonexistent/python3"}
    with executed.executed(PATH.name, env=without, allow_errors=True) as notebook:
        shown = {name: cell.get("outputs", []) for name, cell in notebook.cells.items()}
    assert "MISSING  bcc" in shown["machine"][0].data["text/plain"]
    errors = [o for outputs in shown.values() for o in outputs if o.output_type == "error"]
    assert errors
    own_lines = re.compile(r"labkit/\w+\.py|site-packages")
    for error in errors:
        assert not own_lines.search("\n".join(error.traceback)), error.traceback
    first = next(o for o in shown["structs"] if o.output_type == "error")
    assert "To mend it" in "\n".join(first.traceback)
