"""Write a run's file: the header, the kernel's counts as they stand, and whole records only."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import threading
import time
from typing import Any

from labkit.worker import run_format, wire

PAUSE = 0.01  # seconds between two moves of records from memory to the file
AT_ONCE = 4 << 20  # bytes that are moved at a time
MOST_WAITING = 256 << 20  # bytes of records in memory, above which no more are taken
FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE = 1, 2  # linux/falloc.h


class RunWriter:
    """The file that a run's records are written to; ``problem`` says why it takes no more.

    Records are written to ``memory``, from where a thread moves them to the file within
    milliseconds: a disk was seen to hold up a write for two seconds, in which others are lost. What
    else is kept goes through a mapped page, and room is looked for without reserving it.
    """

    def __init__(self, wanted: dict[str, Any], facts: dict[str, Any], counters: bytes) -> None:
        self.path = wanted["path"]
        self.record_size = wanted["record_size"]
        self.problem = ""
        self._ended = threading.Event()
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
        self.save_counters(counters)
        self.memory = os.memfd_create("records")
        self._moved = 0  # bytes, by the mover alone
        self._disk_failed = self._misfit = False
        self._mover = threading.Thread(target=self._move_all)
        self._mover.start()

    def remove(self) -> None:
        """Leave no file. What is open ends with this process, which has nothing more to do."""
        self._ended.set()
        os.unlink(self.path)

    def room(self) -> int:
        """Return the bytes that the disk has left for us."""
        disk = os.fstatvfs(self.fd)
        return (disk.f_bfree if os.geteuid() == 0 else disk.f_bavail) * disk.f_frsize

    def waiting(self) -> int:
        """Return the bytes that are not in the file yet."""
        return self._written() - self._moved

    def _written(self) -> int:
        return os.lseek(self.memory, 0, os.SEEK_CUR)

    def look(self, spare: int) -> None:
        """Look whether all is well so far, and ``spare`` bytes of room for what is to come."""
        written = self._written()  # asked once: the mover goes on meanwhile
        waiting = written - self._moved
        if written % self.record_size:
            self._misfit = True  # where one ends is not known, so none is kept
            self.problem = f"a record was not the {self.record_size} bytes that it has to be"
        elif waiting > 2 * MOST_WAITING:  # more than one round of libbpf's loop should take
            self.problem = "the disk is too slow for so many events"
        elif self.room() < spare + waiting:
            self.problem = os.strerror(errno.ENOSPC)

    def save_counters(self, values: bytes) -> None:
        """Keep the kernel's counts, and the time, beside the records: they outlive a kill."""
        told = run_format.pack_counters(time.time_ns(), values)
        self._page[self.header.counters_at : self.header.counters_at + len(told)] = told

    def _move_all(self) -> None:
        while not self._ended.wait(PAUSE) and not self._disk_failed:
            self._move()

    def _move(self) -> None:
        """Write to the file what waits, and give its memory back."""
        try:
            while waiting := min(self.waiting(), AT_ONCE):
                wire.write_all(self.fd, os.pread(self.memory, waiting, self._moved))
                _forget(self.memory, self._moved, waiting)
                self._moved += waiting
        except OSError as error:
            self.problem, self._disk_failed = os.strerror(error.errno or 0), True

    def finish(self, memory_was_full: bool) -> None:
        """Write what still waits, once no more comes, and cut off what is no whole record.

        ``memory_was_full`` says that the last record was lost, for there was no room for it.
        """
        self._ended.set()
        self._mover.join()
        if memory_was_full:
            self.problem = os.strerror(errno.ENOMEM)
        else:
            self.look(0)
        if not self._disk_failed:
            self._move()
        records = os.lseek(self.fd, 0, os.SEEK_CUR) - self.header.records_at
        whole = 0 if self._misfit else records - records % self.record_size
        os.ftruncate(self.fd, self.header.records_at + whole)
        os.close(self.fd)
        os.close(self.memory)


def _forget(memory: int, start: int, size: int) -> None:
    """Give back the whole pages of that part of an in-memory file."""
    libc: Any = ctypes.CDLL(None)
    how = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
    libc.fallocate(memory, how, ctypes.c_int64(start), ctypes.c_int64(size))
