"""Messages on a pipe: how labkit and its worker talk.

A message is four bytes of length (big-endian) and that many bytes of a JSON object. Records of
events do not come this way: they go to a file.

Only the standard library, and Python 3.9: the worker loads this file too.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from typing import Any

_LENGTH = struct.Struct("!I")


def pack(message: dict[str, Any]) -> bytes:
    """Return a message as bytes; bytes that are no UTF-8 pass through as surrogates."""
    return frame(json.dumps(message).encode("ascii"))


def frame(payload: bytes) -> bytes:
    """Return a message that is JSON already as it goes through the pipe."""
    return _LENGTH.pack(len(payload)) + payload


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
        """Yield the JSON of each message that data completes."""
        self._pending += data
        while len(self._pending) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._pending)
            end = _LENGTH.size + length
            if len(self._pending) < end:
                return
            payload = bytes(self._pending[_LENGTH.size : end])
            del self._pending[:end]
            yield payload
