"""tracefs, where the kernel describes its tracepoints: where it is mounted, and mounting it.

Standard library only, Python 3.9: the worker uses it too.
"""

from __future__ import annotations

import ctypes
import os
from errno import EACCES
from typing import Any

from labkit.machine import rights

TRACEFS = "/sys/kernel/tracing"
LEGACY_TRACEFS = "/sys/kernel/debug/tracing"
MOUNT = f"sudo mount -t tracefs tracefs {TRACEFS}"


def mount_tracefs() -> str | None:
    """Mount tracefs if neither of its places shows events. Return what was done, None if nothing.

    bcc and the attachment read the tracepoint's id there. Raises OSError where it can't be mounted,
    or is mounted and may not be read.
    """
    if tracefs_place():
        return None
    if os.path.ismount(TRACEFS):
        text = f"tracefs is mounted on {TRACEFS}, but user {os.geteuid()} may not read it"
        raise OSError(EACCES, text, TRACEFS)
    return mount("tracefs", TRACEFS)


def mend(error: OSError) -> str:
    """Return what helps against an error of mount_tracefs()."""
    return rights.AS_ROOT if error.errno == EACCES else MOUNT


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
