from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import labkit
from labkit import claims
from labkit.claims.claim import FALSE, NOT_HERE, TRUE, Result, folded
from labkit.claims.cost import judge
from labkit.program.alternatives import other_ways

ROUNDS = range(9)
DEAR = {"percpu_hash": 50.0, "hash_by_task": 300.0, "task_storage": 60.0}


def timed(noise=0.0, **dearer):
    """Times in which each way is so many ns dearer than the per-CPU array's 400, give or take."""
    times = {"percpu_array": 0.0, **dearer}
    rows = [
        (turn, way, 400 + ns + noise * (-1) ** (turn + place) * (turn + 1))
        for turn in ROUNDS
        for place, (way, ns) in enumerate(times.items())
    ]
    return pd.DataFrame(rows, columns=["round", "way", "ns_per_event"])


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (timed(ringbuf_reserve=70.0, **DEAR), TRUE),
        (timed(ringbuf_reserve=-70.0, **DEAR), FALSE),
        (timed(ringbuf_reserve=-70.0, noise=100.0, **DEAR), NOT_HERE),
        (timed(ringbuf_reserve=70.0, noise=100.0, **DEAR), NOT_HERE),
        (timed(small_event=-70.0, shared_array=-90.0, **DEAR), TRUE),
    ],
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


def test_rounds_are_folded_to_median_and_quartiles():
    table = folded(timed(ringbuf_reserve=100.0, noise=1.0)).set_index("way")
    assert table.loc["percpu_array", "ns_per_event"] == pytest.approx(400, abs=10)
    assert table.loc["ringbuf_reserve", "ns_per_event"] == pytest.approx(500, abs=10)
    assert (table["lower quartile"] <= table.ns_per_event).all()


def test_the_table_of_ways_takes_its_costs_from_the_result():
    result = Result(claims.cost, TRUE, "", timed(ringbuf_reserve=-70.0))
    table = other_ways(result).table.set_index("file")
    assert table.loc["ringbuf_reserve.c", "ns_per_event"] == 330
    assert table.loc["percpu_array.c", "ns_per_event"] == 400


@pytest.mark.live
def test_it_can_be_called_before_anything_else_of_the_room():
    code = "import labkit; print(labkit.claims.cost(rounds=8).summary)"
    place = {**os.environ, "PYTHONPATH": str(Path(labkit.__file__).parents[1])}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, env=place)
    assert "percpu_array" in done.stdout, done.stdout + done.stderr
