from __future__ import annotations

import pandas as pd
import pytest

from labkit.claims.claim import FALSE, NOT_HERE, TRUE
from labkit.claims.zero_copy import SIZES, judge, slopes

ROUNDS = range(9)


def copies(per_kib, noise=0.0):
    rows = [
        (turn, way, size, 200 + slope * size / 1024 * (1 + noise * (-1) ** turn * turn))
        for turn in ROUNDS
        for way, slope in (("output", per_kib), ("reserve", 2.0))
        for size in SIZES
    ]
    return pd.DataFrame(rows, columns=["round", "way", "bytes", "ns_per_event"])


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (copies(per_kib=30.0), FALSE),
        (copies(per_kib=2.0), TRUE),
        (copies(per_kib=2.0, noise=1.0), TRUE),
        (copies(per_kib=30.0, noise=1.0), NOT_HERE),
    ],
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


def test_a_round_with_a_time_that_is_not_known_is_left_out():
    table = copies(per_kib=30.0)
    table.loc[table["round"] == 3, "ns_per_event"] = [float("nan"), *[1e9] * 9]
    assert len(slopes(table)) == len(ROUNDS) - 1
    assert judge(table).verdict == FALSE
