"""Attach the loaded programs, drain the ring buffer, read the maps."""

from __future__ import annotations

import base64
import ctypes
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from bcc.libbcc import _RINGBUF_CB_TYPE, lib

from labkit.machine.cpus import possible_cpus
from labkit.worker.compile import Module

POLL_MS = 50
LIBC = ctypes.CDLL(None, use_errno=True)


def attach(module: Module) -> list[str]:
    """Attach each program named tracepoint__CATEGORY__EVENT; return the tracepoints."""
    attached = []
    for name in module.functions():
        kind, _, rest = name.partition("__")
        if kind == "tracepoint":
            category, _, event = rest.partition("__")
            module.attach_tracepoint(tp=f"{category}:{event}", fn_name=name)
            attached.append(f"{category}:{event}")
    return attached


def detach(module: Module, attached: list[str]) -> None:
    """Detach; when this returns, no program is running any more (the kernel waits for them)."""
    for tracepoint in attached:
        module.detach_tracepoint(tracepoint)


class Ring:
    """A ring buffer whose records libbpf writes to memory with no Python in between.

    libbpf calls ``sample(context, record, size)`` for each record. libc's ``write(fd, record,
    size)`` has that very form, so the context is the number of an in-memory file.
    """

    def __init__(self, map_fd: int, emit: Callable[[bytes], None]) -> None:
        self.emit = emit
        self.memory = os.memfd_create("records")
        write = ctypes.cast(LIBC.write, _RINGBUF_CB_TYPE)
        self.manager = lib.bpf_new_ringbuf(map_fd, write, ctypes.c_void_p(self.memory))
        if not self.manager:
            raise OSError(ctypes.get_errno(), "cannot open the ring buffer")

    def poll(self) -> None:
        """Wait up to POLL_MS for records and hand on what there is."""
        lib.bpf_poll_ringbuf(self.manager, POLL_MS)
        self._flush()

    def consume(self) -> None:
        """Hand on all that is there, without waiting."""
        lib.bpf_consume_ringbuf(self.manager)
        self._flush()

    def _flush(self) -> None:
        size = os.lseek(self.memory, 0, os.SEEK_CUR)
        if size:
            self.emit(os.pread(self.memory, size, 0))
            os.lseek(self.memory, 0, os.SEEK_SET)
            os.ftruncate(self.memory, 0)


def snapshot(described: dict[str, Any]) -> str:
    """Read element 0 of a per-CPU array: one value for each possible CPU, each rounded to 8 bytes.

    Returns them in base64, one after the other.
    """
    stride = -(-described["value_size"] // 8) * 8
    values = ctypes.create_string_buffer(stride * len(possible_cpus()))
    key = ctypes.c_uint32(0)
    if lib.bpf_lookup_elem(described["fd"], ctypes.byref(key), values) < 0:
        raise OSError(ctypes.get_errno(), "cannot read the map")
    return base64.b64encode(values.raw).decode()


def clock_offset() -> int:
    """Return ns to add to CLOCK_MONOTONIC, which BPF programs read, for the wall clock's time."""
    tries = []
    for _ in range(5):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        wall = time.clock_gettime_ns(time.CLOCK_REALTIME)
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        tries.append((after - before, wall - (before + after) // 2))
    return min(tries)[1]


class Stop:
    """Set by SIGTERM, which is how the server says that it is enough."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_: Any) -> None:
        self.asked = True


def drain(ring: Ring, stop: Stop, seconds: float | None) -> None:
    """Hand on records until the time is over or a stop is asked for."""
    end = None if seconds is None else time.monotonic() + seconds
    while not stop.asked and (end is None or time.monotonic() < end):
        ring.poll()
