from __future__ import annotations

import pandas as pd
import pytest

from labkit import claims
from labkit.claims.claim import FALSE, NOT_HERE, TRUE
from labkit.claims.contention import judge


def written(shared, percpu):
    """Times of 60 ns alone, and so many more when all CPUs write."""
    rows = [
        (turn, scratch, writing, 60.0 + turn + (more if writing == "all CPUs" else 0))
        for turn in range(9)
        for scratch, more in (("shared", shared), ("per-CPU", percpu))
        for writing in ("one CPU", "all CPUs")
    ]
    return pd.DataFrame(rows, columns=["round", "scratch", "writing", "ns_per_event"])


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (written(shared=80, percpu=4), TRUE),
        (written(shared=80, percpu=-3), TRUE),
        (written(shared=80, percpu=60), FALSE),
        (written(shared=80, percpu=30), NOT_HERE),
        (written(shared=5, percpu=0), NOT_HERE),
    ],
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


def test_one_cpu_cannot_tell(monkeypatch):
    monkeypatch.setattr("labkit.claims.measuring.cpus", lambda: [0])
    assert claims.contention().verdict == NOT_HERE
