"""Notebook 02 on the live kernel, cell by cell: its values, and what it leaves behind."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import executed
import kernel
import nbformat
import pytest
import under_way
import words
from executed import Executed

from labkit.claims import VERDICTS
from labkit.collecting import files

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "notebooks" / "02_percpu_array.ipynb"
MOST_SECONDS = 120  # on two cores that others use as well

# Whichever test comes first runs the whole notebook.
pytestmark = pytest.mark.timeout(2 * MOST_SECONDS)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def ran(results: Path) -> Iterator[Executed]:
    """The notebook after a run of all its cells, its kernel still there to be asked."""
    startup = f"""from labkit.collecting import files
files.RESULTS = type(files.RESULTS)({str(results)!r})"""
    with executed.executed(PATH.name, startup, timeout=MOST_SECONDS) as notebook:
        yield notebook


# --- as it stands in git ---


def test_what_is_extra_is_folded() -> None:
    heads = [cell for cell in words.cells(PATH.name) if cell["source"].startswith("## Extra")]
    assert len(heads) == 2
    assert all(cell["metadata"][words.FOLDED] for cell in heads)


def test_it_links_to_what_it_speaks_of() -> None:
    links = words.links(PATH.name)
    for one in ("01_stack_limit", "03_compiler_and_verifier", "04_claims", "05_exercises"):
        assert f"{one}.ipynb" in links
    assert {"../bpf/exec_events.c", "../bpf/claims/tearing.c"} <= {*links}
    assert any(link.startswith("https://docs.kernel.org/bpf/") for link in links)
    assert any(link.endswith("compat.bpf.h") for link in links)


# --- as it runs ---


@pytest.mark.live
@pytest.mark.slow
def test_run_all_ends_by_itself_in_time(ran: Executed) -> None:
    counts = [cell.execution_count for cell in ran.cells.values() if cell.cell_type == "code"]
    assert None not in counts
    assert ran.seconds < MOST_SECONDS
    said = [o for cell in ran.cells.values() for o in cell.get("outputs", [])]
    assert not [o for o in said if o.output_type == "error" or o.get("name") == "stderr"]


@pytest.mark.live
@pytest.mark.slow
def test_the_pattern_loads_with_a_small_stack(ran: Executed) -> None:
    assert ran.value("pattern.outcome") == "accepted"
    depth = ran.value("pattern.stack_depth")
    assert depth is None or 4 <= depth <= 16


# What a guess is told: the answers that a reader may choose from, by the cell of the question.
GUESSES = {
    "null-guess": ("always", "never", "it depends"),
    "left-over": ("zeros", "the end of an older name"),
}


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("cell", GUESSES)
def test_a_question_is_asked_and_not_answered_before_a_guess(ran: Executed, cell: str) -> None:
    assert all(choice in ran.shown(cell) for choice in GUESSES[cell])
    assert ran.still_asks(cell)


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("cell", GUESSES)
def test_a_guess_is_answered_with_what_was_measured(ran: Executed, cell: str) -> None:
    ran.do(ran.cells[cell].source.replace("notebook.predict", "guessed = notebook.predict"))
    for choice in GUESSES[cell]:
        ran.do(f"guessed.guess({choice!r})")
        assert ran.value("guessed.measured.value") in GUESSES[cell]
        assert ran.value("guessed.right") == (ran.value("guessed.measured.value") == choice)
        assert ("right: measured is" in ran.value("guessed.words")) == ran.value("guessed.right")


@pytest.mark.live
@pytest.mark.slow
def test_safety_across_cpus_is_measured(ran: Executed) -> None:
    verdict, torn = ran.value(
        "(torn.verdict, int(torn.measured.torn[torn.measured.scratch == 'per-CPU'].sum()))"
    )
    assert verdict in VERDICTS
    assert (verdict == "false") == (torn > 0)
    assert len(ran.shown("safe", "image/png")) > 5000
    assert "Said by" in ran.shown("safe", "text/html")


@pytest.mark.live
@pytest.mark.slow
def test_a_reader_without_a_kernel_sees_a_real_run(ran: Executed) -> None:
    assert re.search(r"[1-9]\d* delivered", ran.shown("collect"))
    assert "each one counted" in ran.shown("collect", "text/html")
    assert len(ran.shown("collect", "image/png")) > 5000
    assert ran.value("live.run.balanced") is True


@pytest.mark.live
@pytest.mark.slow
def test_the_run_balances_and_its_load_is_in_it(ran: Executed) -> None:
    assert ran.value("run.balanced") is True
    assert ran.value("len(ours)") >= 100
    assert ran.value("bool((ours.filename == 'labkit-storm').all())") is True
    assert ran.value("bool(run.table.data_ok.all())") is True
    assert ran.value("list(run.table.cpu.unique()) != []") is True


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("cell", ["plot-timeline", "plot-busiest", "plot-rate", "idea"])
def test_each_picture_is_there(ran: Executed, cell: str) -> None:
    assert len(ran.shown(cell, "image/png")) > 5000


@pytest.mark.live
@pytest.mark.slow
def test_the_pictures_carry_the_account(ran: Executed) -> None:
    title = ran.value("plots.rate(run).get_title(loc='left')")
    total = ran.value("int(run.account.attempted.sum())")
    assert f"{total} attempted" in title


@pytest.mark.live
@pytest.mark.slow
def test_the_slot_is_the_last_row(ran: Executed) -> None:
    same = ran.value("notebook.look_into_map(run).same_bytes.tolist()")
    assert same
    assert all(same)
    assert "NA" not in ran.shown("slots")


@pytest.mark.live
@pytest.mark.slow
def test_longer_names_shine_through(ran: Executed) -> None:
    assert ran.value("int((notebook.left_over(run) != '').sum())") > 0


@pytest.mark.live
@pytest.mark.slow
def test_the_tracepoint_names_the_file_by_place(ran: Executed) -> None:
    assert ran.shown("data-loc") == "True"
    assert {"filename", "pid", "old_pid"} <= set(ran.value("list(point.fields.index)"))


@pytest.mark.live
@pytest.mark.slow
def test_the_file_is_the_frame(ran: Executed, results: Path) -> None:
    assert ran.shown("read-back") == "True"
    ran.do("".join(ran.cells["export"].source))  # another test may have run `run` again
    path = Path(ran.value("path"))
    assert path.parent == results
    assert len(files.read_csv(path)) == ran.value("len(run)")
    facts = json.loads(path.with_suffix(".json").read_text())
    assert facts["versions"]["kernel"] == os.uname().release


@pytest.mark.live
@pytest.mark.slow
def test_the_runs_of_many_machines_are_one_table(ran: Executed) -> None:
    said = "".join(output.text for output in ran.cells["fleet-open"].outputs)
    if importlib.util.find_spec("dask") and importlib.util.find_spec("distributed"):
        assert re.search(rf"^{re.escape(os.uname().nodename)} +[1-9]\d*$", said, re.M)
    else:
        assert "Dask, which is not installed here" in said


@pytest.mark.live
@pytest.mark.slow
def test_nothing_raw_is_shown(ran: Executed) -> None:
    assert [hit for output in ran.outputs() for hit in words.raw(output)] == []


@pytest.mark.live
@pytest.mark.slow
def test_running_cells_again_and_out_of_order_works(ran: Executed) -> None:
    for cell in ("slots", "run", "plot-rate", "collect", "frame", "collect"):
        ran.do("".join(ran.cells[cell].source))
    assert ran.value("live.run.balanced") is True


@pytest.mark.live
@pytest.mark.slow
def test_an_interrupt_ends_a_cell_and_keeps_what_came(ran: Executed) -> None:
    with under_way.interrupts(ran.pid):
        ran.do("long = labkit.collect('percpu', seconds=100, workload=labkit.exec_storm())")
    assert ran.value("long.seconds") < 90
    assert ran.value("(long.interrupted, long.balanced, len(long) > 0)") == [True, True, True]


def test_without_bcc_each_cell_says_so_in_a_line() -> None:
    """The first cell tells what to mend; none shows the library's insides."""
    lacking = {"LABKIT_BCC_PYTHON": "/usr/bin/false"}
    with executed.executed(PATH.name, env=lacking, allow_errors=True) as notebook:
        outputs = {name: cell.get("outputs", []) for name, cell in notebook.cells.items()}
    assert "python3-bpfcc" in str(outputs["machine"][0]["data"]["text/plain"])
    assert "python3-bpfcc" in str(outputs["collect"][0]["data"]["text/plain"])
    errors = [o for said in outputs.values() for o in said if o.output_type == "error"]
    assert {error.ename for error in errors} == {"MachineError"}
    for error in errors:
        shown = "\n".join(error.traceback)
        assert "site-packages" not in shown
        assert f"{ROOT}/labkit" not in shown


@pytest.mark.live
def test_a_restart_of_the_kernel_leaves_nothing_attached() -> None:
    with executed.kernel_for(nbformat.v4.new_notebook(), timeout=60) as other:
        other.do("import labkit, asyncio; live = labkit.collector(); live.start()")
        other.do("while not live.live.attached: await asyncio.sleep(0.05)")
        attached = kernel.programs(other.pid)
        os.kill(other.pid, signal.SIGKILL)
        assert kernel.gone(attached)
