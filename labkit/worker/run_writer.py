"""Write a run's file: the header, the kernel's counts as they stand, and whole records only."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import time
from typing import Any

from labkit.worker import run_format, wire


class RunWriter:
    """The file that a run's records are written to; ``problem`` says why it takes no more.

    Whoever writes records only calls write(): what else is to be kept goes through a mapped page,
    and room is looked for without reserving it, as both would have the records wait for the disk.
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
            head, self.header = run_format.pack(facts, len(counters))
            wire.write_all(self.fd, head)
            self._page = mmap.mmap(self.fd, len(head))
        except OSError:
            self.remove()
            raise
        self.whole = len(head)
        self.save_counters(counters)

    def remove(self) -> None:
        """Leave no file."""
        os.unlink(self.path)
        os.close(self.fd)

    def room(self) -> int:
        """Return the bytes that the disk has left for us."""
        disk = os.fstatvfs(self.fd)
        return (disk.f_bfree if os.geteuid() == 0 else disk.f_bavail) * disk.f_frsize

    def look(self, spare: int) -> None:
        """Look whether all is well so far, and ``spare`` bytes of room for what is to come."""
        written = os.lseek(self.fd, 0, os.SEEK_CUR)
        if (written - self.header.records_at) % self.record_size:
            self.problem = f"a record was not the {self.record_size} bytes that it has to be"
            return
        self.whole = written
        if self.room() < spare:
            self.problem = os.strerror(errno.ENOSPC)

    def save_counters(self, values: bytes) -> None:
        """Keep the kernel's counts, and the time, beside the records: they outlive a kill."""
        told = run_format.pack_counters(time.time_ns(), values)
        self._page[self.header.counters_at : self.header.counters_at + len(told)] = told

    def finish(self, failed: bool) -> None:
        """Cut off what is no whole record; ``failed``: the last write to be tried did not go."""
        written = os.lseek(self.fd, 0, os.SEEK_CUR)
        over = (written - self.header.records_at) % self.record_size
        if failed:
            self.problem = self._why()
            self.whole = written - over
        elif not over:
            self.whole = written
        if failed or over:
            os.ftruncate(self.fd, self.whole)
        os.close(self.fd)

    def _why(self) -> str:
        """Ask once more for what libbpf was refused, as it does not tell the reason."""
        try:
            wire.write_all(self.fd, bytes(self.record_size))
        except OSError as error:
            return os.strerror(error.errno or 0)
        return "a record could not be written"
