"""Records as the BPF program wrote them → a table; and the account of what was lost.

The columns stand in one table, COLUMNS, which display, CSV, Parquet and tests read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

NAME_AT = 16  # where in data[] the file name starts, as in bpf/exec_event.h
NARROW = 64  # bytes: few names are longer
AT_ONCE = 1 << 16  # records that are looked at together

# bpf_get_current_pid_tgid() knows nothing of namespaces.
PID_MEANING = (
    "process id (in the kernel's words: tgid) as the machine counts, not a container of it"
)

# Characters that a terminal, a page or a table may act on, or that nobody sees, so that two names
# look like one: control characters, those that turn the direction of writing, line separators,
# lone surrogates, all of Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt: soft
# hyphen, joiners, fillers, variation selectors, tags), and the backslash that escapes them.
_UNSAFE = re.compile(
    "[\\\\\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_UNSAFE_BUT_NUL = re.compile(_UNSAFE.pattern.replace("\x00", "\x01"))
_ESCAPED = re.compile(rb"\\(?:\\|x([0-9a-f]{2})|u([0-9a-f]{4})|U(000[0-9a-f]{5}|0010[0-9a-f]{4}))")


def record_dtype(layout: Mapping[str, Any]) -> np.dtype[Any]:
    """Return the NumPy type of a record, from a struct's layout as labkit.layout() gives it."""
    fields = [field for field in layout["fields"] if field["code"]]
    return np.dtype(
        {
            "names": [field["name"] for field in fields],
            "formats": [_format(field) for field in fields],
            "offsets": [field["offset"] for field in fields],
            "itemsize": layout["size"],
        }
    )


def _format(field: Mapping[str, Any]) -> Any:
    if field["count"] is None:
        return field["code"]
    if field["code"] == "c":
        return f"S{field['count']}"
    return (field["code"], (field["count"],))


def shown(raw: bytes) -> str:
    r"""Return bytes from strangers as text that is harmless wherever it is shown.

    UTF-8 that can be seen stays as it is. Other bytes, characters that act or that nobody sees, and
    a backslash become ``\xff``, ``\u202e``, ``\U000e0041`` and ``\\``, so that raw_bytes() gives
    the very bytes back.
    """
    return _UNSAFE.sub(_escape, raw.decode("utf-8", "surrogateescape"))


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if character == "\\":
        return "\\\\"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as surrogateescape keeps it
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def raw_bytes(text: str) -> bytes:
    """Return the bytes that shown() was given."""
    return _ESCAPED.sub(_unescape, text.encode("utf-8"))


def _unescape(found: re.Match[bytes]) -> bytes:
    if byte := found[1]:
        return bytes([int(byte, 16)])
    character = found[2] or found[3]
    return chr(int(character, 16)).encode("utf-8") if character else b"\\"


class Names:
    """Byte strings from strangers, each different one kept once; rows hold its number.

    That is what makes a table of a million rows fast: a million exec events have a few hundred
    names, and only those are looked at in Python.
    """

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def encode(self, matrix: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the number of each row's name: its bytes up to the first NUL.

        What follows a NUL is left from older events. Most names end within NARROW bytes, and
        equal beginnings with equal rests are found without looking for the NUL in each.
        """
        width = matrix.shape[1]
        rows, heads = _different(matrix[:, :NARROW])
        whole = [b"\0" in head or width <= NARROW for head in heads]
        numbers = [self._number(head) if ok else -1 for head, ok in zip(heads, whole, strict=True)]
        codes: np.ndarray[Any, Any] = np.array(numbers, np.int32)[rows]
        if not all(whole):
            long = np.flatnonzero(codes < 0)
            rows, names = _different(matrix[long])
            codes[long] = np.array([self._number(name) for name in names], np.int32)[rows]
        return codes

    def _number(self, raw: bytes) -> int:
        return self._numbers.setdefault(raw.partition(b"\0")[0], len(self._numbers))

    def texts(self) -> list[str]:
        """Return the names as text, by their numbers; each is shown() of its bytes."""
        joined = b"\0".join(self._numbers).decode("utf-8", "surrogateescape")
        return _UNSAFE_BUT_NUL.sub(_escape, joined).split("\0") if self._numbers else []


def _different(matrix: np.ndarray[Any, Any]) -> tuple[Any, list[bytes]]:
    """Return for each row of a byte matrix the number of its content, and each different one."""
    import pyarrow as pa

    raw = np.ascontiguousarray(matrix)
    kind = pa.binary(raw.shape[1])
    found = pa.FixedSizeBinaryArray.from_buffers(kind, len(raw), [None, pa.py_buffer(raw)])
    encoded = found.dictionary_encode()
    return encoded.indices.to_numpy(), encoded.dictionary.to_pylist()


class Column(NamedTuple):
    """One column of the table: its dtype in a DataFrame, and what it tells."""

    name: str
    dtype: str
    meaning: str


COLUMNS = (
    Column("time", "datetime64[ns, UTC]", "wall-clock time of the exec"),
    Column("cpu", "int64", "CPU that it ran on"),
    Column("pid", "int64", PID_MEANING),
    Column("comm", "str", "name of the task after the exec"),
    Column("filename", "str", "path that was exec'd"),
    Column("data_ok", "bool", "whether data[0..3] spells the pid"),
    Column("timestamp", "int64", "ns since boot (CLOCK_MONOTONIC)"),
)


def to_records(raw: bytes, layout: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """View the bytes of the ring buffer as records, one each, without a copy.

    Raises ValueError if they are not whole records of that layout.
    """
    return np.frombuffer(raw, dtype=record_dtype(layout))


def to_arrow(records: np.ndarray[Any, Any], clock_offset: int) -> pa.Table:
    """Return an Arrow table with one row a record and the columns of COLUMNS, in order of time.

    ``clock_offset`` is what makes wall-clock time of CLOCK_MONOTONIC, in ns. Texts are dictionary-
    encoded. A million records take a fraction of a second.
    """
    import pyarrow as pa

    numbers = {name: np.empty(len(records), np.int64) for name in ("timestamp", "cpu", "pid")}
    codes = {name: np.empty(len(records), np.int32) for name in ("comm", "filename")}
    names = {name: Names() for name in codes}
    data_ok = np.empty(len(records), bool)
    for start in range(0, len(records), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        part = records[rows]
        for name, column in numbers.items():
            column[rows] = part[name]
        data_ok[rows] = _spells_pid(part)
        codes["comm"][rows] = names["comm"].encode(_bytes_of(part["comm"]))
        codes["filename"][rows] = names["filename"].encode(part["data"][:, NAME_AT:])
    order = np.argsort(numbers["timestamp"], kind="stable")
    since_boot = numbers["timestamp"][order]
    made = {
        "time": pa.array(since_boot + clock_offset).cast(pa.timestamp("ns", "UTC")),
        "cpu": numbers["cpu"][order],
        "pid": numbers["pid"][order],
        "comm": _dictionary(names["comm"], codes["comm"][order]),
        "filename": _dictionary(names["filename"], codes["filename"][order]),
        "data_ok": data_ok[order],
        "timestamp": since_boot,
    }
    return pa.table({column.name: made[column.name] for column in COLUMNS})


def _bytes_of(texts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """View an array of byte strings of one length as a matrix, a row each."""
    return np.ascontiguousarray(texts).view(np.uint8).reshape(len(texts), -1)


def _spells_pid(records: np.ndarray[Any, Any]) -> Any:
    """data[0..3] went through both buffers; it must spell the pid, least significant byte first."""
    return np.ascontiguousarray(records["data"][:, :4]).view("<u4").ravel() == records["pid"]


def _dictionary(names: Names, codes: np.ndarray[Any, Any]) -> Any:
    import pyarrow as pa

    texts = pa.array(names.texts(), pa.large_string())
    return pa.DictionaryArray.from_arrays(pa.array(codes), texts)


def each_text(column: Any, made: Callable[[str], str] = str) -> Iterator[str]:
    """Return a dictionary-encoded column's texts, row by row; each different one is made once."""
    encoded = column.combine_chunks()
    texts = [made(text) for text in encoded.dictionary.to_pylist()]
    return map(texts.__getitem__, encoded.indices.to_numpy().tolist())


def plain_texts(table: pa.Table) -> pa.Table:
    """Return an Arrow table with its dictionary-encoded columns as plain text."""
    import pyarrow as pa

    kinds = [
        pa.field(one.name, pa.large_string() if pa.types.is_dictionary(one.type) else one.type)
        for one in table.schema
    ]
    return table.cast(pa.schema(kinds, table.schema.metadata))


def to_frame(records: np.ndarray[Any, Any], clock_offset: int) -> pd.DataFrame:
    """Return a DataFrame with one row a record and the columns of COLUMNS, in order of time.

    Their dtypes are those of COLUMNS; before pandas 3, which brought ``str``, texts are ``object``.
    """
    return to_pandas(to_arrow(records, clock_offset))


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table of events as a DataFrame, its texts as plain text."""
    frame: pd.DataFrame = plain_texts(table).to_pandas()
    return frame


def account(
    counters: np.ndarray[Any, Any],
    cpus_of_records: np.ndarray[Any, Any],
    cpus: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Return the account: one row per CPU, by its id; attempted, submitted, failed, delivered.

    The first three are the kernel's counts, one per CPU of ``cpus`` (default: 0, 1, 2 and so on);
    ``delivered`` counts the records in user space.
    """
    import pandas as pd

    ids = list(range(len(counters)) if cpus is None else cpus)[: len(counters)]
    counted = {name: counters[name].astype("int64") for name in counters.dtype.names or ()}
    table = pd.DataFrame(counted, index=pd.Index(ids, dtype="int64", name="cpu"))
    delivered = pd.Series(*np.unique(cpus_of_records.astype("int64"), return_counts=True)[::-1])
    # A CPU that cannot be shows, rather than vanishes. Without counts there is no account at all.
    every = table.index.union(delivered.index) if ids else table.index
    table = table.reindex(every, fill_value=0).rename_axis("cpu")
    return table.assign(delivered=delivered.reindex(every, fill_value=0))


def balances(account_table: pd.DataFrame) -> bool:
    """Whether nothing is lost in silence: attempted = submitted + failed, submitted = delivered."""
    table = account_table
    kernel = (table.attempted == table.submitted + table.failed).all()
    return bool(kernel and (table.submitted == table.delivered).all())
