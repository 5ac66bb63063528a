"""Exercises 6 to 8: the answers that people give, right and wrong, and what is said."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import made_runs
import numpy as np
import pandas as pd
import pytest
from answering import NOT_TRIED, NOT_YET, RIGHT, notes, said

import labkit
from labkit.machine.cpus import possible_cpus
from labkit.notebook import exercises
from labkit.notebook.exercises import of_percpu as percpu

__all__ = ["notes"]
live = pytest.mark.live

# --- 6: memory ---

ASKED = percpu.Memory({"big_event": 264, "extra_buffer": 1024, "local_data": 200})
ONE_NUMBER: dict[str, Any] = {
    "int": int,
    "NumPy's": np.int64,
    "a float": float,
    "in a list": lambda n: [n],
    "in an array": lambda n: np.array([n]),
    "in a Series": lambda n: pd.Series([n]),
    "in a DataFrame": lambda n: pd.DataFrame([[n]]),
}
TAKEN = 1488 * len(possible_cpus())


@pytest.mark.parametrize("form", ONE_NUMBER)
def test_the_memory_is_right_in_any_form(form: str) -> None:
    said(exercises.check_memory(ASKED, ONE_NUMBER[form](TAKEN)), RIGHT)


@pytest.mark.parametrize(
    ("given", "verdict", "words"),
    [
        (None, NOT_TRIED, ""),
        ("?", NOT_TRIED, ""),
        (TAKEN + 8, NOT_YET, "too large"),
        (TAKEN - 1, NOT_YET, "too small"),
        (0, NOT_YET, "too small"),
        (-TAKEN, NOT_YET, "too small"),
        (1 << 80, NOT_YET, "too large"),
        (1e300, NOT_YET, "too large"),
        (str(TAKEN), NOT_YET, "without quotes"),
        (pd.Timedelta(TAKEN), NOT_YET, "is a time"),
        (np.timedelta64(TAKEN, "ns"), NOT_YET, "is a time"),
        (float("nan"), NOT_YET, "no whole number"),
        (True, NOT_YET, "no number"),
        (pd.Series([1, 2]), NOT_YET, "a Series of 2 values"),
        ({"bytes": TAKEN}, NOT_YET, "a dict was given"),
        (1j, NOT_YET, "a complex was given"),
    ],
)
def test_another_memory_is_not(given: Any, verdict: str, words: str) -> None:
    text = said(exercises.check_memory(ASKED, given), verdict, words)
    assert str(TAKEN) not in text or isinstance(given, str | pd.Timedelta | np.timedelta64)


@pytest.mark.skipif(len(possible_cpus()) == 1, reason="then one CPU's memory is all of it")
def test_the_memory_of_one_cpu_is_told_so() -> None:
    said(exercises.check_memory(ASKED, 1488), NOT_YET, "one CPU")


@pytest.mark.parametrize("asked", [None, 1488, "memory", {"big_event": 264}])
def test_without_the_question_no_memory_is_right(asked: Any) -> None:
    said(exercises.check_memory(asked, TAKEN), NOT_TRIED, "run the cell above")


@live
def test_the_memory_asked_about_changes_and_is_that_of_the_structs() -> None:
    drawn = [exercises.memory() for _ in range(3)]
    assert len({one.bytes for one in drawn}) > 1
    for one in drawn:
        assert set(one.sizes) == {"big_event", "extra_buffer", "local_data"}
        assert all(f"{name} {size} bytes" in repr(one) for name, size in one.sizes.items())


# --- 7: losses ---

LOSSY: dict[str, Any] = {
    "one event": made_runs.make_run(failed=1),
    "most of them": made_runs.make_run(failed=10_000),
    "all of them": made_runs.make_run([], failed=7),
    "on one CPU": made_runs.make_run(cpus=1, failed=3),
    "interrupted": made_runs.make_run(failed=2, interrupted=True),
    "of another program": made_runs.make_run(
        failed=2, report=replace(made_runs.report(), variant="ringbuf_reserve")
    ),
}


@pytest.mark.parametrize("run", LOSSY)
def test_a_run_that_lost_and_counted_is_right(run: str) -> None:
    said(exercises.check_loss(LOSSY[run]), RIGHT, "not in silence")


SILENT = made_runs.make_run(counters=made_runs.counters((5, 1, 1), (1, 1, 0)))
NOT_LOSSY: dict[str, tuple[Any, str, str]] = {
    "None": (None, NOT_TRIED, "there is no run yet"),
    "nothing lost": (made_runs.make_run(), NOT_YET, "no event was lost"),
    "nothing at all": (made_runs.make_run([]), NOT_YET, "no event was attempted"),
    "refused": (made_runs.refused_run(), NOT_YET, "nothing was attached"),
    "not known": (made_runs.dead_run(), NOT_YET, "not known"),
    "lost in silence": (SILENT, NOT_YET, "balance"),
    "its table": (made_runs.make_run(failed=1).table, NOT_YET, "a DataFrame was given"),
    "its account": (made_runs.make_run(failed=1).account, NOT_YET, "a DataFrame was given"),
    "its report": (made_runs.report(), NOT_YET, "a BuildReport was given"),
    "text": ("lossy", NOT_YET, "a str was given"),
    "a number": (3, NOT_YET, "a int was given"),
}


@pytest.mark.parametrize("run", NOT_LOSSY)
def test_another_run_is_not(run: str) -> None:
    given, verdict, words = NOT_LOSSY[run]
    said(exercises.check_loss(given), verdict, words)


@live
def test_a_real_run_can_be_made_to_lose() -> None:
    small = ["RINGBUF_BYTES=4096", "DATA_BYTES=2048"]
    storm = labkit.exec_storm(rate=0)
    lossy = labkit.collect("percpu", seconds=1, workload=storm, defines=small)
    said(exercises.check_loss(lossy), RIGHT)


# --- 8: the longest gap ---

MS = 1_000_000
TIMES = [(0, 0), (3, 1), (10, 0), (12, 1), (14, 0), (16, 0), (17, 1)]  # ms, CPU
RUN = made_runs.make_run(
    [made_runs.record(cpu=cpu, timestamp=made_runs.SECOND + at * MS) for at, cpu in TIMES]
)
GAP = 10 * MS  # from 0 to 10 on CPU 0; 7 ms at most, CPUs aside

TIMED: dict[str, Any] = {
    **ONE_NUMBER,
    "a Timedelta": lambda n: pd.Timedelta(n, "ns"),
    "NumPy's timedelta": lambda n: np.timedelta64(n, "ns"),
    "Python's timedelta": lambda n: datetime.timedelta(microseconds=n / 1000),
    "a Series of a Timedelta": lambda n: pd.Series([pd.Timedelta(n, "ns")]),
    "as pandas tells it": lambda n: RUN.table.groupby("cpu").time.diff().max(),
}


@pytest.mark.parametrize("form", TIMED)
def test_the_longest_gap_is_right_in_any_form(form: str) -> None:
    said(exercises.check_longest_gap(RUN, TIMED[form](GAP)), RIGHT, "10.0 ms, before row 2")


GAPS = RUN.table.groupby("cpu").timestamp.diff()
NOT_THE_GAP: dict[str, tuple[Any, str, str]] = {
    "None": (None, NOT_TRIED, ""),
    "zero": (0, NOT_YET, "too small"),
    "one less": (GAP - 1, NOT_YET, "too small"),
    "one more": (GAP + 1, NOT_YET, "too large"),
    "all CPUs together": (7 * MS, NOT_YET, "of whichever CPU"),
    "in ms": (10, NOT_YET, "is it in nanoseconds"),
    "in µs": (10_000, NOT_YET, "is it in nanoseconds"),
    "a Timedelta too long": (pd.Timedelta("1s"), NOT_YET, "too large"),
    "no time": (pd.NaT, NOT_YET, "was given"),
    "NumPy's no time": (np.timedelta64("NaT"), NOT_YET, "no time"),
    "no number": (float("nan"), NOT_YET, "no whole number"),
    "one a CPU": (RUN.table.groupby("cpu").timestamp.max(), NOT_YET, "a Series of 2 values"),
    "all gaps": (GAPS, NOT_YET, "a Series of 7 values"),
    "the table": (RUN.table, NOT_YET, "a DataFrame of"),
    "text": ("10 ms", NOT_YET, "is text"),
    "a function": (GAPS.max, NOT_YET, "was given"),
}


@pytest.mark.parametrize("answer", NOT_THE_GAP)
def test_another_gap_is_not(answer: str) -> None:
    given, verdict, words = NOT_THE_GAP[answer]
    text = said(exercises.check_longest_gap(RUN, given), verdict, words)
    assert str(GAP) not in text


@pytest.mark.parametrize(
    ("run", "verdict", "words"),
    [
        (None, NOT_TRIED, "there is no run yet"),
        (RUN.table, NOT_YET, "a DataFrame was given"),
        (made_runs.refused_run(), NOT_YET, "nothing was attached"),
        (made_runs.make_run([]), NOT_YET, "no two events"),
        (made_runs.make_run(), NOT_YET, "no two events"),
        ("run", NOT_YET, "a str was given"),
    ],
)
def test_a_gap_needs_a_run(run: Any, verdict: str, words: str) -> None:
    said(exercises.check_longest_gap(run, GAP), verdict, words)
