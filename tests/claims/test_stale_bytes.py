from __future__ import annotations

import pandas as pd
import pytest

from labkit.claims.claim import FALSE, NOT_HERE, TRUE
from labkit.claims.stale_bytes import REMEDIES, judge

ROUNDS = range(9)


def stale(none, clear=0, used=0, events=10):
    rows: list[tuple] = [
        ("exec", 0, name, events, count, None)
        for name, count in zip(REMEDIES, (none, clear, used), strict=True)
    ]
    rows += [
        ("rename", turn, name, None, None, 300.0 + 10 * place)
        for turn in ROUNDS
        for place, name in enumerate(REMEDIES)
    ]
    columns = ["trigger", "round", "remedy", "events", "stale", "ns_per_event"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (stale(none=10), FALSE),
        (stale(none=0), TRUE),
        (stale(none=10, clear=1), NOT_HERE),
        (stale(none=0, events=0), NOT_HERE),
    ],
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


def test_what_a_remedy_costs_is_said():
    assert "clear first +10 ns (quartiles +10 to +10)" in judge(stale(none=10)).why
