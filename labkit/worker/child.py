"""What a forked child of the worker does of its own: it dies with its parent, and prints all."""

from __future__ import annotations

import ctypes
import os
import signal

FAULT = 70  # exit code for a defect of our own (EX_SOFTWARE)
PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when ``parent``, who forked it, ends or has ended."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(FAULT)


def flush_c() -> None:
    """Write out what C code printed: os._exit would lose it."""
    ctypes.CDLL(None).fflush(None)
