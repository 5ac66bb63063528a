"""The worker's server: a stop and a time limit always get through, a child never outlives it."""

from __future__ import annotations

import json
import os

import kernel
import pytest

from labkit.building import build
from labkit.collecting.collection import LOG_LEVEL, Collection
from labkit.program.variants import Variant, find
from labkit.session import Job, Session
from labkit.worker import child

# Each line doubles what the compiler has to read; it is not done within a minute.
ENDLESS = "#define A0 int x;\n" + "".join(f"#define A{n} A{n - 1} A{n - 1}\n" for n in range(1, 40))


def has_ended(job: Job) -> bool:
    job.read(0.5)
    return job.over


@pytest.mark.live
def test_a_stop_during_a_long_compile_is_no_time_limit() -> None:
    endless = Variant("endless", ENDLESS + "A39\n", "compiles for ever")
    with Collection(endless) as collection:
        assert kernel.wait_until(
            lambda: collection.read(0.1) is not None and collection.job.event("compiling"), 30
        )
        run = collection.finish()
    assert run.report.outcome == "worker_died"
    assert "asked to stop" in run.report.reason
    assert "time limit" not in run.report.reason
    assert not run.attached


@pytest.mark.live
@pytest.mark.parametrize("how", ["stop", "time limit", "caller gone"])
def test_a_caller_that_does_not_read_keeps_nothing_attached(how: str, tmp_path) -> None:
    """What a build prints is more than a pipe holds."""
    session = Session()
    try:
        limit = 8.0 if how == "time limit" else 60.0
        request = build.request_for(
            find("percpu").with_defines("VALUES=400"), "lab", limit, LOG_LEVEL
        )
        layouts = build.layout()
        file = {
            "path": str(tmp_path / "a.run"),
            "owner": [os.geteuid(), os.getegid()],
            "record_size": layouts["big_event"]["size"],
        }
        extra: dict[str, object] = {
            "job": "collect",
            "ring": "events",
            "seconds": None,
            "snapshots": [],
        }
        job = Job(session, {**request, **extra, "file": file, "facts": {"layouts": layouts}})
        assert kernel.wait_until((tmp_path / "a.run").exists, 60)
        assert kernel.wait_until(lambda: kernel.programs(session.process.pid), 5)
        programs = kernel.programs(session.process.pid)
        if how == "stop":
            job.stop()
        if how == "caller gone":
            assert session.process.stdin
            session.process.stdin.close()
        assert kernel.gone(programs, 15)
        if how == "caller gone":
            return
        assert kernel.wait_until(lambda: has_ended(job), 30)
        assert len(json.dumps(job.event("loaded"))) > 1 << 16
        assert job.events[-1]["killed"] == ("late" if how == "time limit" else "")
    finally:
        session.close()


def test_a_child_whose_parent_ended_before_it_looked_ends_too() -> None:
    not_its_parent = os.getppid()
    pid = os.fork()
    if pid == 0:
        child.die_with_parent(not_its_parent)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == child.FAULT


@pytest.mark.live
def test_a_child_that_died_after_its_last_word_was_attached_all_the_same() -> None:
    with Collection("percpu") as collection:
        assert kernel.wait_until(
            lambda: collection.read(0.1) is not None and collection.attached, 30
        )
        collection.stop()
        assert kernel.wait_until(lambda: collection.read(0.1) is not None and collection.over, 30)
        collection.job.events[-1].update(exit_code=None, signal=9)
        run = collection.finish()
    assert run.report.outcome == "worker_died"
    assert run.attached
    assert run.complete
    assert run.balanced
    assert "nothing attached" not in repr(run)
