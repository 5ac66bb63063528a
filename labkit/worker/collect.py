"""The job `collect`: attach a program, have its records written to the run's file, tell the rest.

Three threads: one empties the ring buffer into memory, one moves that to the file (run_writer), and
this one waits for the end, which is the time, a stop, or a disk that is full. Only it talks to the
server.
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from labkit.machine.cpus import possible_cpus
from labkit.worker.attach import attach, detach
from labkit.worker.maps import Values
from labkit.worker.ring import Ring
from labkit.worker.run_writer import MOST_WAITING, RunWriter

TICK = 0.1  # seconds between two looks at the disk's room and the kernel's counts
POLL_MS = 100
# Seconds from one look into the ring buffer to the next. While records come, waiting a little is
# what keeps it cheap: to be woken for each of them costs the collector and the programs more than
# all the rest. The default buffer holds two seconds of a storm of execs.
NAP = 0.005
# Of a CPU, what a collection may take before others. Where all CPUs start programs at full speed,
# the scheduler was seen to let it wait for seconds (Linux 6.18, with autogroups); 25,000 events a
# second take it 3 %. Above this share, it is a process as others are.
URGENT_SHARE = 0.5


class Stop:
    """SIGTERM, by which the server says that it is enough; it keeps it back from its children."""

    asked = False

    def wait(self, seconds: float) -> bool:
        """Wait as long as that; return whether a stop has been asked for, which ends the wait."""
        self.asked = self.asked or signal.sigtimedwait({signal.SIGTERM}, seconds) is not None
        return self.asked


def clock_offset() -> int:
    """Return ns to add to CLOCK_MONOTONIC, which BPF programs read, for the wall clock's time."""
    tries = []
    for _ in range(5):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        wall = time.clock_gettime_ns(time.CLOCK_REALTIME)
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        tries.append((after - before, wall - (before + after) // 2))
    return min(tries)[1]


class Urgency:
    """Let this process go before others as long as it takes little of a processor's time.

    Real time (SCHED_RR) needs CAP_SYS_NICE; without it, it has to do without.
    """

    def __init__(self) -> None:
        self._looked, self._used = time.monotonic(), time.process_time()
        self._set(True)

    def update(self) -> None:
        """Look at what was used since the last call."""
        now, used = time.monotonic(), time.process_time()
        self._set(used - self._used < URGENT_SHARE * (now - self._looked))
        self._looked, self._used = now, used

    @staticmethod
    def _set(urgent: bool) -> None:
        policy, priority = (os.SCHED_RR, 1) if urgent else (os.SCHED_OTHER, 0)
        for thread in threading.enumerate():  # the kernel knows a policy of threads alone
            with contextlib.suppress(OSError):
                os.sched_setscheduler(thread.native_id or 0, policy, os.sched_param(priority))


class Drain:
    """A thread that sees a ring buffer's records into the writer's memory."""

    def __init__(self, ring: Ring, writer: RunWriter) -> None:
        self.ring = ring
        self.writer = writer
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        while not self.ring.failed and not self._ended.wait(NAP):
            if self.writer.waiting() < MOST_WAITING:  # else the kernel counts what it cannot hold
                self.ring.poll(POLL_MS)

    def finish(self) -> None:
        """Take what is left, once the program is detached and writes no more."""
        self._ended.set()
        self._thread.join()
        if not self.ring.failed:
            self.ring.consume()


def run(
    request: dict[str, Any],
    build: Callable[[dict[str, Any], Callable[..., None]], Any],
    emit: Callable[..., None],
) -> None:
    """Build with ``build``, collect into the file of ``request["file"]``, tell what was counted."""
    module = build(request, emit)
    if module is None:
        return
    maps = module.maps()
    counters = Values(maps["counters"])
    facts = {"clock_offset": clock_offset(), "started": time.time_ns(), "cpus": possible_cpus()}
    try:
        writer = RunWriter(request["file"], {**request["facts"], **facts}, counters.read())
    except OSError as error:
        emit("not_attached", reason=f"cannot write {error.filename or 'the run'}: {error.strerror}")
        return
    urgency = Urgency()  # of the mover's thread too; the drain's inherits it
    drain = Drain(Ring(maps[request["ring"]]["fd"], writer.memory), writer)
    try:
        attached = attach(module)
    except OSError as error:
        drain.finish()
        writer.remove()
        emit("not_attached", reason=error.strerror)
        return
    started = time.monotonic()
    emit("attached", clock_offset=facts["clock_offset"])
    spare = min(maps[request["ring"]]["entries"], writer.room() // 2)
    try:
        _wait_for_the_end(request["seconds"], drain, writer, counters, spare, urgency)
    finally:
        detach(module, attached)
        seconds = time.monotonic() - started
        drain.finish()
        writer.save_counters(counters.read())
        writer.finish(drain.ring.failed)
    told = {"maps": maps, "values": _in_base64(maps, request["snapshots"])}
    emit("collected", seconds=seconds, problem=writer.problem, **told)


def _in_base64(maps: dict[str, dict[str, Any]], names: list[str]) -> dict[str, str]:
    read = {name: Values(maps[name]).read() for name in names if name in maps}
    return {name: base64.b64encode(raw).decode() for name, raw in read.items()}


def _wait_for_the_end(
    seconds: float | None,
    drain: Drain,
    writer: RunWriter,
    counters: Values,
    spare: int,
    urgency: Urgency,
) -> None:
    """Wait until the time is over, a stop is asked for, or the file takes no more."""
    stop = Stop()
    end = float("inf") if seconds is None else time.monotonic() + seconds
    while time.monotonic() < end and not drain.ring.failed and not writer.problem:
        if stop.wait(min(TICK, max(0.0, end - time.monotonic()))):
            return
        writer.save_counters(counters.read())
        writer.look(spare)
        urgency.update()
