"""A collection in an asyncio loop: events are counted while the notebook goes on working."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from labkit.collecting.collection import Collection
from labkit.collecting.run import Run

TICK = 0.25  # seconds between two calls of on_tick
LOOK = 0.05  # seconds between two looks at what is new
READS = 8  # batches of records at one look, so that a storm does not keep the notebook waiting
LATEST = 2000  # events of which a live picture shows when they came


class Live:
    """One collection, from its start to its Run. ``run`` is awaited once.

    ``stop`` asks for its end and returns at once; ``close`` ends it before it returns. ``counts``
    has the events so far, by the CPU's id; ``latest`` the CPUs and times of the latest ones.
    However ``run`` is left, by an error of ``on_tick`` or a cancelled task too, nothing stays
    attached, and what was collected is in ``result``.
    """

    def __init__(self, variant: str, seconds: float, on_tick: Callable[[Live], None]) -> None:
        self.variant = variant
        self.seconds = seconds
        self.collection: Collection | None = None
        self.result: Run | None = None
        self.counts: Counter[int] = Counter()
        self.latest = np.zeros((2, 0), "int64")
        self._on_tick = on_tick
        self._ticked = 0.0
        self._stopping = False
        self._closed = False
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
        try:
            collection = await asyncio.to_thread(self._open)
            try:
                await self._watch(collection)
            except KeyboardInterrupt:  # while another cell was waiting
                collection.interrupted = True
            return await asyncio.to_thread(self._finish)
        finally:
            self.close()

    def stop(self) -> None:
        """Ask for the end: at once if it is attached, otherwise as soon as it is."""
        self._stopping = True
        if self.collection is not None and self.attached and not self._closed:
            self.collection.stop()

    def close(self) -> Run | None:
        """End it now; when this returns, nothing is attached. Return what was collected."""
        with self._lock:
            if self.attached:
                self._finish()
            self._closed = True
            if self.collection is not None:
                self.collection.session.close()
            return self.result

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
            if self.result is None:
                self.result = self.collection.finish()
            return self.result

    async def _watch(self, collection: Collection) -> None:
        while not self._closed and not collection.over:
            collection.wait(0)
            self._count_new(collection)
            if self._stopping and collection.attached:
                collection.stop()
                self._stopping = False
            if time.monotonic() - self._ticked >= TICK:
                self._on_tick(self)
                self._ticked = time.monotonic()
            await asyncio.sleep(LOOK)

    def _count_new(self, collection: Collection) -> None:
        """Count what is new, though not so much at once that the notebook would have to wait."""
        for _ in range(READS):
            records = collection.take()
            if not len(records):
                break
            self._count(records)

    def _count(self, records: np.ndarray[Any, Any]) -> None:
        cpus = records["cpu"].astype("int64")
        different, counts = np.unique(cpus, return_counts=True)
        self.counts.update(dict(zip(different.tolist(), counts.tolist(), strict=True)))
        arrived = np.stack([cpus, records["timestamp"].astype("int64")])[:, -LATEST:]
        self.latest = np.hstack([self.latest, arrived])[:, -LATEST:]
