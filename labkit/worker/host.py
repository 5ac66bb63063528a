"""What the worker's side of this machine is: versions, page size, tracefs."""

from __future__ import annotations

import ctypes
import os
import platform
import re
from typing import Any

TRACEFS = "/sys/kernel/tracing"
LEGACY_TRACEFS = "/sys/kernel/debug/tracing"


def llvm_library() -> str | None:
    """Return the path of the libLLVM that libbcc loaded; None where it is linked in statically."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        paths = {line.split(maxsplit=5)[5].strip() for line in maps if "libLLVM" in line}
    return min(paths, default=None)


def llvm_version() -> tuple[int, ...] | None:
    """Return LLVM's version as numbers; only the major one before LLVM 16; None if unknown.

    LLVMGetVersion came with LLVM 16; before that the library's own name tells.
    """
    path = llvm_library()
    if path is None:
        return None
    library = ctypes.CDLL(path)
    if hasattr(library, "LLVMGetVersion"):
        parts = [ctypes.c_uint() for _ in range(3)]
        library.LLVMGetVersion(*map(ctypes.byref, parts))
        return tuple(part.value for part in parts)
    named = re.search(r"libLLVM[-.](?:so\.)?(\d+)", os.path.basename(path))
    return (int(named.group(1)),) if named else None


def versions() -> dict[str, str]:
    """Return the versions that decide a verdict."""
    import bcc

    llvm = llvm_version()
    return {
        "kernel": platform.release(),
        "machine": platform.machine(),
        "bcc": bcc.__version__,
        "llvm": ".".join(map(str, llvm)) if llvm else "unknown",
        "bcc_python": platform.python_version(),
    }


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
