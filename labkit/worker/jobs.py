"""What a worker can be asked to do: build, collect, measure, and show LLVM's own text."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from typing import Any

from labkit.worker import versions, wire

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
