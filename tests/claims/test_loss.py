from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from labkit import claims
from labkit.claims.claim import FALSE, NOT_HERE, TRUE
from labkit.claims.loss import account, judge
from labkit.claims.measuring import Reading, Trial

module = importlib.import_module("labkit.claims.loss")


def lost(failed, missing=None, delivered=None, attempted=5000):
    delivered = attempted - failed if delivered is None else delivered
    missing = failed if missing is None else missing
    row = (0, attempted, attempted - failed, failed, delivered, missing)
    columns = ["cpu", "attempted", "submitted", "failed", "delivered", "missing"]
    return pd.DataFrame([row], columns=columns)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (lost(failed=4900), TRUE),
        (lost(failed=4900, missing=4901), FALSE),
        (lost(failed=4900, missing=4900, delivered=99), FALSE),
        (lost(failed=0), NOT_HERE),
    ],
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


class FakeReading(Reading):
    """CPUs 0 and 2 are possible; on the second, the last of three events was not sent."""

    def __init__(self) -> None:
        super().__init__(Trial((0,)), [], {}, {})

    def values(self, number, name, burst=-1):
        counts = [(("attempted", 1), ("submitted", 1), ("failed", 0))]
        counts += [(("attempted", 3), ("submitted", 2), ("failed", 1))]
        kinds = [(name, "u8") for name in ("attempted", "submitted", "failed")]
        return np.array([tuple(n for _, n in count) for count in counts], kinds)

    def records(self, number, struct="event_type"):
        return np.array([(0, 1), (2, 1), (2, 2)], [("cpu", "u8"), ("number", "u8")])


def test_the_account_goes_by_the_cpus_ids_where_there_are_holes(monkeypatch):
    monkeypatch.setattr(module, "possible_cpus", lambda: (0, 2))
    table = account(FakeReading()).set_index("cpu")
    assert list(table.loc[0]) == [1, 1, 0, 1, 0]
    assert list(table.loc[2]) == [3, 2, 1, 2, 1]
    assert judge(table.reset_index()).verdict == TRUE


@pytest.mark.live
def test_each_lost_event_is_counted_on_its_cpu():
    result = claims.loss()
    table: Any = result.measured
    assert result.verdict == TRUE
    assert (table.failed == table.missing).all() and table.failed.sum() > 0
