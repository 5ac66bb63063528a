"""A run's own file, as labkit reads it.

The worker writes it (labkit/worker/run_format.py says how); here it is read as far as it has been
written. Whoever reads may lag behind without anything being lost.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np

from labkit.collecting.folders import EVENT
from labkit.collecting.records import record_dtype
from labkit.worker import run_format

COUNTS = "counters"  # the struct of the kernel's counts, and the map that holds it
AT_ONCE = 4 << 20  # bytes of records that are read at a time


class RunFile:
    """A run's file, open for reading. Raises OSError, and ValueError where it is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.header = run_format.read(self.fd)
            self.event = record_dtype(self.facts["layouts"][EVENT])
        except (KeyError, ValueError) as error:
            os.close(self.fd)
            raise ValueError(f"{path} is no file of a run: {error}") from error
        fcntl.flock(self.fd, fcntl.LOCK_SH)
        self._taken = 0  # records

    @property
    def facts(self) -> dict[str, Any]:
        """What the header tells: variant, source, layouts, versions, clock_offset, CPU ids."""
        return self.header.facts

    def __len__(self) -> int:
        """Return how many whole records there are by now."""
        written = os.fstat(self.fd).st_size - self.header.records_at
        return max(0, written // self.event.itemsize)

    @property
    def behind(self) -> int:
        """Records that take() has not returned yet."""
        return len(self) - self._taken

    @property
    def seconds(self) -> float:
        """For how long it was written to, as far as the worker noted it ten times a second."""
        return max(0.0, float(self._noted()[0] - self.facts["started"]) / 1e9)

    def take(self) -> np.ndarray[Any, Any]:
        """Return the next records, at most AT_ONCE bytes of them; none if there are no new ones."""
        wanted = min(self.behind, AT_ONCE // self.event.itemsize)
        return self._read(self._taken, wanted)

    def skip_to_last(self, records: int) -> None:
        """Have take() go on with the last of what there is, that many records."""
        self._taken = max(0, len(self) - records)

    def _read(self, first: int, wanted: int) -> np.ndarray[Any, Any]:
        size = self.event.itemsize
        raw = os.pread(self.fd, wanted * size, self.header.records_at + first * size)
        self._taken = first + len(raw) // size
        return np.frombuffer(raw, self.event, len(raw) // size)

    def records(self) -> np.ndarray[Any, Any]:
        """View all the records where they are, on the disk; they stay readable when it is gone."""
        count = len(self)
        if not count:
            return np.zeros(0, self.event)
        mapped = mmap.mmap(self.fd, 0, access=mmap.ACCESS_READ)
        return np.frombuffer(mapped, self.event, count, self.header.records_at)

    def counters(self) -> np.ndarray[Any, Any]:
        """Return the kernel's counts, one per CPU, as they were just before the latest record."""
        return percpu_values(self._noted()[1], self.facts["layouts"][COUNTS])

    def _noted(self) -> tuple[int, bytes]:
        stride = -(-self.facts["layouts"][COUNTS]["size"] // 8) * 8
        return run_format.read_counters(self.fd, self.header, len(self.facts["cpus"]) * stride)

    def close(self) -> None:
        """Close it; what records() returned stays readable."""
        os.close(self.fd)


def percpu_values(raw: bytes, layout: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Return a per-CPU map's values as structs: one per CPU, without the padding to 8 bytes."""
    dtype = record_dtype(layout)
    stride = -(-dtype.itemsize // 8) * 8
    rows = np.frombuffer(raw, np.uint8).reshape(-1, stride)
    return np.ascontiguousarray(rows[:, : dtype.itemsize]).view(dtype).ravel()
