r"""The file of a run: a header that tells all it takes to read it, then records, each one whole.

The first line is ``labkit-run 1 COUNTERS RECORDS``. JSON follows, and blanks up to byte COUNTERS.
There a time stands, with the kernel's counts as they were then; from byte RECORDS on, one record
follows the other. Whoever reads goes as far as the file has been written; what stands behind the
last whole record was cut off by the writer's end.

Only the standard library, and Python 3.9: the worker writes it, labkit reads it.
"""

from __future__ import annotations

import json
import os
import struct
from typing import Any, NamedTuple

_FIRST_LINE = b"labkit-run 1 %10d %10d\n"
_TIME = struct.Struct("<q")
_FIRST_LENGTH = len(_FIRST_LINE % (0, 0))
BLOCK = 4096  # bytes: header, counters and records begin at a multiple of it


class Header(NamedTuple):
    """What a run's file says of itself, and where in it the counters and the records begin."""

    facts: dict[str, Any]
    counters_at: int
    records_at: int


def _whole_blocks(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def pack(facts: dict[str, Any], counters_size: int) -> tuple[bytes, Header]:
    """Return all that stands before the records, the counts still empty, and where what stands."""
    told = json.dumps(facts).encode("ascii")
    counters_at = _whole_blocks(_FIRST_LENGTH + len(told) + 1)
    records_at = counters_at + _whole_blocks(_TIME.size + counters_size)
    text = (_FIRST_LINE % (counters_at, records_at) + told).ljust(counters_at - 1) + b"\n"
    return text.ljust(records_at, b"\0"), Header(facts, counters_at, records_at)


def pack_counters(now: int, values: bytes) -> bytes:
    """Return what stands at COUNTERS: the time in ns since 1970, and a per-CPU map's values."""
    return _TIME.pack(now) + values


def read_counters(fd: int, header: Header, size: int) -> tuple[int, bytes]:
    """Return the time and the values that stand at COUNTERS."""
    told = os.pread(fd, _TIME.size + size, header.counters_at)
    return _TIME.unpack_from(told)[0], told[_TIME.size :]


def read(fd: int) -> Header:
    """Read the header of an open file. Raises ValueError where there is none, or not all of it."""
    kind, version, *places = os.pread(fd, _FIRST_LENGTH, 0).split()
    if (kind, version) != (b"labkit-run", b"1") or len(places) != 2:
        raise ValueError("no file of a run")
    counters_at, records_at = map(int, places)
    told = os.pread(fd, counters_at - _FIRST_LENGTH, _FIRST_LENGTH)
    return Header(json.loads(told), counters_at, records_at)
