"""What this machine is: its rights, its CPUs, its tracefs, what its kernel takes.

    from labkit import machine
    machine.call_chain(304, 304, program_type="socket_filter")
    machine.read_tracepoint("sched:sched_process_exec")

Each name loads its module when it is first used.
"""

from __future__ import annotations

from typing import Any

from labkit.lazy import attribute

_NAMES = {
    "call_chain": "labkit.machine.stack_limit",
    "read_tracepoint": "labkit.machine.tracepoint",
}

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    return attribute("labkit.machine", _NAMES, name)


def __dir__() -> list[str]:
    return __all__
