from __future__ import annotations

import pandas as pd
import pytest

from labkit import claims
from labkit.claims.across_cpus import judge, torn
from labkit.claims.claim import FALSE, NOT_HERE, TRUE


def tearing(shared, percpu, events=20_000):
    rows = [
        (trigger, scratch, events, torn if trigger == "rename" else 0)
        for trigger in ("exec", "rename")
        for scratch, torn in (("shared", shared), ("per-CPU", percpu))
    ]
    return pd.DataFrame(rows, columns=["trigger", "scratch", "events", "torn"])


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (tearing(shared=300, percpu=0), TRUE),
        (tearing(shared=300, percpu=1), FALSE),
        (tearing(shared=0, percpu=1), FALSE),
        (tearing(shared=0, percpu=0), NOT_HERE),
        (tearing(shared=9, percpu=0), NOT_HERE),
    ],
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


def test_torn_events_are_those_with_two_marks():
    words = pd.DataFrame([[7, 7, 7], [7, 7, 8], [8, 7, 7], [9, 9, 9]]).to_numpy()
    assert torn(words) == 2


def test_one_cpu_cannot_tell(monkeypatch):
    monkeypatch.setattr("labkit.claims.measuring.cpus", lambda: [0])
    result = claims.across_cpus()
    assert result.verdict == NOT_HERE
    assert "one CPU" in result.why
