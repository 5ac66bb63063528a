"""Records as the BPF program wrote them → a DataFrame; and the account of what was lost.

The columns stand in one table, COLUMNS, which display, CSV and tests read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

NAME_AT = 16  # where in data[] the file name starts, as in bpf/exec_event.h

# Characters that a terminal, a page or a table may act on: control characters, those that turn
# the direction of writing, line separators, lone surrogates, and the backslash that escapes them.
_UNSAFE = re.compile(
    "[\\\\\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufff9-\ufffb]"
)
_ESCAPED = re.compile(rb"\\(?:\\|x([0-9a-f]{2})|u([0-9a-f]{4}))")


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

    UTF-8 stays as it is. Other bytes, control characters and a backslash become ``\xff``,
    ``\u202e`` and ``\\``, so that raw_bytes() gives the very bytes back.
    """
    return _UNSAFE.sub(_escape, raw.decode("utf-8", "surrogateescape"))


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if character == "\\":
        return "\\\\"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as surrogateescape keeps it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def raw_bytes(text: str) -> bytes:
    """Return the bytes that shown() was given."""
    return _ESCAPED.sub(_unescape, text.encode("utf-8"))


def _unescape(found: re.Match[bytes]) -> bytes:
    byte, character = found.groups()
    if byte is not None:
        return bytes([int(byte, 16)])
    return chr(int(character, 16)).encode("utf-8") if character is not None else b"\\"


def _texts(raw: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Decode an array of byte strings; one Python call for each different one, not for each row."""
    different, which = np.unique(raw, return_inverse=True)
    return np.array([shown(value) for value in different.tolist()], dtype=object)[which]


def _up_to_nul(raw: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Cut each row of a byte matrix at its first NUL; what follows is left from older events."""
    ended = np.maximum.accumulate(raw == 0, axis=1)
    kept = np.ascontiguousarray(np.where(ended, 0, raw).astype(np.uint8))
    return kept.view(f"S{raw.shape[1]}").ravel()


def _time(records: np.ndarray[Any, Any], offset: int) -> Any:
    import pandas as pd

    return pd.to_datetime(records["timestamp"].astype("int64") + offset, unit="ns", utc=True)


def _check(records: np.ndarray[Any, Any], _offset: int) -> Any:
    """data[0..3] went through both buffers; it must spell the pid, least significant byte first."""
    spelled = np.ascontiguousarray(records["data"][:, :4]).view("<u4").ravel()
    return spelled == records["pid"]


class Column(NamedTuple):
    """One column of the frame: its dtype in the frame, what it tells, how it comes from records."""

    name: str
    dtype: str
    meaning: str
    made: Callable[[np.ndarray[Any, Any], int], Any]


COLUMNS = (
    Column("time", "datetime64[ns, UTC]", "wall-clock time of the exec", _time),
    Column("cpu", "int64", "CPU that it ran on", lambda r, _: r["cpu"].astype("int64")),
    Column(
        "pid",
        "int64",
        "process id (in the kernel's words: tgid)",
        lambda r, _: r["pid"].astype("int64"),
    ),
    Column("comm", "object", "name of the task after the exec", lambda r, _: _texts(r["comm"])),
    Column(
        "filename",
        "object",
        "path that was exec'd",
        lambda r, _: _texts(_up_to_nul(r["data"][:, NAME_AT:])),
    ),
    Column("data_ok", "bool", "whether data[0..3] spells the pid", _check),
    Column(
        "timestamp",
        "int64",
        "ns since boot (CLOCK_MONOTONIC)",
        lambda r, _: r["timestamp"].astype("int64"),
    ),
)


def to_records(raw: bytes, layout: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """View the bytes of the ring buffer as records, one each, without a copy.

    Raises ValueError if they are not whole records of that layout.
    """
    return np.frombuffer(raw, dtype=record_dtype(layout))


def to_frame(records: np.ndarray[Any, Any], clock_offset: int) -> pd.DataFrame:
    """Return a DataFrame with one row a record and the columns of COLUMNS, in order of time.

    ``clock_offset`` is what makes wall-clock time of CLOCK_MONOTONIC, in ns.
    """
    import pandas as pd

    columns = {column.name: column.made(records, clock_offset) for column in COLUMNS}
    frame = pd.DataFrame(columns)
    return frame.sort_values("timestamp", kind="stable", ignore_index=True)


def account(counters: np.ndarray[Any, Any], cpus_of_records: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Return the account: one row a possible CPU; attempted, submitted, failed, delivered.

    The first three are the kernel's counts, ``delivered`` counts the records in user space.
    """
    import pandas as pd

    table = pd.DataFrame(
        {name: counters[name].astype("int64") for name in counters.dtype.names or ()}
    )
    delivered = np.bincount(cpus_of_records.astype("int64"), minlength=len(table))
    return table.assign(delivered=delivered[: len(table)]).rename_axis("cpu")


def balances(account_table: pd.DataFrame) -> bool:
    """Whether nothing is lost in silence: attempted = submitted + failed, submitted = delivered."""
    table = account_table
    kernel = (table.attempted == table.submitted + table.failed).all()
    return bool(kernel and (table.submitted == table.delivered).all())
