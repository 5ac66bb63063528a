"""tracefs, where the kernel describes its tracepoints: where it is mounted, and mounting it.

Standard library only, Python 3.9: the worker uses it too.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

TRACEFS = "/sys/kernel/tracing"
LEGACY_TRACEFS = "/sys/kernel/debug/tracing"


def mount_tracefs() -> str | None:
    """Mount tracefs if neither of its places shows events. Return what was done, None if nothing.

    bcc and the attachment read the tracepoint's id there. Raises OSError where it can't be mounted.
    """
    return None if tracefs_place() else mount("tracefs", TRACEFS)


def tracefs_place() -> str | None:
    """Return where tracefs shows events, None where it is not mounted or may not be read."""
    places = (TRACEFS, LEGACY_TRACEFS)
    return next((place for place in places if os.path.isdir(f"{place}/events/sched")), None)


def mount(kind: str, place: str) -> str:
    """Mount a kernel file system and say so. Raises OSError."""
    libc: Any = ctypes.CDLL(None, use_errno=True)
    if libc.mount(kind.encode(), place.encode(), kind.encode(), 0, None) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, f"cannot mount {kind} on {place}: {os.strerror(errno)}", place)
    return f"mounted {kind} on {place}"
