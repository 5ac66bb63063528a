"""The live widget, driven as a notebook's event loop drives it; the browser has its own test."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import kernel
import made_runs
import pytest
import under_way

from labkit.collecting import files, workload
from labkit.collecting.run import Run
from labkit.errors import MachineError
from labkit.notebook import collector as module
from labkit.notebook.collector import Collector
from labkit.worker.load import LOAD_NAME

PNG = b"\x89PNG"


def made(run=None) -> Collector:
    return Collector(first=lambda: made_runs.make_run() if run is None else run)


def state(panel: Collector) -> str:
    found = re.search(r'data-state="(\w+)"', panel.state.value)
    assert found
    return found[1]


async def until(true: Callable[[], object], seconds: float = 30) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not true():
        assert loop.time() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


def in_loop(scenario: Callable[[Collector], Awaitable[None]], panel: Collector) -> None:
    async def whole() -> None:
        try:
            await scenario(panel)
        finally:
            panel.close_down()

    asyncio.run(whole())


class Over:
    """Stands in for Live: a collection that is over as soon as it is begun."""

    attached = False

    def __init__(self, run: Run) -> None:
        self.brought = run

    def __call__(self, variant: str, _seconds: float, _on_tick: object) -> Over:
        self.variant = variant
        return self

    async def run(self) -> Run:
        return self.brought

    def close(self) -> None:
        """Nothing is under way."""


def collect(panel: Collector, run: Run, monkeypatch) -> None:
    """Press Start; the collection brings that run."""
    monkeypatch.setattr(module, "Live", Over(run))

    async def press() -> None:
        panel.start_button.click()
        await until(lambda: panel.live is None)

    asyncio.run(press())


# --- without an event loop ---


def test_a_reader_without_a_kernel_sees_the_first_run() -> None:
    panel = made()
    bundle = panel._repr_mimebundle_()
    assert "2 attempted, 2 delivered, 0 failed" in bundle["text/plain"]
    assert "/bin/true" in bundle["text/html"]
    assert base64.b64decode(bundle["image/png"]).startswith(PNG)
    assert bytes(panel.picture.value).startswith(PNG)


def linked(panel: Collector) -> list[bytes]:
    return [base64.b64decode(data) for data in re.findall(r"base64,([\w+/=]+)", panel.link.value)]


def test_the_links_carry_the_very_bytes_of_the_file() -> None:
    panel = made(made_runs.make_run([made_runs.record(comm=b"=1+1", filename=b"<a>")]))
    csv, facts, parquet = linked(panel)
    assert panel.run is not None
    assert parquet == files.parquet_bytes(panel.run).to_pybytes()
    assert csv == files.csv_text(panel.run).encode()
    assert json.loads(facts) == files.about(panel.run, csv_sha256=hashlib.sha256(csv).hexdigest())


def test_a_new_run_replaces_the_links(monkeypatch) -> None:
    panel = made()
    old = linked(panel)[0]
    collect(panel, made_runs.make_run([made_runs.record(comm=b"newer")]), monkeypatch)
    assert b"newer" in linked(panel)[0]
    assert old not in linked(panel)


def test_a_run_of_very_many_events_is_not_put_into_a_link(monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_IN_A_LINK", 1)
    panel = made()
    assert linked(panel) == []
    assert "2 events are too many for a link" in panel.link.value


def test_a_refusal_offers_no_rows_of_an_older_run(monkeypatch) -> None:
    panel = made()
    collect(panel, made_runs.refused_run(), monkeypatch)
    assert linked(panel) == []
    assert panel.picture.layout.display == "none"
    assert "the compiler refused it" in panel.result.value


def test_save_writes_the_run_and_says_where(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(files, "RESULTS", tmp_path)
    panel = made()
    panel.save_button.click()
    (path,) = tmp_path.glob("*.csv")
    assert path.name in panel.saved.value
    assert len(files.read_csv(path)) == 2


def test_what_a_callback_raises_is_shown_in_the_widget(monkeypatch) -> None:
    def broken(*_: object) -> Path:
        raise MachineError("the <disk> is full", "free some")

    monkeypatch.setattr(files, "export_csv", broken)
    panel = made()
    panel.save_button.click()
    assert state(panel) == "failed"
    assert "the &lt;disk&gt; is full" in panel.result.value
    assert "free some" in panel.result.value


def test_a_machine_that_cannot_collect_is_said_in_the_widget() -> None:
    def lacking() -> Run:
        raise MachineError("no Python here can import bcc", "sudo ./lab")

    panel = Collector(first=lacking)
    assert "sudo ./lab" in panel.words
    assert panel.save_button.disabled


def test_back_to_good_without_a_good_run_asks_for_one() -> None:
    panel = made(made_runs.refused_run())
    panel.choice.value = "stack"
    panel.choice.value = "percpu"
    assert "press Start" in panel.state.value
    assert panel.result.value == ""


def test_without_an_event_loop_start_says_so() -> None:
    panel = made()
    panel.start_button.click()
    assert state(panel) == "failed"
    assert "no running event loop" in panel.result.value


# --- with one ---


@pytest.mark.live
def test_start_and_stop_answer_at_once_and_the_run_is_shown() -> None:
    async def scenario(panel: Collector) -> None:
        panel.start_button.click()
        assert state(panel) == "starting"
        assert panel.live.collection is None, "no worker was waited for"
        assert panel.start_button.disabled
        await until(lambda: state(panel) == "collecting")
        assert panel.result.value == panel.link.value == ""  # nothing of the run before
        panel.storm_buttons[-1].click()
        await until(lambda: panel.live.counts.total() > 100)
        panel.stop_button.click()
        assert state(panel) == "stopping"
        assert panel.live.result is None, "nor the end of the collection"
        await until(lambda: state(panel) == "done")
        assert (panel.run.table.comm == LOAD_NAME).any()
        assert panel.run.balanced
        assert f"{panel.run!r}" == panel.words
        assert panel.storms == []

    in_loop(scenario, made())


@pytest.mark.live
def test_a_run_ends_by_itself() -> None:
    async def scenario(panel: Collector) -> None:
        panel.seconds.value = 1
        panel.start_button.click()
        await until(lambda: state(panel) == "done")
        assert panel.run.complete
        assert 0.9 < panel.run.seconds < 10
        assert panel.progress.value == panel.progress.max

    in_loop(scenario, made())


@pytest.mark.live
def test_the_load_runs_on_the_cpu_that_was_chosen(tmp_path: Path, monkeypatch) -> None:
    """By a program of this test's own: other tests have the lab's load running as well."""
    program = tmp_path / "ours"
    program.symlink_to("/bin/true")
    ours = partial(workload.exec_storm, program=str(program))
    monkeypatch.setattr(workload, "exec_storm", ours)
    chosen = next(iter(module.storm_targets().values()))

    async def scenario(panel: Collector) -> None:
        panel.start_button.click()
        await until(lambda: state(panel) == "collecting")
        panel.storm_buttons[0].click()
        await until(lambda: under_way.seen(program) >= 20)
        panel.stop_button.click()
        await until(lambda: state(panel) == "done")
        on = panel.run.table.cpu[panel.run.table.filename == str(program)]
        assert len(on) >= 20
        assert on.isin(chosen).all()

    in_loop(scenario, made())


@pytest.mark.live
def test_the_bad_variant_is_refused_and_the_good_run_comes_back() -> None:
    async def scenario(panel: Collector) -> None:
        good = panel.run
        panel.choice.value = "stack"
        await until(lambda: state(panel) == "refused")
        assert panel.run.report.outcome == "compiler_refused"
        assert "BPF stack limit" in panel.result.value
        panel.choice.value = "percpu"
        assert panel.run is good
        assert state(panel) == "done"
        assert panel.picture.layout.display is None

    in_loop(scenario, made())


@pytest.mark.live
def test_a_toggle_during_a_collection_ends_it_and_keeps_it() -> None:
    async def scenario(panel: Collector) -> None:
        panel.start_button.click()
        await until(lambda: state(panel) == "collecting")
        for choice in ("stack", "percpu", "stack"):
            panel.choice.value = choice
        await until(lambda: state(panel) == "refused")
        panel.choice.value = "percpu"
        assert panel.run.balanced
        assert panel.run.seconds < 9

    in_loop(scenario, made())


@pytest.mark.live
def test_stop_while_it_is_still_starting_gives_a_run() -> None:
    async def scenario(panel: Collector) -> None:
        panel.start_button.click()
        panel.stop_button.click()
        await until(lambda: state(panel) == "done")
        assert panel.run.report.accepted
        assert panel.run.seconds < panel.seconds.value

    in_loop(scenario, made())


@pytest.mark.live
def test_a_cell_run_again_leaves_nothing_of_the_one_before(monkeypatch) -> None:
    monkeypatch.setattr(module, "first_run", made_runs.make_run)

    async def scenario(first: Collector) -> None:
        first.start_button.click()
        await until(lambda: state(first) == "collecting")
        attached = kernel.programs()
        second = module.collector()
        assert state(first) == "closed"
        assert kernel.gone(attached)
        assert first.start_button.disabled
        assert first.run.complete
        second.seconds.value = 1
        second.start_button.click()
        await until(lambda: state(second) == "done")
        second.close_down()

    in_loop(scenario, module.collector())


@pytest.mark.live
def test_a_cell_run_again_during_the_start_leaves_nothing() -> None:

    async def scenario(panel: Collector) -> None:
        panel.start_button.click()
        await asyncio.sleep(0.05)
        panel.close_down()
        assert panel.task is not None
        await panel.task
        assert kernel.programs() == set()
        assert state(panel) == "closed"

    in_loop(scenario, made())


@pytest.mark.live
def test_a_dead_worker_ends_the_run_and_keeps_what_came() -> None:
    async def scenario(panel: Collector) -> None:
        panel.start_button.click()
        await until(lambda: state(panel) == "collecting")
        panel.storm_buttons[-1].click()
        await until(lambda: panel.live and panel.live.counts.total() > 20)
        panel.live.collection.session.process.kill()
        await until(lambda: panel.live is None)
        assert panel.run is not None
        assert panel.run.complete is False
        assert len(panel.run) > 20
        assert "the worker died" in panel.result.value

    in_loop(scenario, made())


@pytest.mark.live
def test_the_picture_is_drawn_at_most_four_times_a_second() -> None:
    async def scenario(panel: Collector) -> None:
        drawn: list[float] = []
        loop = asyncio.get_running_loop()
        panel.picture.observe(lambda _change: drawn.append(loop.time()), "value")
        panel.seconds.value = 120
        panel.start_button.click()
        await until(lambda: state(panel) == "collecting")
        panel.storm_buttons[-1].click()
        await until(lambda: len(drawn) > 3, 90)
        panel.stop_button.click()
        await until(lambda: state(panel) == "done")
        assert all(b - a >= 0.2 for a, b in pairwise(drawn[:-1]))

    in_loop(scenario, made())
