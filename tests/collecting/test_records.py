"""Records to rows, without a kernel."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.collecting import records

# As the compiler lays out struct big_event; test_building.py holds it against the real one.
LAYOUT = {
    "name": "big_event",
    "size": 544,
    "fields": [
        {"name": "pid", "offset": 0, "size": 4, "code": "I", "count": None},
        {"name": "cpu", "offset": 4, "size": 4, "code": "I", "count": None},
        {"name": "timestamp", "offset": 8, "size": 8, "code": "L", "count": None},
        {"name": "comm", "offset": 16, "size": 16, "code": "c", "count": 16},
        {"name": "data", "offset": 32, "size": 512, "code": "B", "count": 512},
    ],
}


def record(pid: int, name: bytes = b"/bin/true", **fields: object) -> bytes:
    """Return one record as the BPF program would write it."""
    made = np.zeros(1, records.record_dtype(LAYOUT))
    made["pid"] = pid
    made["comm"] = b"true"
    made["data"][0, :4] = list(pid.to_bytes(4, "little"))
    made["data"][0, 16 : 16 + len(name)] = list(name)
    for field, value in fields.items():
        made[field] = value
    return made.tobytes()


def frame_of(*raw: bytes, offset: int = 0) -> pd.DataFrame:
    return records.to_frame(records.to_records(b"".join(raw), LAYOUT), offset)


def test_one_row_an_event_in_order_of_time() -> None:
    frame = frame_of(record(2, timestamp=20, cpu=1), record(1, timestamp=10))
    assert frame.pid.tolist() == [1, 2]
    assert frame.cpu.tolist() == [0, 1]
    assert list(frame.columns) == [column.name for column in records.COLUMNS]
    assert frame.data_ok.all()


def test_no_events_have_the_same_columns_and_types() -> None:
    empty, full = frame_of(), frame_of(record(1))
    assert len(empty) == 0
    assert list(empty.columns) == list(full.columns)
    assert str(empty.time.dtype) == str(full.time.dtype) == "datetime64[ns, UTC]"


def test_the_check_sees_one_wrong_bit() -> None:
    broken = bytearray(record(4660))
    broken[32 + 1] ^= 1
    assert frame_of(record(4660), bytes(broken)).data_ok.tolist() == [True, False]


def test_a_name_ends_at_its_nul_though_older_bytes_follow() -> None:
    stale = bytearray(record(1, b"/bin/a-long-old-name"))
    stale[32 + 16 : 32 + 16 + 8] = b"/bin/ls\0"
    assert frame_of(bytes(stale)).filename.tolist() == ["/bin/ls"]


def test_nanoseconds_are_kept() -> None:
    offset = 1_700_000_000_000_000_001
    assert (
        frame_of(record(1, timestamp=123_456_789), offset=offset).time[0].value
        == offset + 123_456_789
    )


def test_half_a_record_is_refused() -> None:
    with pytest.raises(ValueError, match="buffer size"):
        records.to_records(record(1)[:-1], LAYOUT)


@given(st.binary(max_size=80))
def test_shown_is_harmless_and_loses_nothing(raw: bytes) -> None:
    text = records.shown(raw)
    assert records.raw_bytes(text) == raw
    assert not any(
        ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in text
    )


@given(st.text(max_size=30))
def test_shown_keeps_what_is_readable(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    shown = records.shown(raw)
    assert records.raw_bytes(shown) == raw
    if text.isprintable() and "\\" not in text:
        assert shown == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b[2J", "\\x1b[2J"),
        (b"\xff", "\\xff"),
        ("\u202e".encode(), "\\u202e"),
        (b"a\\b", "a\\\\b"),
    ],
)
def test_shown_examples(raw: bytes, text: str) -> None:
    assert records.shown(raw) == text


COUNTERS = np.dtype([("attempted", "u8"), ("submitted", "u8"), ("failed", "u8")])


@pytest.mark.parametrize(
    ("counted", "cpus", "balanced"),
    [
        ([(3, 2, 1), (0, 0, 0)], [0, 0], True),
        ([(3, 2, 1), (0, 0, 0)], [0], False),  # submitted, but it never came
        ([(3, 2, 0), (0, 0, 0)], [0, 0], False),  # attempted, and then nothing is known
        ([(1, 1, 0), (1, 1, 0)], [0, 0], False),  # right in sum, wrong for each CPU
    ],
)
def test_the_account(counted: list[tuple[int, ...]], cpus: list[int], balanced: bool) -> None:
    table = records.account(np.array(counted, COUNTERS), np.array(cpus, "u4"))
    assert table.delivered.sum() == len(cpus)
    assert records.balances(table) is balanced
