"""What a worker can be asked to do: build, collect, measure, and show LLVM's own text."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from labkit.machine import tracefs
from labkit.worker import versions, wire

FAULT = 70  # exit code for a defect of our own (EX_SOFTWARE)
PR_SET_PDEATHSIG = 1
DEBUG_LLVM_IR = 1  # bcc's flag: print the text that code is made from

Emit = Callable[..., None]
EmitRecords = Callable[[bytes], None]

_prepared: dict[str, Any] = {}


def prepare(scratch: str) -> dict[str, Any]:
    """Import bcc once, before any fork. Return the versions, or what is wrong with this Python."""
    _prepared["scratch"] = scratch
    try:
        import bcc
    except ImportError as error:
        return {"problem": "no_bcc", "detail": str(error)}
    if not hasattr(bcc, "BPF"):
        return {"problem": "wrong_bcc", "detail": str(getattr(bcc, "__file__", ""))}
    return {"versions": versions.versions()}


def die_with_parent() -> None:
    """Have the kernel kill this process when the server ends, however that comes about."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(FAULT)


def flush_c() -> None:
    """Write out what C code printed: os._exit would lose it."""
    ctypes.CDLL(None).fflush(None)


def run(request: dict[str, Any], out: int) -> None:
    """Do one request in the forked child, telling each step as a frame on out."""

    def emit(event: str, **facts: Any) -> None:
        wire.write_all(out, wire.pack_json({"event": event, **facts}))

    def emit_records(records: bytes) -> None:
        wire.write_all(out, wire.pack(wire.RECORDS, records))

    JOBS[request["job"]](request, emit, emit_records)


def _build_only(request: dict[str, Any], emit: Emit, _records: EmitRecords) -> None:
    _build(request, emit)


def _build(request: dict[str, Any], emit: Emit) -> Any:
    """Pass the source through both gates. Return the module if both let it through."""
    from labkit.worker import gates

    try:
        mounted = tracefs.mount_tracefs()
    except OSError as error:
        reason = f"{error.strerror}; to mend it: {tracefs.mend(error)}"
        emit("host_refused", reason=reason)
        return None
    if mounted:
        emit("note", text=mounted)
    if request["lift"]:
        emit("lifted", how=gates.lift(request))
    module = _compile(gates, request, emit)
    if module is None:
        return None
    passed = True
    for verdict in gates.load(module, request):
        emit("loaded", **verdict)
        passed = verdict["passed"]
    return module if passed else None


def _measure(request: dict[str, Any], emit: Emit, _records: EmitRecords) -> None:
    from labkit.worker import measure

    measure.run(request, _build, emit)


def _load_objects(request: dict[str, Any], emit: Emit, _records: EmitRecords) -> None:
    from labkit.worker import objects

    objects.run(request, emit)


def _print_intermediate(request: dict[str, Any], emit: Emit, _records: EmitRecords) -> None:
    """Compile and have LLVM print its intermediate text. Nothing is loaded."""
    from labkit.worker import gates

    tracefs.mount_tracefs()
    if request["lift"]:
        gates.lift(request)
    _compile(gates, {**request, "debug": DEBUG_LLVM_IR}, emit)
    ctypes.CDLL(None).exit(0)  # LLVM keeps what it prints until the process ends in good order


def _compile(gates: Any, request: dict[str, Any], emit: Emit) -> Any:
    emit("compiling")
    started = time.monotonic()
    try:
        module = gates.compile_source(request, _prepared["scratch"])
    except Exception:  # bcc raises Exception itself; what it printed tells the reason
        emit("compiled", passed=False, seconds=time.monotonic() - started)
        return None
    seconds = time.monotonic() - started
    flush_c()
    printed = os.lseek(2, 0, os.SEEK_CUR)
    emit("compiled", passed=True, seconds=seconds, printed=printed, maps=module.maps())
    return module


def _collect(request: dict[str, Any], emit: Emit, emit_records: EmitRecords) -> None:
    """Build, attach, drain until told to stop, detach, then read the account and the maps."""
    from labkit.worker import stream

    stop = stream.Stop()  # first of all: a stop while the compiler works must not kill the run
    module = _build(request, emit)
    if module is None:
        return
    maps = module.maps()
    ring = stream.Ring(maps[request["ring"]]["fd"], emit_records)
    attached = stream.attach(module)
    emit("attached", tracepoints=attached, clock_offset=stream.clock_offset())
    started = time.monotonic()
    try:
        stream.drain(ring, stop, request["seconds"])
    finally:
        stream.detach(module, attached)
        seconds = time.monotonic() - started
        ring.consume()
    values = {name: stream.snapshot(maps[name]) for name in request["snapshots"] if name in maps}
    emit("collected", seconds=seconds, maps=maps, values=values)


JOBS: dict[str, Callable[[dict[str, Any], Emit, EmitRecords], None]] = {
    "build": _build_only,
    "collect": _collect,
    "intermediate": _print_intermediate,
    "measure": _measure,
    "objects": _load_objects,
}
