from __future__ import annotations

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from labkit import claims
from labkit.claims.claim import FALSE, NOT_HERE, TRUE
from labkit.claims.measuring import Reading
from labkit.claims.within_a_cpu import LOWER, judge


def nesting(raw, remedied=0, skipped=500, raw_skipped=0):
    rows = [
        ("raw tracepoint", "none", 1000, raw, 50, raw_skipped),
        ("raw tracepoint", "depth", 1000, remedied, 50, 0),
        ("tracepoint", "none", 1000, 0, 50, skipped),
        ("tracepoint", "depth", 1000, 0, 50, skipped),
    ]
    columns = ["attached_as", "remedy", "events", "mixed", "interrupts", "skipped"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (nesting(raw=80), FALSE),
        (nesting(raw=0, raw_skipped=20), TRUE),
        (nesting(raw=0), NOT_HERE),
        (nesting(raw=0, raw_skipped=float("nan")), NOT_HERE),
    ],
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


def test_a_kernel_that_counts_no_skipped_runs_is_judged_and_drawn(monkeypatch):
    """Linux 5.10 has no recursion_misses."""
    module = importlib.import_module("labkit.claims.within_a_cpu")
    monkeypatch.setattr(module.measuring, "measure", measured_on_5_10)
    result = claims.within_a_cpu(bursts=2)
    assert result.measured.skipped.isna().all()
    assert result.verdict == FALSE and result.why.endswith("as tracepoints 0.")
    labels = " ".join(text.get_text() for text in result.plot().texts)
    assert "skipped runs: not counted" in labels
    assert "nan" not in labels


def measured_on_5_10(sources, trials):
    """What measuring.measure() returns there; as a raw tracepoint events are overwritten."""
    done = SimpleNamespace(readings=[], versions={"kernel": "5.10.262"})
    for trial in trials:
        words = np.full((4, 8), LOWER, dtype=np.uint64)
        words[0] += trial.sources[0] == 0
        counters = {"hrtimer_x": {"run_cnt": 3}, "task_rename_x": {"run_cnt": 4}}
        bursts = [{trial.sources[0]: {"programs": counters}}]
        reading = Reading(trial, bursts, {}, {})
        object.__setattr__(reading, "records", lambda number, words=words: {"words": words})
        done.readings.append(reading)
    return done


def test_a_guard_is_only_named_where_the_kernel_counted_it():
    assert "skipped 500 runs" in judge(nesting(raw=80)).why
    assert judge(nesting(raw=80, skipped=float("nan"))).why.endswith("as tracepoints 0.")
