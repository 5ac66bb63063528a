from __future__ import annotations

import pandas as pd
import pytest

from labkit.claims.claim import FALSE, NOT_HERE, TRUE
from labkit.claims.full_speed import judge


def stormed(failed=0, undelivered=0, attempted=5000, foreign=0):
    submitted = attempted - failed
    row = (0, attempted, submitted, failed, submitted - undelivered, foreign, 4.0)
    columns = ["cpu", "attempted", "submitted", "failed", "delivered", "foreign", "seconds"]
    return pd.DataFrame([row], columns=columns)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (stormed(), TRUE),
        (stormed(failed=1), FALSE),
        (stormed(failed=1, foreign=200), FALSE),
        (stormed(failed=1, foreign=300), NOT_HERE),
        (stormed(foreign=3000), TRUE),
        (stormed(undelivered=1, foreign=3000), FALSE),
        (stormed(attempted=999), NOT_HERE),
    ],
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")
