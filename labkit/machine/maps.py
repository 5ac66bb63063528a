"""A map for as long as somebody holds it; who may not make one reads why, and what helps."""

from __future__ import annotations

from labkit.errors import MachineError
from labkit.machine import rights
from labkit.machine.bpf_syscall import make_map


def new_map(kind: str) -> int:
    """Return the descriptor of a new map with one element. Raises MachineError, or OSError."""
    try:
        return make_map(kind)
    except PermissionError as error:
        reason = f"the kernel made no map: {error.strerror}"
        raise MachineError(reason, rights.mend()) from None
