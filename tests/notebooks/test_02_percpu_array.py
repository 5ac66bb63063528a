"""Notebook 02 on the live kernel, cell by cell: its values, what it leaves behind, its form."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import executed
import kernel
import nbformat
import pytest
import under_way
from executed import Executed

import labkit
from labkit.claims import VERDICTS
from labkit.collecting import files

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "notebooks" / "02_percpu_array.ipynb"
SOURCE = json.loads(PATH.read_text("utf-8"))
MOST_SECONDS = 240  # on two cores that others use as well

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


def code_cells() -> list[dict[str, Any]]:
    return [cell for cell in SOURCE["cells"] if cell["cell_type"] == "code"]


def test_it_is_committed_without_outputs() -> None:
    for cell in code_cells():
        assert (cell["outputs"], cell["execution_count"]) == ([], None), cell["id"]
    assert all(cell["metadata"] == {} for cell in SOURCE["cells"])
    kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert SOURCE["metadata"]["kernelspec"] == kernelspec
    assert "widgets" not in SOURCE["metadata"]


def test_its_cells_have_names_of_their_own() -> None:
    names = [cell["id"] for cell in SOURCE["cells"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]+", name) for name in names)


def test_a_narrative_cell_is_short() -> None:
    story = [cell for cell in code_cells() if not cell["id"].startswith("ex")]
    lines = sorted(len(cell["source"]) for cell in story)
    assert lines[-1] <= 10
    assert lines[len(lines) // 2] <= 5


def test_prose_stands_before_each_result_and_after_it() -> None:
    kinds = [cell["cell_type"] for cell in SOURCE["cells"]]
    assert kinds[0] == kinds[-1] == "markdown"
    pairs = zip(SOURCE["cells"], SOURCE["cells"][1:], strict=False)
    for one, next_one in pairs:
        both_code = one["cell_type"] == next_one["cell_type"] == "code"
        assert not both_code or one["id"].startswith("ex"), one["id"]


def test_each_exercise_has_a_hint_a_place_and_a_check() -> None:
    text = "\n".join("".join(cell["source"]) for cell in SOURCE["cells"])
    exercises = text.split("### Exercise ")[1:]
    assert len(exercises) >= 4
    for exercise in exercises:
        assert "<details><summary>Hint</summary>" in exercise
        assert "exercises.check_" in exercise


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


@pytest.mark.live
@pytest.mark.slow
def test_the_null_check_is_measured(ran: Executed) -> None:
    assert "variable key refused" in ran.shown("null-check")
    assert len(ran.shown("check", "image/png")) > 5000


CLAIMS = {
    "safe": "torn",
    "lines": "lines",
    "nest": "nested",
    "cost": "costs",
    "copy": "copied",
    "stale": "stale",
    "cap": "cap",
    "memory": "taken",
    "chain": "chains",
    "loss": "losses",
    "speed": "fast",
}


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("cell", CLAIMS)
def test_each_claim_has_a_verdict_and_is_in_the_last_table(ran: Executed, cell: str) -> None:
    verdict, why = ran.value(f"({CLAIMS[cell]}.verdict, {CLAIMS[cell]}.why)")
    assert verdict in VERDICTS
    words = " ".join(ran.shown("all").split())
    assert " ".join(f"{verdict.upper()}: {why}".split()) in words


@pytest.mark.live
@pytest.mark.slow
def test_the_last_table_tells_every_claim(ran: Executed) -> None:
    shown = ran.shown("all", "text/html")
    assert all(f">{name}</b>" in shown for name in labkit.claims.CLAIMS)
    assert "not measured yet" not in shown


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
    assert ran.value("int((run.table.filename == '/bin/true').sum())") >= 100
    assert ran.value("bool(run.table.data_ok.all())") is True
    assert ran.value("list(run.table.cpu.unique()) != []") is True


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize(
    "cell", ["plot-cpus", "plot-timeline", "plot-busiest", "plot-rate", "idea"]
)
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
    same = ran.value("notebook.look_into_map(run).same_bytes.dropna().tolist()")
    assert same
    assert all(same)


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
def test_the_exercises_wait_for_their_reader(ran: Executed) -> None:
    for cell in ("ex1", "ex2", "ex3", "ex4-check", "ex5"):
        assert ran.shown(cell).startswith("not yet"), cell


# What a reader might write, and what becomes of it.
CLEAN = (
    "\tfill_identity(event);",
    "\t__builtin_memset(event, 0, sizeof(*event));\n\tfill_identity(event);",
)
DIRECT = (
    ("BPF_PERCPU_ARRAY(event_slot, struct big_event, 1);\n", ""),
    ("event_slot.lookup(&zero)", "events.ringbuf_reserve(sizeof(*event))"),
    CLEAN,
    (
        "if (events.ringbuf_output(event, sizeof(*event), 0))\n\t\tcount->failed++;\n\telse\n\t\t",
        "",
    ),
    ("count->submitted++;", "events.ringbuf_submit(event, 0);\n\tcount->submitted++;"),
    # Both may be NULL, and what was reserved must not be forgotten: the counters come first.
    ("\tstruct big_event *event", "\tif (!count)\n\t\treturn 0;\n\tstruct big_event *event"),
    ("if (!count || !event)", "if (!event)"),
)


def answered(ran: Executed, name: str, *changes: tuple[str, str]) -> str:
    """Return the exercise's program as a reader changed it, as a %%bpf cell."""
    text = "".join(next(cell for cell in SOURCE["cells"] if cell["id"] == "ex4")["source"])
    for old, new in (("%%bpf clean", f"%%bpf {name}"), *changes):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@pytest.mark.live
@pytest.mark.slow
def test_right_answers_are_right(ran: Executed) -> None:
    right = "bool(exercises.check_{}.right)"
    assert ran.value(right.format("cost(sum(s.nbytes for s in run.slots.values()))"))
    ran.do(
        "lossy = labkit.collect('percpu', seconds=1, workload=labkit.exec_storm(rate=0),"
        " defines=['RINGBUF_BYTES=4096', 'DATA_BYTES=2048'])"
    )
    assert ran.value(right.format("loss(lossy)"))
    gaps = "run.table.groupby('cpu').timestamp.diff().max()"
    assert ran.value(right.format(f"longest_gap(run, {gaps})"))
    ran.do(answered(ran, "good_clean", CLEAN))
    assert ran.value(right.format("clean(good_clean)"))
    ran.do(answered(ran, "good_direct", *DIRECT))
    assert ran.value("good_direct.outcome") == "accepted"
    assert ran.value(right.format("no_scratch(good_direct)"))


@pytest.mark.live
@pytest.mark.slow
def test_wrong_answers_say_how_far_off(ran: Executed) -> None:
    assert "off" in ran.value("repr(exercises.check_cost(1))")
    assert "1 ns off" in ran.value(
        "repr(exercises.check_longest_gap(run,"
        " 1 + run.table.groupby('cpu').timestamp.diff().max()))"
    )
    ran.do(answered(ran, "broken", ("\treturn 0;\n}", "\treturn 0\n}")))
    assert "it does not load" in ran.value("repr(exercises.check_clean(broken))")
    assert "run the cell above" in ran.value("repr(exercises.check_no_scratch(None))")


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
    assert {error.ename for error in errors} == {"MachineError", "NameError"}
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
