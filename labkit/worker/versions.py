"""The versions that decide a verdict: kernel, bcc, LLVM."""

from __future__ import annotations

import ctypes
import os
import platform
import re


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
