"""One function a picture; each returns the Axes that it drew on.

from labkit import plots
plots.stack_snapshot(report)    # of what the verifier knew where it refused
plots.events_per_cpu(run)
"""

from __future__ import annotations

from typing import Any

from labkit.lazy import attribute

_NAMES = {
    "busiest": "labkit.plots.events",
    "events_per_cpu": "labkit.plots.events",
    "limit_search": "labkit.plots.stack:plot_search",
    "percpu_slots": "labkit.plots.percpu",
    "rate": "labkit.plots.events",
    "stack_snapshot": "labkit.plots.stack_snapshot:plot_frame",
    "stack_variables": "labkit.plots.stack_variables:plot_stack_users",
    "struct_sizes": "labkit.plots.stack:plot_structs",
    "timeline": "labkit.plots.events",
}

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    return attribute("labkit.plots", _NAMES, name)


def __dir__() -> list[str]:
    return __all__
