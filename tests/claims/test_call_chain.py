from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from labkit import claims
from labkit.claims.call_chain import CHAINS, judge
from labkit.claims.claim import FALSE, HALF_TRUE, NOT_HERE, TRUE
from labkit.machine.stack_limit import measured


def chains(tracepoint, socket_filter, alone=True):
    verdicts = {"tracepoint": tracepoint, "socket_filter": socket_filter}
    rows = [(1, 304, False, kind, alone, "304", "") for kind in verdicts]
    rows += [(2, 304, False, kind, passed, "304+304", "608") for kind, passed in verdicts.items()]
    columns = ["frames", "frame_bytes", "tail_call", "program_type", "accepted", "stack_depth"]
    return pd.DataFrame(rows, columns=[*columns, "said"])


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (chains(tracepoint=True, socket_filter=False), HALF_TRUE),
        (chains(tracepoint=True, socket_filter=True), TRUE),
        (chains(tracepoint=False, socket_filter=False), FALSE),
        (chains(True, False, alone=False), NOT_HERE),
    ],
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


@pytest.mark.live
def test_it_is_told_on_any_kernel_that_loads_programs(either_kernel):
    """Two frames of 304 bytes would fit one stack of 2048, and tell nothing of it."""
    result = claims.call_chain()
    table: Any = result.measured
    limit: Any = measured().bytes
    assert result.verdict != NOT_HERE
    assert len(table) == 2 * len(CHAINS)
    assert table.frame_bytes.iloc[0] <= limit < 2 * table.frame_bytes.iloc[0]
    alone = table[table.frames == 1]
    assert (alone.stack_depth == alone.frame_bytes.astype(str)).all()
    assert not table[table.tail_call & (table.program_type == "socket_filter")].accepted.any()
