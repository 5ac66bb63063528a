"""Messages on a pipe: how labkit and its worker talk.

A message is a head of twelve bytes (big-endian: the length, the JSON's CRC-32, and the CRC-32 of
these eight) and that many bytes of a JSON object. So nobody acts on a message that was spoilt.
Records of events do not come this way: they go to a file.

Only the standard library, and Python 3.9: the worker loads this file too.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any

_HEAD = struct.Struct("!II")  # bytes of JSON, their CRC-32
_CHECK = struct.Struct("!I")  # the head's own CRC-32


class Garbled(ValueError):
    """What came is not what was sent."""


def pack(message: dict[str, Any]) -> bytes:
    """Return a message as bytes; bytes that are no UTF-8 pass through as surrogates."""
    return frame(json.dumps(message).encode("ascii"))


def frame(payload: bytes) -> bytes:
    """Return a message that is JSON already as it goes through the pipe."""
    head = _HEAD.pack(len(payload), zlib.crc32(payload))
    return head + _CHECK.pack(zlib.crc32(head)) + payload


def write_all(fd: int, data: bytes) -> None:
    """Write all of data to fd, however many calls it takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class Decoder:
    """Turns the bytes of a pipe, however they are cut, into whole messages."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the JSON of each message that data completes. Raises Garbled, from then on."""
        self._pending += data
        start = _HEAD.size + _CHECK.size
        while len(self._pending) >= start:
            length, checksum = _HEAD.unpack_from(self._pending)
            if _CHECK.unpack_from(self._pending, _HEAD.size)[0] != zlib.crc32(
                self._pending[: _HEAD.size]
            ):
                raise Garbled("where a message should begin, none does")
            if len(self._pending) < start + length:
                return
            payload = bytes(self._pending[start : start + length])
            if zlib.crc32(payload) != checksum:
                raise Garbled(f"a message of {length} bytes is not as it was sent")
            del self._pending[: start + length]
            yield payload
