"""Notebook 03, which is optional: how it is made, and what its cells show on this machine."""

from __future__ import annotations

import executed
import pytest
import simulated
import words

import labkit
from labkit.building.report import IN_SHORT
from labkit.machine import stack_limit
from labkit.notebook import VERDICTS, mistakes

NAME = "03_compiler_and_verifier.ipynb"
MOST_SECONDS = 240
QUESTIONS = ("predict-optimiser", "predict-chain")
TOTAL = 1568  # bytes: the three objects of the lesson

pytestmark = pytest.mark.timeout(2 * MOST_SECONDS)
live = pytest.mark.live


def test_all_of_it_is_optional_and_it_links_to_what_it_speaks_of():
    assert all(cell["metadata"]["tags"] == ["optional"] for cell in words.cells(NAME))
    links = set(words.links(NAME))
    assert {"01_stack_limit.ipynb", "02_percpu_array.ipynb", "04_claims.ipynb"} <= links
    assert {"../bpf/exec_events.c", "../bpf/exec_event.h"} <= links
    assert "../bpf/mistakes/ringbuf_leak.c" in links


@pytest.fixture(
    scope="module",
    params=[simulated.KERNELS[0], pytest.param(simulated.KERNELS[1], marks=pytest.mark.slow)],
)
def ran(request):
    """The notebook, run on this machine's kernel and on the simulated one."""
    other = request.param == simulated.KERNELS[1]
    with pytest.MonkeyPatch.context() as patch:
        if other:
            simulated.install(patch)
        with executed.executed(NAME, simulated.startup() if other else "") as notebook:
            yield notebook
    simulated.forget()


@live
def test_every_cell_ran_in_time_and_shows_something(ran):
    code = [cell for cell in ran.cells.values() if cell.cell_type == "code"]
    assert all(cell.execution_count and cell.outputs for cell in code)
    assert ran.seconds < MOST_SECONDS
    assert all(output.output_type != "error" for cell in code for output in cell.outputs)
    assert [o for cell in code for o in cell.outputs if o.get("name") == "stderr"] == []


@live
def test_no_cell_shows_the_librarys_insides(ran):
    assert [hit for output in ran.outputs() for hit in words.raw(output)] == []


@live
def test_the_log_is_read_as_the_library_reads_it(ran):
    size = stack_limit.largest_frame()
    name = "stack_beyond" if size >= TOTAL else "stack_lifted"
    assert ran.value("refused.variant") == name
    for one in (labkit.build(name), labkit.build("percpu")):
        assert f"{one.variant}: {one.insns_processed} instructions" in ran.text("processed")
    assert ran.value("bool((rows[on_stack].source == 'u32 zero = 0;').any())") is True
    depth = -int(ran.value("refused.verifier_log.fatal.body").split("off=")[1].split()[0])
    assert f"past the {size} bytes of stack" in ran.shown("stepper", "text/html")
    assert f"{depth - size} bytes past the end of the stack" in ran.text("stepper")
    assert "image/png" in ran.kinds("users")


@live
def test_whether_the_objects_fit_follows_from_the_limit(ran):
    size = stack_limit.largest_frame()
    fit = "do not fit" if size < TOTAL else "fit"
    assert f"{TOTAL} bytes {fit} the {size}" in ran.text("outlook")


@live
def test_running_all_cells_answers_no_question(ran):
    assert [name for name in QUESTIONS if not ran.still_asks(name)] == []


@live
def test_the_questions_are_answered_by_measuring(ran):
    safeguards = ("NO_BARRIER", "NO_ACCESSES", "NO_UNROLL")
    alone = labkit.build("stack", defines=safeguards)
    assert (
        ran.value(f"notebook.verdict('stack', *{safeguards}).value") == VERDICTS[not alone.accepted]
    )
    frame = stack_limit.largest_frame() // 2 + 48
    chain = stack_limit.call_chain(frame, frame)
    asked = "notebook.chain_verdict(frame, frame, program_type='tracepoint').value"
    assert ran.value(asked) == VERDICTS[not chain.passed]


@live
def test_the_tables_say_what_was_measured(ran):
    assert IN_SHORT[labkit.build("stack", defines=("NO_BARRIER",)).outcome] in ran.text("optimiser")
    small = labkit.build("stack", defines=("DATA_BYTES=32", "NO_BARRIER"))
    row = next(x for x in ran.text("optimiser-small").splitlines() if x.startswith("barrier  "))
    assert IN_SHORT[small.outcome] in row
    assert str(small.stack_depth) in row
    frame = stack_limit.largest_frame() // 2 + 48
    for program_type in ("tracepoint", "socket_filter"):
        chain = stack_limit.call_chain(frame, frame, program_type=program_type)
        assert repr(chain) in ran.text("chain")


@live
def test_every_mistake_is_in_the_table_as_expected(ran):
    rows = ran.value("all_mistakes and mistakes.table(skip=['too_long']).to_numpy().tolist()")
    assert len(rows) == len(mistakes.mistakes()) - 1
    assert all(expected == measured for expected, measured in rows)
    assert "Unreleased reference" in ran.text("break-one")
    assert "EXPECT" not in ran.text("break-one-source")
    assert ran.text("break-own-explain").startswith("Accepted")
