"""Records to rows, without a kernel."""

from __future__ import annotations

import unicodedata

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


# Formats that are seen and do nothing: they enclose numbers (Prepended_Concatenation_Mark).
SEEN = {*"\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"}
# Letters and marks that are none: a grapheme joiner, fillers, variation selectors.
UNSEEN = {*"\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"} | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}


def test_whatever_acts_or_is_not_seen_is_escaped_and_comes_back() -> None:
    """As this Python's Unicode sorts them: controls, formats, separators of lines and so on."""
    every = map(chr, (*range(1, 0xD800), *range(0xE000, 0x110000)))
    acting = {one for one in every if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")} - SEEN
    assert len(acting) > 200
    for sign in acting | UNSEEN:
        raw = f"ba{sign}sh".encode()
        assert sign not in records.shown(raw), hex(ord(sign))
        assert records.raw_bytes(records.shown(raw)) == raw


@given(st.text(max_size=30))
def test_shown_keeps_what_is_readable(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    shown = records.shown(raw)
    assert records.raw_bytes(shown) == raw
    if text.isprintable() and not UNSEEN & {*text} and "\\" not in text:
        assert shown == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b[2J", "\\x1b[2J"),
        (b"\xff", "\\xff"),
        ("\u202e".encode(), "\\u202e"),
        ("a\u00adb".encode(), "a\\u00adb"),
        ("\U000e0041b".encode(), "\\U000e0041b"),
        (b"\\U000e0041", "\\\\U000e0041"),
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


def test_cpu_ids_with_holes_keep_their_names() -> None:
    counted = np.array([(2, 2, 0), (1, 0, 1), (1, 1, 0)], COUNTERS)
    table = records.account(counted, np.array([8, 0, 0], "u4"), (0, 3, 8))
    assert table.index.tolist() == [0, 3, 8]
    assert table.delivered.tolist() == [2, 0, 1]
    assert records.balances(table)


def test_an_event_of_a_cpu_that_cannot_be_shows() -> None:
    table = records.account(np.array([(1, 1, 0)], COUNTERS), np.array([0, 5], "u4"), (0,))
    assert list(table.loc[5]) == [0, 0, 0, 1]
    assert not records.balances(table)


NAMES = st.one_of(
    st.binary(max_size=80),
    st.binary(min_size=60, max_size=70).map(lambda raw: raw.replace(b"\0", b"x")),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
)


@given(st.lists(NAMES, min_size=1, max_size=20))
def test_names_are_found_at_any_length(names: list[bytes]) -> None:
    frame = frame_of(*(record(n, name, timestamp=n) for n, name in enumerate(names)))
    assert frame.filename.tolist() == [records.shown(name.partition(b"\0")[0]) for name in names]


def test_a_table_of_many_records_is_much_faster_than_a_callback_for_each() -> None:
    """The usual way with bcc: a ctypes callback, a dict an event, pd.DataFrame(rows)."""
    import ctypes
    import time

    made = [record(n, b"/usr/bin/program-%d" % (n % 300), timestamp=n) for n in range(300)]
    taken = records.to_records(b"".join(made) * 300, LAYOUT)
    assert len(taken) == 90_000

    class Event(ctypes.Structure):
        _fields_ = (
            ("pid", ctypes.c_uint32),
            ("cpu", ctypes.c_uint32),
            ("timestamp", ctypes.c_uint64),
            ("comm", ctypes.c_char * 16),
            ("data", ctypes.c_ubyte * 512),
        )

    rows: list[dict[str, object]] = []

    def callback(_context: object, data: int, _size: int) -> int:
        event = ctypes.cast(data, ctypes.POINTER(Event)).contents
        raw = bytes(event.data)
        rows.append(
            {
                "cpu": event.cpu,
                "pid": event.pid,
                "comm": event.comm.decode("utf-8", "replace"),
                "filename": raw[16:].partition(b"\0")[0].decode("utf-8", "replace"),
                "data_ok": raw[:4] == event.pid.to_bytes(4, "little"),
                "timestamp": event.timestamp,
            }
        )
        return 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
    called = kind(callback)
    records.to_frame(taken[:10], 0)  # the first call imports
    begun = time.process_time()
    for number in range(len(taken)):
        called(None, taken.ctypes.data + number * taken.itemsize, taken.itemsize)
    usual = pd.DataFrame(rows)
    callbacks = time.process_time() - begun
    begun = time.process_time()
    ours = records.to_frame(taken, 0)
    assert ours.filename.value_counts().to_dict() == usual.filename.value_counts().to_dict()
    took = time.process_time() - begun
    assert callbacks > 5 * took, (callbacks, took)  # 13 times where nothing else runs
