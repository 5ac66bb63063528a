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
KERNEL_TYPES = "/sys/kernel/btf/vmlinux"
MOST_NEAR = 6  # names that are offered instead of a wrong one
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


def near_tracepoints(name: str) -> list[str] | None:
    """Return names like that of a tracepoint which this kernel lacks; None where it has it.

    ``name`` is ``category:event``, or the event alone for a raw tracepoint, some of which have no
    place in tracefs: then the kernel's type information tells. What cannot be told is not missing.
    """
    place = tracefs_place()
    category, colon, event = name.rpartition(":")
    if place is None or (colon and os.path.isdir(f"{place}/events/{category}/{event}")):
        return None
    there = {
        one.name: [inner.name for inner in os.scandir(one) if inner.is_dir()]
        for one in os.scandir(f"{place}/events")
        if one.is_dir()
    }
    if category in there:
        events = _like(event, there[category]) or sorted(there[category])[:MOST_NEAR]
        return [f"{category}:{one}" for one in events]
    if colon:
        return _like(name, [f"{one}:{inner}" for one, events in there.items() for inner in events])
    names = {inner for events in there.values() for inner in events}
    return None if event in names or _has_bare(event) else _like(event, sorted(names))


def _like(name: str, there: list[str]) -> list[str]:
    import difflib

    return difflib.get_close_matches(name, there, n=MOST_NEAR, cutoff=0.5)


def _has_bare(event: str) -> bool:
    """Whether the kernel has a tracepoint of that name, with or without a place in tracefs."""
    try:
        with open(KERNEL_TYPES, "rb") as types:
            return b"\0btf_trace_%s\0" % event.encode() in types.read()
    except OSError:
        return True


def mount(kind: str, place: str) -> str:
    """Mount a kernel file system and say so. Raises OSError."""
    libc: Any = ctypes.CDLL(None, use_errno=True)
    if libc.mount(kind.encode(), place.encode(), kind.encode(), 0, None) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, f"cannot mount {kind} on {place}: {os.strerror(errno)}", place)
    return f"mounted {kind} on {place}"
