"""Notebook 01: how it is made, and what its cells show on this machine's kernel."""

from __future__ import annotations

import re
from typing import Any

import executed
import pytest
import simulated
import words

import labkit
from labkit.building.frame_size import lets_through
from labkit.building.report import IN_SHORT
from labkit.machine import stack_limit
from labkit.machine.stack_limit import WORD
from labkit.notebook import VERDICTS

NAME = "01_stack_limit.ipynb"
MOST_SECONDS = 240  # for all cells, on two cores that others use as well
TOTAL = 1568  # bytes: the three objects of the lesson
QUESTIONS = ("predict-lifted", "predict-frame")

# Whichever test comes first runs the whole notebook.
pytestmark = pytest.mark.timeout(2 * MOST_SECONDS)


# A stopwatch of words -----------------------------------------------------------------------------

MOST_BEFORE_THE_TOGGLE = 150


def test_the_idea_is_in_the_first_screen():
    cells = words.cells(NAME)
    place = [cell["id"] for cell in cells].index("toggle")
    prose = [cell["source"] for cell in cells[:place] if cell["cell_type"] == "markdown"]
    code = [cell["source"] for cell in cells[: place + 1] if cell["cell_type"] == "code"]
    assert len(" ".join(prose).split()) <= MOST_BEFORE_THE_TOGGLE
    assert len(code) == 3
    assert "struct_definitions()" in code[0]
    assert 'build("stack")' in code[1] and 'build("percpu")' in code[1]
    assert "variant_switch()" in code[2]


def test_it_links_to_what_it_speaks_of():
    links = set(words.links(NAME))
    assert {"02_percpu_array.ipynb", "03_compiler_and_verifier.ipynb"} <= links
    assert {"../bpf/exec_event.h", "../bpf/exec_events.c", "../bpf/claims/frame_size.c"} <= links
    assert any("iovisor/bcc" in link for link in links)


# Executed -----------------------------------------------------------------------------------------

HERE, SIMULATED = simulated.KERNELS


@pytest.fixture(scope="module", params=[HERE, pytest.param(SIMULATED, marks=pytest.mark.slow)])
def ran(request):
    """The notebook, run on this machine's kernel and on the simulated one."""
    other = request.param == SIMULATED
    with pytest.MonkeyPatch.context() as patch:
        if other:
            simulated.install(patch)
        with executed.executed(NAME, simulated.startup() if other else "") as notebook:
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
def test_no_cell_shows_the_librarys_insides(ran):
    assert [hit for output in ran.outputs() for hit in words.raw(output)] == []


@live
def test_what_the_first_screen_shows_is_what_the_library_measures(ran):
    for name in ("stack", "percpu"):
        assert f"{name}: {IN_SHORT[labkit.build(name).outcome]}" in ran.text("two-ways")
    shown = ran.text("structs-in-c")
    for name, facts in labkit.layout().items():
        assert name == "counters" or f"sizeof(struct {name}) == {facts['size']}" in shown


@live
def test_what_is_drawn_is_drawn(ran):
    for name in ("structs", "frame", "search"):
        assert "image/png" in ran.kinds(name)


@live
def test_running_all_cells_answers_no_question(ran):
    assert [name for name in QUESTIONS if not ran.still_asks(name)] == []


@live
def test_a_guess_is_compared_with_what_is_measured(ran):
    lifted = VERDICTS[0 if labkit.build("stack_lifted").accepted else 1]
    asked = "(made := notebook.predict('?', notebook.VERDICTS, answer=lambda: notebook."
    asked = f"{asked}verdict('stack_lifted'), said={lifted!r}), made.right, repr(made))[1:]"
    right, said = ran.value(asked)
    assert right is True
    assert f"right: measured is {lifted}" in said
    refusing = [f"the {gate}" for gate in ("compiler", "verifier") if not lets_through(512, gate)]
    truth = {0: "nobody", 2: "both"}.get(len(refusing), "".join(refusing[:1]))
    assert ran.value("notebook.who_refuses(512)") == truth


@live
def test_the_first_refusal_of_the_verifier_is_that_of_the_library(ran):
    expected = {name: labkit.build(name) for name in labkit.VARIANTS}
    outcomes = {name: (one.outcome, one.refused_by) for name, one in expected.items()}
    same = "{n: (r.outcome, r.refused_by) for n, r in reports.items()} == " + repr(outcomes)
    assert ran.value(same) is True
    fatal = expected[ran.value("refused.variant")].verifier_log.fatal
    assert fatal
    assert fatal.body in ran.shown("gate2", "text/html")


@live
def test_what_is_said_follows_from_what_was_measured(ran):
    size = stack_limit.largest_frame()
    assert f"{size} bytes, measured" in ran.text("machine")
    assert ran.value("reports['percpu'].stack_limit") == size
    assert ran.value("verifier.size") == size
    assert ran.value("reports['stack_lifted'].accepted") is (size >= TOTAL)
    assert ran.value("refused.variant") == ("stack_beyond" if size >= TOTAL else "stack_lifted")
    depth = -int(ran.value("refused.verifier_log.fatal.body").split("off=")[1].split()[0])
    assert depth > size


@live
def test_what_lifting_changes_in_the_source_is_shown(ran):
    how = labkit.build("stack_lifted").how_lifted
    assert how
    assert how in ran.text("lifting")
    assert ("+\tstruct local_data *local = CARVE(" in ran.text("lifting")) == ("CARVE" in how)


# The compiler's limit, LLVM's default, is the same number on every kernel.
COMPILERS = re.compile(r"(?:stack limit of|the compiler (?:refuses|lets)[^.]*?|refuses) 512\b")
# Cells about the compiler's limit, a size of ours, or what other kernels grant.
ABOUT_IT = ("gate1", "toggle", "predict-frame", "structs-in-c", "search", "kernels")


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


@live
def test_the_switch_works_in_the_kernel(ran):
    click = "setattr(switch.choice, 'value', 'percpu')"
    asked = f"({click}, switch.builds.wait(60), switch.report.outcome)[-1]"
    assert ran.value(asked) == labkit.build("percpu").outcome
    assert {"text/html", "text/plain", "application/vnd.jupyter.widget-view+json"} <= ran.kinds(
        "toggle"
    )
    assert "stack" in ran.text("toggle")


@live
def test_cells_run_again_show_the_same(ran):
    for name in ("lifting", "predict-frame", "search"):
        before = ran.text(name)
        ran.run_again(name)
        assert ran.text(name) == before


def errors_of(notebook: Any) -> dict[str, Any]:
    outputs = {name: cell.get("outputs", []) for name, cell in notebook.cells.items()}
    return {
        name: output
        for name, shown in outputs.items()
        for output in shown
        if output.output_type == "error"
    }


def test_without_bcc_no_cell_shows_the_librarys_insides():
    without = {"LABKIT_BCC_PYTHON": "/nonexistent/python3"}
    with executed.executed(NAME, env=without, allow_errors=True) as notebook:
        shown = {name: cell.get("outputs", []) for name, cell in notebook.cells.items()}
        errors = errors_of(notebook)
    assert "struct big_event {" in shown["structs-in-c"][0].data["text/plain"]
    assert "MISSING  bcc" in shown["machine"][0].data["text/plain"]
    assert errors
    own_lines = re.compile(r"labkit/\w+\.py|site-packages")
    for error in errors.values():
        assert not own_lines.search("\n".join(error.traceback)), error.traceback
    assert "To mend it" in "\n".join(errors["two-ways"].traceback)
