"""What a worker can be asked to do: build, collect, measure, and show LLVM's own text."""

from __future__ import annotations

import ctypes
import importlib.util
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

_prepared: dict[str, Any] = {}


def prepare(scratch: str) -> dict[str, Any]:
    """Import bcc once, before any fork. Return the versions, or what is wrong with this Python."""
    _prepared["scratch"] = scratch
    spec = importlib.util.find_spec("bcc")
    if spec is None:
        return {"problem": "no_bcc", "detail": ""}
    place = spec.origin or "a folder without __init__.py"
    if not os.path.exists(os.path.join(os.path.dirname(place), "libbcc.py")):
        return {"problem": "wrong_bcc", "detail": place}  # only the real one has that file
    try:
        import bcc  # noqa: F401  once, before any fork
    except Exception as error:
        return {"problem": "broken_bcc", "detail": f"{type(error).__name__}: {error}"}
    return {"versions": versions.versions()}


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when ``parent``, who forked it, ends or has ended."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(FAULT)


def flush_c() -> None:
    """Write out what C code printed: os._exit would lose it."""
    ctypes.CDLL(None).fflush(None)


def run(request: dict[str, Any], out: int) -> None:
    """Do one request in the forked child, telling each step as a frame on out."""

    def emit(event: str, **facts: Any) -> None:
        wire.write_all(out, wire.pack({"event": event, **facts}))

    JOBS[request["job"]](request, emit)


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


def _measure(request: dict[str, Any], emit: Emit) -> None:
    from labkit.worker import measure

    measure.run(request, _build, emit)


def _load_objects(request: dict[str, Any], emit: Emit) -> None:
    from labkit.worker import objects

    objects.run(request, emit)


def _print_intermediate(request: dict[str, Any], emit: Emit) -> None:
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


def _collect(request: dict[str, Any], emit: Emit) -> None:
    from labkit.worker import collect

    collect.run(request, _build, emit)


JOBS: dict[str, Callable[[dict[str, Any], Emit], Any]] = {
    "build": _build,
    "collect": _collect,
    "intermediate": _print_intermediate,
    "measure": _measure,
    "objects": _load_objects,
}
