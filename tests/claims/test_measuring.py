from __future__ import annotations

import math
import os

import kernel
import pytest

from labkit import claims
from labkit.claims import measuring
from labkit.claims.measuring import Trial, Unmeasurable
from labkit.errors import WorkerError
from labkit.program.variants import Variant


class FakeReading(measuring.Reading):
    """A trial of one source, as far as its times and failures."""

    def __init__(self, failures: list[int], times: list[float]) -> None:
        object.__setattr__(self, "made", (failures, times))

    def failures(self, number: int) -> list[int]:
        return self.made[0]  # type: ignore[attr-defined]

    def ns_per_run(self, number: int) -> list[float]:
        return self.made[1]  # type: ignore[attr-defined]


def test_a_burst_that_lost_events_is_not_timed():
    reading = FakeReading(failures=[0, 5, 0], times=[100.0, 900.0, 110.0])
    times = [ns for _, _, ns in measuring.timings([reading], [0])]
    assert times[::2] == [100.0, 110.0] and math.isnan(times[1])
    with pytest.raises(Unmeasurable):
        measuring.timings([FakeReading(failures=[5, 5, 0], times=[1.0] * 3)], [0])


def test_a_large_machine_is_not_brought_to_a_stop(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2, *range(100, 228)})
    assert measuring.cpus() == list(range(220, 228))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 4})
    assert measuring.cpus() == [0, 4]


@pytest.mark.live
def test_a_tracepoint_that_is_not_there_cannot_be_told(tmp_path):
    path = tmp_path / "nowhere.c"
    path.write_text("RAW_TRACEPOINT_PROBE(no_such_tracepoint) { return 0; }\n")
    with pytest.raises(Unmeasurable, match="no_such_tracepoint"):
        measuring.measure([Variant("nowhere", path, "")], [Trial((0,))])


@pytest.mark.live
def test_a_refused_program_cannot_be_told_and_is_left_out_where_asked(tmp_path):
    path = tmp_path / "refused.c"
    path.write_text("int f(void *ctx) { return *(int *)0; }\n")
    refused = Variant("refused", path, "")
    with pytest.raises(Unmeasurable, match=r"refused\.c was not loaded"):
        measuring.measure([refused], [])
    load = (measuring.rename(measuring.cpus()[0], 10),)
    good = measuring.source("nothing", "AT_RENAME")
    done = measuring.measure([refused, good], [Trial((0, 1), load)], partial=True)
    assert done.accepted == (1,)
    assert (done.readings[0].counted(1, "task_rename", "run_cnt") or 0) >= 10


@pytest.mark.live
def test_a_defect_of_the_worker_is_an_error_and_no_verdict():
    load = ({"kind": "no such load", "cpu": -1},)
    with pytest.raises(WorkerError):
        measuring.measure([measuring.source("nothing")], [Trial((7,), load)])


@pytest.mark.live
def test_nothing_stays_loaded_after_a_measurement():
    claims.loss(calls=100)
    assert kernel.wait_until(lambda: not kernel.programs(), 5)
