"""A BPF ring buffer whose records libbpf writes to a file, with no Python in between."""

from __future__ import annotations

import ctypes
import sys

from bcc.libbcc import _RINGBUF_CB_TYPE, lib

LIBC = ctypes.CDLL(None, use_errno=True)


class Ring:
    """The records of a ring buffer, on their way to the open file ``out``.

    libbpf calls ``sample(context, record, size)`` for each record. libc's ``write(fd, record,
    size)`` has that very form, so the context is the file's number. A write that fails ends
    libbpf's loop, and that record is gone. ctypes lets other threads run meanwhile, which matters:
    against a program that is faster than the file, libbpf's loop has no end.
    """

    def __init__(self, map_fd: int, out: int) -> None:
        self._open(map_fd, ctypes.cast(LIBC.write, _RINGBUF_CB_TYPE), ctypes.c_void_p(out))

    def _open(self, map_fd: int, sample: object, context: ctypes.c_void_p) -> None:
        self.manager = lib.bpf_new_ringbuf(map_fd, sample, context)
        self.failed = False  # whether a record could not be written
        if not self.manager:
            raise OSError(ctypes.get_errno(), "cannot open the ring buffer")

    def poll(self, milliseconds: int) -> None:
        """Wait as long as that for a record, and write all that are there."""
        self._note(lib.bpf_poll_ringbuf(self.manager, milliseconds))

    def consume(self) -> None:
        """Write all that are there, without waiting."""
        self._note(lib.bpf_consume_ringbuf(self.manager))

    def _note(self, result: int) -> None:
        """Of the results below 0, only write()'s own -1 means a record; -EINTR does not."""
        self.failed = self.failed or result == -1

    def free(self) -> None:
        """Unmap it."""
        lib.bpf_free_ringbuf(self.manager)


class Framed(Ring):
    """A ring buffer's records, each with its own length, in memory: 4 bytes that tell it, then it.

    Python sees each of them, which a known load of some hundreds allows and a storm does not.
    """

    def __init__(self, map_fd: int) -> None:
        self.records = bytearray()
        self._sample = _RINGBUF_CB_TYPE(self._keep)  # C calls it for as long as this object lives
        self._open(map_fd, self._sample, ctypes.c_void_p())

    def _keep(self, _context: int | None, record: int, size: int) -> int:
        self.records += size.to_bytes(4, sys.byteorder) + ctypes.string_at(record, size)
        return 0

    def save(self, path: str) -> str:
        """Take the rest, free the ring's memory here, write what was kept to path; return it."""
        self.consume()
        with open(path, "xb") as file:
            file.write(self.records)
        self.free()
        return path
