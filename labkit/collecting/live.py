"""A collection in an asyncio loop: events are taken in while the notebook goes on working."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from labkit.collecting.collection import Collection, Run

TICK = 0.25  # seconds between two calls of on_tick
READS = 32  # of a pipe's content at one go, so that a storm does not wait for our pictures
LATEST = 2000  # events of which a live picture shows when they came


class Live:
    """One collection, from its start to its Run. ``run`` is awaited once.

    ``stop`` asks for its end and returns at once; ``close`` ends it before it returns. ``counts``
    has the events so far, an element a CPU; ``latest`` the CPUs and times of the latest ones.
    """

    def __init__(self, variant: str, seconds: float, on_tick: Callable[[Live], None]) -> None:
        self.variant = variant
        self.seconds = seconds
        self.collection: Collection | None = None
        self.counts = np.zeros(0, "int64")
        self.latest = np.zeros((2, 0), "int64")
        self._on_tick = on_tick
        self._ticked = 0.0
        self._stopping = False
        self._closed = False
        self._stop_reading: Callable[[], object] = lambda: None
        self._lock = threading.RLock()

    @property
    def attached(self) -> bool:
        """Whether the program is attached by now."""
        return self.collection is not None and self.collection.attached

    @property
    def elapsed(self) -> float:
        """Seconds since the program was attached; 0 before."""
        attached = self.collection and self.collection.job.event("attached")
        return time.monotonic() - attached["at"] if attached else 0.0

    async def run(self) -> Run | None:
        """Collect and return the Run; None if close() came in between.

        Starting a worker takes a moment, ending one too: both are done in a thread.
        """
        collection = await asyncio.to_thread(self._open)
        await self._drain(collection)
        return await asyncio.to_thread(self._finish)

    def stop(self) -> None:
        """Ask for the end: at once if it is attached, otherwise as soon as it is."""
        self._stopping = True
        if self.collection is not None and self.attached and not self._closed:
            self.collection.stop()

    def close(self) -> Run | None:
        """End it now; when this returns, nothing is attached. Return what was collected."""
        with self._lock:
            self._stop_reading()
            run = self._finish() if self.attached else None
            self._closed = True
            if self.collection is not None:
                self.collection.session.close()
            return run

    def _open(self) -> Collection:
        collection = Collection(self.variant, seconds=self.seconds)
        with self._lock:
            self.collection = collection
            if self._closed:  # close() was called while the worker was starting
                collection.session.close()
        return collection

    def _finish(self) -> Run | None:
        with self._lock:
            if self._closed or self.collection is None:
                return None
            return self.collection.finish()

    async def _drain(self, collection: Collection) -> None:
        readable = asyncio.Event()
        if not self._closed:
            self._watch(collection.session.fileno(), readable)
        try:
            while not self._closed and not collection.over:
                await _at_most(readable, TICK)
                self._take(collection)
        except KeyboardInterrupt:  # while another cell was waiting
            collection.interrupted = True
        finally:
            self._stop_reading()

    def _watch(self, descriptor: int, readable: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(descriptor, readable.set)

        def stop_reading() -> None:
            self._stop_reading = lambda: None  # by then the number may be another file's
            loop.remove_reader(descriptor)

        self._stop_reading = stop_reading

    def _take(self, collection: Collection) -> None:
        if self._closed:
            return
        for _ in range(READS):
            records = collection.read(0)
            self._count(records)
            if not len(records):
                break
        if collection.over:
            self._stop_reading()
        if self._stopping and collection.attached:
            collection.stop()
            self._stopping = False
        if time.monotonic() - self._ticked >= TICK:
            self._on_tick(self)
            self._ticked = time.monotonic()

    def _count(self, records: np.ndarray[Any, Any]) -> None:
        cpus = records["cpu"].astype("int64")
        size = max(len(self.counts), int(cpus.max(initial=-1)) + 1)
        self.counts = np.bincount(cpus, minlength=size) + np.pad(
            self.counts, (0, size - len(self.counts))
        )
        arrived = np.stack([cpus, records["timestamp"].astype("int64")])
        self.latest = np.hstack([self.latest, arrived])[:, -LATEST:]


async def _at_most(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, though not longer than that."""
    with contextlib.suppress(TimeoutError, asyncio.TimeoutError):  # two classes before Python 3.11
        await asyncio.wait_for(event.wait(), seconds)
    event.clear()
