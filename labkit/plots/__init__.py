"""One function a picture; each returns the Axes that it drew on.

    from labkit import plots
    plots.stack_snapshot(report)        # what the verifier knew of the stack where it refused
    plots.events_per_cpu(run)

Each name loads its module when it is first used, and matplotlib with it.
"""

from __future__ import annotations

from typing import Any

from labkit.lazy import attribute

_NAMES = {
    "busiest": "labkit.plots.events",
    "events_per_cpu": "labkit.plots.events",
    "limit_search": "labkit.plots.structs",
    "percpu_array": "labkit.plots.percpu",
    "programs_by_machine": "labkit.plots.comparison",
    "rate": "labkit.plots.events",
    "stack_snapshot": "labkit.plots.snapshot",
    "stack_variables": "labkit.plots.variables",
    "struct_sizes": "labkit.plots.structs",
    "timeline": "labkit.plots.events",
}

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    return attribute("labkit.plots", _NAMES, name)


def __dir__() -> list[str]:
    return __all__
