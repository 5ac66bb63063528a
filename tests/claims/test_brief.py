"""What a reader sees of the numbers: few rows, no two alike, and all that the rule took."""

from __future__ import annotations

import pandas as pd
import pytest

from labkit import claims
from labkit.claims import CLAIMS

MOST_ROWS = 10
QUICK = [name for name, one in CLAIMS.items() if one.quick]


def test_each_remedy_is_one_row_with_its_events_and_its_time() -> None:
    table = pd.DataFrame(
        [
            ("exec", 0, "none", 10, 9, None),
            ("exec", 0, "clear first", 10, 0, None),
            *[("rename", n, "none", None, None, 300.0 + n) for n in range(3)],
            *[("rename", n, "clear first", None, None, 350.0) for n in range(3)],
        ],
        columns=["trigger", "round", "remedy", "events", "stale", "ns_per_event"],
    )
    brief = claims.stale_bytes.brief(table)[["remedy", "events", "stale", "ns_per_event"]]
    assert brief.to_numpy().tolist() == [["none", 10, 9, 301], ["clear first", 10, 0, 350]]


def test_the_ways_to_send_stand_side_by_side() -> None:
    rows = [(n, way, 64, ns + n) for n in range(3) for way, ns in (("output", 9), ("reserve", 5))]
    table = pd.DataFrame(rows, columns=["round", "way", "bytes", "ns_per_event"])
    brief = claims.zero_copy.brief(table)
    assert brief.to_dict("records") == [
        {"bytes": 64, "output, ns per event": 10, "reserve, ns per event": 6}
    ]


@pytest.mark.live
@pytest.mark.parametrize("name", QUICK)
def test_few_rows_are_shown_and_no_two_alike(name: str) -> None:
    brief = CLAIMS[name]().summary
    if brief is None:
        pytest.skip(f"{name} cannot be told here")
    assert len(brief) <= MOST_ROWS
    assert not brief.duplicated().any()
