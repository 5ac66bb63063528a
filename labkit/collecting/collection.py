"""collect(): attach a variant, drain its events, return a Run."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from labkit.building import build
from labkit.building.report import BuildReport
from labkit.collecting import records
from labkit.errors import UsageError
from labkit.program.variants import Variant, find
from labkit.session import Job, Session

if TYPE_CHECKING:
    import pandas as pd

RING = "events"
SLOTS = ("event_slot", "extra_slot", "local_slot")
LOG_LEVEL = build.LOG_LEVEL
LONGEST = 7 * 24 * 3600.0  # seconds: a run without a time of its own ends after a week


class Workload(Protocol):
    """Something to observe: started once the program is attached, stopped before it is detached."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End; nothing of it is left."""


@dataclass
class Run:
    """What one collection brought home.

    ``records`` are the events as the BPF program wrote them, ``slots`` the per-CPU scratch at the
    end of the run: a structured array for each map, one element a possible CPU.
    """

    report: BuildReport
    records: np.ndarray[Any, Any]
    counters: np.ndarray[Any, Any]
    slots: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    clock_offset: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    complete: bool = True  # False if the worker died: then the account is not known

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row an event; the columns are labkit.collecting.records.COLUMNS."""
        return records.to_frame(self.records, self.clock_offset)

    @cached_property
    def account(self) -> pd.DataFrame:
        """One row a possible CPU: attempted, submitted, failed, delivered."""
        return records.account(self.counters, self.records["cpu"])

    @property
    def attached(self) -> bool:
        """Whether the program was attached: also where the worker died after that."""
        return self.report.accepted or not self.complete

    @property
    def balanced(self) -> bool:
        """Whether every attempt is accounted for, on each CPU."""
        return self.complete and records.balances(self.account)

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        if not self.attached:
            return f"<Run of {self.report.variant}: {self.report.outcome}, nothing attached>"
        if not self.complete:
            delivered = f"{len(self)} delivered, the rest is not known"
            return f"<Run of {self.report.variant}: the worker died; {delivered}>"
        total = self.account.sum()
        return (
            f"<Run of {self.report.variant}: {self.seconds:.1f} s, {total.attempted} attempted,"
            f" {total.delivered} delivered, {total.failed} failed>"
        )

    def _repr_html_(self) -> str:
        from labkit import show

        return show.run_html(self)


class Collection:
    """A collection under way, in a worker of its own.

    ``read`` takes in what has come; ``stop`` asks for the end; ``finish`` returns the Run. Leaving
    the ``with`` block ends the worker, and with it all that is attached.
    """

    def __init__(
        self,
        variant: str | Variant = "percpu",
        *,
        seconds: float | None = None,
        defines: Iterable[str] = (),
    ) -> None:
        if seconds is not None and not 0 < seconds <= LONGEST:
            raise UsageError(f"seconds must be more than 0 and at most {LONGEST:.0f}: {seconds!r}")
        self.variant = find(variant).with_defines(*map(build.checked_define, defines))
        self.layouts = build.layout(*self._size_defines())
        self.chunks: list[bytes] = []
        self.interrupted = False
        self.session = Session()
        request = build.request_for(self.variant, "lab", LONGEST + 3600, LOG_LEVEL)
        extra = {"job": "collect", "ring": RING, "seconds": seconds}
        self.job = Job(self.session, {**request, **extra, "snapshots": ["counters", *SLOTS]})

    def _size_defines(self) -> list[str]:
        return [word for word in self.variant.defines if "=" in word]

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    @property
    def attached(self) -> bool:
        """Whether the program is, or was, attached to the tracepoint."""
        return self.job.event("attached") is not None

    @property
    def over(self) -> bool:
        """Whether the worker has said its last word on this run."""
        return self.job.over

    @property
    def count(self) -> int:
        """Records taken in so far."""
        return sum(map(len, self.chunks)) // int(self.layouts["big_event"]["size"])

    @property
    def clock_offset(self) -> int:
        """What makes wall-clock time of a record's timestamp, in ns; 0 before the attachment."""
        return int((self.job.event("attached") or {"clock_offset": 0})["clock_offset"])

    def read(self, timeout: float = 0.1) -> np.ndarray[Any, Any]:
        """Take in what comes within timeout seconds; return those records."""
        chunk = b"".join(self.job.read(timeout))
        if chunk:
            self.chunks.append(chunk)
        return self._records(chunk)

    def _records(self, raw: bytes) -> np.ndarray[Any, Any]:
        return records.to_records(raw, self.layouts["big_event"])

    def stop(self) -> None:
        """Ask for the end; go on reading until ``over``."""
        self.job.stop()

    def finish(self) -> Run:
        """Stop if need be, take in the rest, end the worker and return the Run."""
        self.stop()
        while not self.over:
            self.read()
        self.session.close()
        return self._run()

    def _run(self) -> Run:
        attached, collected = self.job.event("attached"), self.job.event("collected")
        maps = collected["maps"] if collected else {}
        values = collected["values"] if collected else {}
        slots = {name: _values(raw, maps[name]) for name, raw in values.items()}
        nothing = np.zeros(0, records.record_dtype(self.layouts["counters"]))
        return Run(
            report=build.report_of(self.variant, self.job.events, self.session.versions),
            records=self._records(b"".join(self.chunks)),
            counters=slots.pop("counters", nothing),
            slots=slots,
            clock_offset=self.clock_offset,
            seconds=self._seconds(attached, collected),
            interrupted=self.interrupted,
            complete=collected is not None or attached is None,
        )

    @staticmethod
    def _seconds(attached: dict[str, Any] | None, collected: dict[str, Any] | None) -> float:
        if attached is None:
            return 0.0
        if collected is None:  # the worker died: as long as we have heard of it
            return time.monotonic() - float(attached["at"])
        return float(collected["seconds"])


def _values(encoded: str, described: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Decode a per-CPU map's values: one element a possible CPU, without the padding to 8 bytes."""
    dtype = records.record_dtype(described["layout"])
    stride = -(-dtype.itemsize // 8) * 8
    raw = np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(-1, stride)
    return np.ascontiguousarray(raw[:, : dtype.itemsize]).view(dtype).ravel()


def collect(
    variant: str | Variant = "percpu",
    *,
    seconds: float | None = None,
    defines: Iterable[str] = (),
    workload: Workload | None = None,
    on_records: Callable[[np.ndarray[Any, Any], int], None] | None = None,
) -> Run:
    """Attach a variant, collect for ``seconds`` (None: until interrupted) and return the Run.

    A refused variant gives a Run without events, whose report tells why. An interrupt (Ctrl-C, ■)
    ends the run early and returns what was collected; a second one is raised. ``on_records`` is
    called with each batch of records and the clock offset. Raises UsageError, MachineError.
    """
    with Collection(variant, seconds=seconds, defines=defines) as collection:
        try:
            _until_over(collection, workload, on_records)
        except KeyboardInterrupt:
            collection.interrupted = True
        return collection.finish()


def _until_over(
    collection: Collection,
    workload: Workload | None,
    on_records: Callable[[np.ndarray[Any, Any], int], None] | None,
) -> None:
    started = False
    try:
        while not collection.over:
            records = collection.read()
            if collection.attached and workload and not started:
                started = True
                workload.start()
            if on_records and len(records):
                on_records(records, collection.clock_offset)
    finally:
        if workload and started:
            workload.stop()
