"""collect(): attach a variant, drain its events, return a Run."""

from __future__ import annotations

import base64
import contextlib
import platform
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np

from labkit.building import build
from labkit.building.report import BuildReport
from labkit.collecting.folders import EVENT, new_path
from labkit.collecting.records import record_dtype
from labkit.collecting.run import Run
from labkit.collecting.run_file import COUNTS, RunFile, percpu_values
from labkit.errors import UsageError
from labkit.program.variants import Variant, find
from labkit.session import Job, Session

RING = "events"
SLOTS = ("event_slot", "extra_slot", "local_slot")
LOG_LEVEL = build.LOG_LEVEL
FINISH_LIMIT = 30.0  # seconds for a worker to end a run; then it is ended
RESTART_GRACE = 15.0  # seconds in which a kernel that was interrupted may be ended
TICK = 0.1  # seconds between two looks at what is new
OnRecords = Callable[[np.ndarray[Any, Any], int], None]
LONGEST = 7 * 24 * 3600.0  # seconds: a run without a time of its own ends after a week


class Workload(Protocol):
    """Something to observe: started once the program is attached, stopped before it is detached."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End; nothing of it is left."""


class Collection:
    """A collection under way, in a worker of its own that writes the records to the run's file.

    ``wait`` takes in what the worker says, ``take`` returns records, ``stop`` asks for the end and
    ``finish`` returns the Run. Leaving the ``with`` block ends the worker, and with it all that is
    attached; what was written stays in the file until ``finish`` returns a Run that ended well.
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
        self.layouts = build.layout(*(word for word in self.variant.defines if "=" in word))
        self.file: RunFile | None = None
        self.interrupted = False
        self.session = Session()
        self.path, owner = new_path()
        self._request = {
            **build.request_for(self.variant, "lab", LONGEST + 3600, LOG_LEVEL),
            "job": "collect",
            "ring": RING,
            "seconds": seconds,
            "snapshots": [COUNTS, *SLOTS],
            "file": {
                "path": str(self.path),
                "owner": owner,
                "record_size": self.layouts[EVENT]["size"],
            },
            "facts": self._facts(),
        }
        try:
            self._jobs = [Job(self.session, self._request)]
            _import_for_tables()  # while the worker compiles
        except BaseException:
            self.session.close()
            raise

    def _facts(self) -> dict[str, Any]:
        """Return what the run's file says of itself, so that whoever finds it needs no more."""
        return {
            "variant": self.variant.name,
            "file_name": self.variant.file_name,
            "source": self.variant.text,
            "defines": self.variant.defines,
            "layouts": {name: self.layouts[name] for name in (EVENT, COUNTS)},
            "versions": self.session.versions,
            "host": platform.node(),
        }

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    @property
    def job(self) -> Job:
        """The worker's job that counts: the latest."""
        return self._jobs[-1]

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
        """Records written so far."""
        return len(self.file) if self.file else 0

    @property
    def clock_offset(self) -> int:
        """What makes wall-clock time of a record's timestamp, in ns; 0 before the attachment."""
        return int((self.job.event("attached") or {"clock_offset": 0})["clock_offset"])

    def wait(self, timeout: float = 0.1) -> None:
        """Take in what the worker says within timeout seconds."""
        self.job.read(timeout)
        if self.attached and self.file is None:
            self._open()
        if self.over and len(self._jobs) == 1 and build.other_headers_may_help(self._report()):
            self._jobs.append(Job(self.session, {**self._request, "headers": "machine"}))

    def _open(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # killed before the header was whole
            self.file = RunFile(self.path)

    def take(self) -> np.ndarray[Any, Any]:
        """Return the next records that are written, a few thousand at most; none: no new ones."""
        if self.file is None:
            return np.zeros(0, record_dtype(self.layouts[EVENT]))
        return self.file.take()

    def read(self, timeout: float = 0.1) -> np.ndarray[Any, Any]:
        """Return the next records; wait for the worker's words if there are none."""
        self.wait(0 if self.file and self.file.behind else timeout)
        return self.take()

    def stop(self) -> None:
        """Ask for the end; go on waiting until ``over``."""
        self.job.stop()

    def finish(self, keep_file: bool = False) -> Run:
        """Stop if need be, wait for the end, end the worker and return the Run.

        The run's file is deleted if it ended well, unless ``keep_file`` is set: then that is left
        to Run.discard_file().
        """
        deadline = time.monotonic() + FINISH_LIMIT
        while not self.over and time.monotonic() < deadline:
            self.stop()
            self.wait()
        self.session.close()
        run = self._run()
        if run.ended_well and not keep_file:
            self._discard_file_of(run)
        return run

    @staticmethod
    def _discard_file_of(run: Run) -> None:
        """Delete the run's file; a moment later where an interrupt may announce a restart.

        JupyterLab interrupts a kernel before it ends it, and the Run with it.
        """
        if run.interrupted and "ipykernel" in sys.modules:
            later = threading.Timer(RESTART_GRACE, run.discard_file)
            later.daemon = True
            later.start()
        else:
            run.discard_file()

    def _report(self) -> BuildReport:
        report = build.report_of(self.variant, self.job.events, self.session.versions)
        if len(self._jobs) == 1:
            return report
        return build.of_two_tries(self._first_report(), report)

    def _first_report(self) -> BuildReport:
        return build.report_of(self.variant, self._jobs[0].events, self.session.versions)

    def _run(self) -> Run:
        collected = self.job.event("collected")
        if self.file is None and self.path.exists():
            self._open()
        told = collected or {"maps": {}, "values": {}, "problem": ""}
        raw = {name: base64.b64decode(encoded) for name, encoded in told["values"].items()}
        values = {n: percpu_values(value, told["maps"][n]["layout"]) for n, value in raw.items()}
        there = self.file is not None
        run = Run(
            report=self._report(),
            records=self.file.records() if self.file else self.take(),
            counters=values.pop(COUNTS, np.zeros(0, record_dtype(self.layouts[COUNTS]))),
            slots=values,
            cpus=self.file.facts["cpus"] if self.file else (),
            clock_offset=self.file.facts["clock_offset"] if self.file else 0,
            seconds=collected["seconds"] if collected else self.file.seconds if self.file else 0.0,
            interrupted=self.interrupted,
            complete=collected is not None or not there,
            problem=told["problem"],
            file=self.path if there else None,
        )
        if self.file:
            self.file.close()
        return run


def _import_for_tables() -> None:
    """Import what a table is made with, whole: an interrupt waits until that is done.

    One in the midst of it leaves half a pandas, which the first event printed would come upon
    ("partially initialized module"), and in a notebook each cell that follows.
    """
    held: list[int] = []
    kept = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if callable(signal.getsignal(number)):
                kept[number] = signal.signal(number, lambda number, _frame: held.append(number))
    try:
        import pandas  # noqa: F401
        import pyarrow  # noqa: F401
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    if held:
        signal.raise_signal(held[0])


def collect(
    variant: str | Variant = "percpu",
    *,
    seconds: float | None = None,
    defines: Iterable[str] = (),
    workload: Workload | None = None,
    on_records: OnRecords | None = None,
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
    on_records: OnRecords | None,
) -> None:
    started = False
    try:
        while not collection.over:
            collection.wait(0 if on_records and hand_on(collection, on_records) else TICK)
            if collection.attached and workload and not started:
                started = True
                workload.start()
    finally:
        if workload and started:
            workload.stop()
    while on_records and hand_on(collection, on_records):
        pass


def hand_on(collection: Collection, on_records: OnRecords) -> bool:
    """Call ``on_records`` with the next records, if there are any; return whether there were."""
    records = collection.take()
    if len(records):
        on_records(records, collection.clock_offset)
    return len(records) > 0
