"""Frames on a pipe: how labkit and its worker talk.

A frame is one byte of kind, four bytes of length (big-endian) and that many bytes.
Kind ``J`` is a JSON object, kind ``R`` is a run of event records as the BPF program wrote them.

Only the standard library, and Python 3.9: the worker loads this file by its path.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from typing import Any

JSON = b"J"
RECORDS = b"R"

_HEADER = struct.Struct("!cI")


def pack(kind: bytes, payload: bytes) -> bytes:
    """Return one frame as bytes."""
    return _HEADER.pack(kind, len(payload)) + payload


def pack_json(message: dict[str, Any]) -> bytes:
    """Return one JSON frame; bytes that are no UTF-8 pass through as surrogates."""
    return pack(JSON, json.dumps(message).encode("ascii"))


def write_all(fd: int, data: bytes) -> None:
    """Write all of data to fd, however many calls it takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class Decoder:
    """Turns the bytes of a pipe, however they are cut, into whole frames."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield (kind, payload) for each frame that data completes."""
        self._pending += data
        while len(self._pending) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._pending)
            end = _HEADER.size + length
            if len(self._pending) < end:
                return
            payload = bytes(self._pending[_HEADER.size : end])
            del self._pending[:end]
            yield kind, payload
