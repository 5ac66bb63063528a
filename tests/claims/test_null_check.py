from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from labkit import claims
from labkit.claims.claim import FALSE, HALF_TRUE, NOT_HERE, TRUE
from labkit.claims.null_check import judge


def looked_up(constant, variable, checked=True):
    rows = [
        ("constant", True, checked, ""),
        ("variable", True, True, ""),
        ("constant", False, constant, "map_value_or_null"),
        ("variable", False, variable, "map_value_or_null"),
    ]
    return pd.DataFrame(rows, columns=["key", "checked", "accepted", "said"])


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (looked_up(constant=True, variable=False), HALF_TRUE),
        (looked_up(constant=False, variable=False), TRUE),
        (looked_up(constant=True, variable=True), FALSE),
        (looked_up(constant=True, variable=False, checked=False), NOT_HERE),
    ],
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


@pytest.mark.live
def test_a_key_that_is_not_known_needs_the_check():
    table: Any = claims.null_check().measured.set_index(["key", "checked"])
    assert table.accepted["variable", True]
    assert "map_value_or_null" in table.said["variable", False]
