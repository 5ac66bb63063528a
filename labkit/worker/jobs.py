"""What a worker can be asked to do: build, collect, measure, and show LLVM's own text."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import signal
from collections.abc import Callable
from typing import Any

from labkit.worker import versions, wire

FAULT = 70  # exit code for a defect of our own (EX_SOFTWARE)
PR_SET_PDEATHSIG = 1

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
    from labkit.worker import build  # noqa: F401  so that no child has to

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
    from labkit.worker import build

    return build.run(request, emit, _prepared["scratch"])


def _measure(request: dict[str, Any], emit: Emit) -> None:
    from labkit.worker import measure

    measure.run(request, _build, emit)


def _print_intermediate(request: dict[str, Any], emit: Emit) -> None:
    from labkit.worker import build

    build.print_intermediate(request, emit, _prepared["scratch"])


def _collect(request: dict[str, Any], emit: Emit) -> None:
    from labkit.worker import collect

    collect.run(request, _build, emit)


JOBS: dict[str, Callable[[dict[str, Any], Emit], Any]] = {
    "build": _build,
    "collect": _collect,
    "intermediate": _print_intermediate,
    "measure": _measure,
}
