from __future__ import annotations

import pandas as pd
import pytest

from labkit.claims.claim import FALSE, NOT_HERE, TRUE
from labkit.claims.within_a_cpu import judge


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


def test_a_guard_is_only_named_where_the_kernel_counted_it():
    assert "skipped 500 runs" in judge(nesting(raw=80)).why
    assert judge(nesting(raw=80, skipped=float("nan"))).why.endswith("as tracepoints 0.")
