"""Live collections: what is exec'd on purpose arrives, the account balances, nothing stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import kernel
import pytest
import under_way

import labkit
from labkit.building import build
from labkit.collecting import collection as collecting
from labkit.collecting.collection import Collection
from labkit.collecting.run import Run
from labkit.program.variants import Variant
from labkit.session import Job, Session

pytestmark = pytest.mark.live


def collect_while(act: object, **options: object) -> Run:
    """Collect until ``act``, which runs once the program is attached, is over."""
    with Collection(**options) as collection:  # type: ignore[arg-type]
        assert kernel.wait_until(lambda: collection.read() is not None and collection.attached, 30)
        act()  # type: ignore[operator]
        return collection.finish()


def program_called(name: str | bytes, folder: Path) -> str:
    """Return the path of a program of that name: a link to /bin/true."""
    path = os.path.join(os.fsencode(folder), os.fsencode(name))
    os.symlink("/bin/true", path)
    return os.fsdecode(path)


def test_23_processes_are_23_rows(tmp_path: Path) -> None:
    program = program_called("twentythree", tmp_path)
    started: list[int] = []

    def start_them() -> None:
        for _ in range(23):
            process = subprocess.Popen([program])
            started.append(process.pid)
            process.wait()

    run = collect_while(start_them)
    rows = run.table[run.table.comm == "twentythree"]
    assert len(rows) == 23
    if kernel.in_first_pid_namespace():
        assert rows.pid.tolist() == started
    assert (rows.filename == program).all()
    assert rows.data_ok.all()
    assert run.balanced
    assert run.account.failed.sum() == 0


def test_the_pid_is_the_one_by_which_the_machine_counts() -> None:
    if not kernel.in_first_pid_namespace():
        pytest.skip("in a container: pid is that of the machine, Popen.pid that of the container")
    started: list[int] = []

    def start_it() -> None:
        with subprocess.Popen(["/bin/true"]) as process:  # waits: Popen returns before the event
            started.append(process.pid)

    run = collect_while(start_it)
    assert started[0] in set(run.table.pid)


def test_a_refusal_is_tried_again_with_the_machines_headers(monkeypatch) -> None:
    asked: list[str] = []

    class Noted(Job):
        def __init__(self, session: object, request: dict) -> None:
            asked.append(request["headers"])
            super().__init__(session, request)  # type: ignore[arg-type]

    monkeypatch.setattr(collecting, "Job", Noted)
    monkeypatch.setattr(build, "machine_has_headers", lambda: True)
    source = '#ifdef PAGE_SIZE\n#error "with the headers of the lab"\n#endif\n'
    run = labkit.collect(Variant("needs_more", source, "for this test"), seconds=1)
    assert asked == ["lab", "machine"]
    assert run.report.outcome == "compiler_refused"
    # The lab's own headers told more, unless the machine has others indeed.
    assert "with the headers of the lab" in run.report.compiler_log or run.report.notes


def test_times_are_the_wall_clocks(tmp_path: Path) -> None:
    program = program_called("onetime", tmp_path)
    before = time.time_ns()
    run = collect_while(lambda: subprocess.run([program], check=True))
    after = time.time_ns()
    row = run.table[run.table.comm == "onetime"].iloc[0]
    assert before < row.time.value < after
    assert row.time.tzinfo is not None
    assert row.cpu in os.sched_getaffinity(0)


@pytest.mark.parametrize(
    "name",
    [
        b"caf\xc3\xa9",
        b"\xff\xfe",
        b"a\x1b[31mb",
        b"<script>x",
        b"two\nlines",
        b"back\\slash",
        b"=1+1",
    ],
)
def test_names_from_strangers_survive(name: bytes, tmp_path: Path) -> None:
    from labkit.collecting.records import raw_bytes

    program = program_called(name, tmp_path)
    run = collect_while(lambda: subprocess.run([program], check=True))
    rows = run.table[[raw_bytes(text) == os.fsencode(program) for text in run.table.filename]]
    assert len(rows) == 1
    assert raw_bytes(rows.comm.iloc[0]) == name
    assert rows.filename.iloc[0].isprintable()


def test_a_long_path_is_cut_not_broken(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["d" * 200] * 3)
    folder.mkdir(parents=True)
    program = program_called("long", folder)
    run = collect_while(lambda: subprocess.run([program], check=True))
    row = run.table[run.table.comm == "long"].iloc[0]
    assert len(row.filename) == 512 - 16 - 1
    assert program.startswith(row.filename)


def test_a_refused_variant_is_a_run_without_events() -> None:
    run = labkit.collect("stack", seconds=5)
    assert run.report.outcome == "compiler_refused"
    assert len(run.table) == 0
    assert run.slots == {}


def test_a_stack_small_enough_collects_too(tmp_path: Path) -> None:
    program = program_called("smallstack", tmp_path)
    small = ["DATA_BYTES=128", "BUFFER_BYTES=64", "VALUES=4"]
    run = collect_while(
        lambda: subprocess.run([program], check=True), variant="stack", defines=small
    )
    rows = run.table[run.table.comm == "smallstack"]
    assert rows.data_ok.all() and len(rows) == 1
    assert run.balanced


def test_a_storm_is_not_lost() -> None:
    run = labkit.collect("percpu", seconds=3, workload=labkit.exec_storm(rate=0))
    assert len(run) > 200
    assert run.balanced
    assert run.account.failed.sum() == 0
    assert run.table.data_ok.all()
    assert run.table.timestamp.is_monotonic_increasing


def test_failures_are_counted() -> None:
    """With a ring buffer for 7 events, nothing read in between, the rest fails and is counted."""
    with Collection("percpu", defines=[f"RINGBUF_BYTES={4096}"]) as collection:
        assert kernel.wait_until(lambda: collection.read() is not None and collection.attached, 30)
        os.kill(kernel.children(collection.session.process.pid)[0], signal.SIGSTOP)
        for _ in range(50):
            subprocess.run(["/bin/true"], check=True)
        os.kill(kernel.children(collection.session.process.pid)[0], signal.SIGCONT)
        run = collection.finish()
    assert run.account.failed.sum() > 0
    assert run.balanced
    assert run.account.attempted.sum() >= 50


def test_slots_hold_each_cpus_last_event() -> None:
    run = labkit.collect("percpu", seconds=1, workload=labkit.exec_storm(rate=100))
    last = run.table.groupby("cpu").timestamp.max()
    slots = run.slots["event_slot"]["timestamp"]
    assert len(last) > 0
    assert all(slots[cpu] == timestamp for cpu, timestamp in last.items())


def test_an_interrupt_keeps_what_was_collected() -> None:
    script = (
        "import labkit; run = labkit.collect(workload=labkit.exec_storm(rate=200));"
        "print(run.interrupted, len(run) > 0, run.balanced)"
    )
    caller = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    with under_way.interrupts(caller.pid) as programs:
        told, _ = caller.communicate(timeout=90)
    assert told.split() == ["True", "True", "True"]
    assert programs
    assert kernel.gone(programs)


def test_an_interrupt_before_the_first_look_leaves_no_worker(monkeypatch) -> None:
    """It is raised, since there is no run yet; the worker that compiles is ended all the same."""
    sessions: list[Session] = []

    def interrupted() -> None:
        raise KeyboardInterrupt

    class Watched(Session):
        def __init__(self) -> None:
            super().__init__()
            sessions.append(self)

    monkeypatch.setattr(collecting, "Session", Watched)
    monkeypatch.setattr(collecting, "_import_for_tables", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Collection("percpu")
    assert sessions[0].process.poll() is not None


def test_a_killed_worker_loses_no_row_that_came() -> None:
    with Collection("percpu") as collection, labkit.exec_storm(rate=200):
        assert kernel.wait_until(
            lambda: collection.read() is not None and collection.count > 20, 30
        )
        os.kill(collection.session.process.pid, signal.SIGKILL)
        run = collection.finish()
    assert len(run) > 20
    assert not run.complete
    assert not run.balanced
    assert len(run.table) == len(run)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), 1e9])
def test_not_a_time(seconds: float) -> None:
    with pytest.raises(labkit.UsageError, match="seconds must be"):
        labkit.collect("percpu", seconds=seconds)


def test_a_caller_that_is_killed_leaves_nothing_loaded() -> None:
    """Kill -9 while attached: within two seconds the kernel holds no program of ours."""
    script = (
        "import labkit; labkit.collect('percpu', on_records=lambda *_: print('row', flush=True))"
    )
    caller = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    with labkit.exec_storm(rate=50):
        assert caller.stdout and caller.stdout.readline() == b"row\n"
        programs = kernel.programs(caller.pid)
        caller.kill()
        caller.wait()
        assert kernel.gone(programs, 2)


def test_two_at_once_do_not_disturb_each_other() -> None:
    with Collection("percpu") as first, Collection("percpu") as second:
        both = (first, second)
        assert kernel.wait_until(lambda: all(c.read() is not None and c.attached for c in both), 30)
        subprocess.run(["/bin/true"], check=True)
        runs = [collection.finish() for collection in both]
    assert all(run.balanced and "true" in set(run.table.comm) for run in runs)


def test_the_kernels_word_for_our_program_is_known() -> None:
    """What stays loaded is looked for by name or by who holds it: both must find it."""
    with Collection("percpu") as collection:
        assert kernel.wait_until(lambda: collection.read() is not None and collection.attached, 30)
        assert kernel.programs()
        assert kernel.programs() <= kernel.loaded("prog")
        assert len(kernel.loaded("map")) >= 5


def test_the_seconds_are_those_that_it_was_attached() -> None:
    begun = time.monotonic()
    run = labkit.collect("percpu", seconds=1, workload=labkit.exec_storm(rate=100))
    assert 1 <= run.seconds < time.monotonic() - begun
    seen = run.table.timestamp.max() - run.table.timestamp.min()
    assert seen / 1e9 <= run.seconds


def test_a_stop_while_it_compiles_ends_in_good_order() -> None:
    with Collection("percpu") as collection:
        assert kernel.wait_until(
            lambda: collection.read() is not None and collection.job.event("compiling"), 30
        )
        run = collection.finish()
    assert run.report.accepted
    assert run.complete
    assert run.balanced


def test_records_of_another_size_are_named_and_not_taken_for_events() -> None:
    text = labkit.VARIANTS["percpu"].text.replace("sizeof(*event), 0)", "sizeof(*event) - 8, 0)")
    assert text != labkit.VARIANTS["percpu"].text
    variant = Variant("shorter", text, "for this test")
    run = labkit.collect(variant, seconds=5, workload=labkit.exec_storm(rate=0))
    assert run.problem == "a record was not the 544 bytes that it has to be"
    assert len(run) == 0
    assert run.file is not None
    run.discard_file()
