"""Write a run's file: the header, room ahead of the records, and in the end whole records only."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
from typing import Any

from labkit.worker import run_format, wire

AHEAD = 32 << 20  # bytes of disk kept ready for records to come
LEAST = 64 << 10
FALLOC_FL_KEEP_SIZE = 1  # linux/falloc.h: the file's size stays what was written


class RunWriter:
    """The file that a run's records are written to; ``problem`` says why it takes no more.

    Room is kept ahead of the records, so that a full disk ends the run before a record is lost.
    Where the file system has no such thing, the first write that fails ends it.
    """

    def __init__(self, wanted: dict[str, Any], facts: dict[str, Any], counters: bytes) -> None:
        self.path = wanted["path"]
        self.record_size = wanted["record_size"]
        self.problem = ""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self.fd = os.open(self.path, flags, 0o600)
        try:
            if wanted["owner"] != [os.geteuid(), os.getegid()]:
                os.fchown(self.fd, *wanted["owner"])
            fcntl.flock(self.fd, fcntl.LOCK_SH)  # whoever finds the file sees that it is in use
            head, self.header = run_format.pack(facts, counters)
            wire.write_all(self.fd, head)
        except OSError:
            self.remove()
            raise
        self.reserved = self.whole = len(head)
        self.reserve(0)

    def remove(self) -> None:
        """Leave no file."""
        os.unlink(self.path)
        os.close(self.fd)

    def reserve(self, spare: int) -> None:
        """Keep room for what is to come; it is a problem if there is less than ``spare`` bytes."""
        written = os.lseek(self.fd, 0, os.SEEK_CUR)
        if (written - self.header.records_at) % self.record_size:
            self.problem = f"a record was not the {self.record_size} bytes that it has to be"
            return
        self.whole = written
        wanted = AHEAD
        while self.reserved - written < AHEAD // 2 and wanted >= LEAST:
            failed = self._allocate(wanted)
            if failed in (errno.EOPNOTSUPP, errno.ENOSYS):
                self.reserved = 1 << 62
            elif failed:
                wanted //= 2
        if self.room() < spare:
            self.problem = os.strerror(errno.ENOSPC)

    def _allocate(self, size: int) -> int:
        """Have the disk keep ``size`` bytes more; return 0 or the errno."""
        libc: Any = ctypes.CDLL(None, use_errno=True)
        places = ctypes.c_int64(self.reserved), ctypes.c_int64(size)
        if libc.fallocate(self.fd, FALLOC_FL_KEEP_SIZE, *places) < 0:
            return ctypes.get_errno()
        self.reserved += size
        return 0

    def room(self) -> int:
        """Return the bytes that can still be written for certain."""
        return self.reserved - os.lseek(self.fd, 0, os.SEEK_CUR)

    def save_counters(self, values: bytes) -> None:
        """Keep the kernel's counts beside the records: they outlive whoever is killed."""
        with contextlib.suppress(OSError):  # the records matter more
            os.pwrite(self.fd, values, self.header.counters_at)

    def finish(self, failed: bool) -> None:
        """Cut off what is no whole record; ``failed``: the last write to be tried did not go."""
        written = os.lseek(self.fd, 0, os.SEEK_CUR)
        over = (written - self.header.records_at) % self.record_size
        if failed:
            self.problem = self._why()
            self.whole = written - over
        elif not over:
            self.whole = written
        os.ftruncate(self.fd, self.whole)  # this gives back the room that was kept, too
        os.close(self.fd)

    def _why(self) -> str:
        """Ask once more for what libbpf was refused, as it does not tell the reason."""
        try:
            wire.write_all(self.fd, bytes(self.record_size))
        except OSError as error:
            return os.strerror(error.errno or 0)
        return "a record could not be written"
