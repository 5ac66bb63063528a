"""labkit: build BPF programs live, read what the compiler and the verifier say, collect events.

    import labkit
    labkit.check()                              # what this machine has, and lacks
    labkit.build("stack")                       # a report: refused is a result, not an exception
    labkit.collect("percpu", seconds=5).frame   # one row an exec

Importing labkit imports nothing else; each name below loads its module when it is first used, so
that the terminal's commands start fast and need no more than they use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "check": "labkit.doctor",
    "build": "labkit.building",
    "layout": "labkit.building",
    "close": "labkit.session",
    "collect": "labkit.collecting",
    "exec_storm": "labkit.workload",
    "export_csv": "labkit.export",
    "read_csv": "labkit.export",
    "plot_percpu_slots": "labkit.plots.percpu",
    "plot_events_per_cpu": "labkit.plots.events",
    "plot_timeline": "labkit.plots.events",
    "plot_busiest": "labkit.plots.events",
    "plot_rate": "labkit.plots.events",
    "read_tracepoint": "labkit.lessons.tracepoint",
    "look_into_map": "labkit.lessons.slots",
    "left_over": "labkit.lessons.slots",
    "collector": "labkit.widgets.collector",
    "side_by_side": "labkit.views.sources",
    "variant_switch": "labkit.widgets.variant_switch",
    "limit_finder": "labkit.widgets.limit_finder",
    "probe_frame": "labkit.lessons.limit",
    "largest_frame": "labkit.lessons.limit",
    "call_chain": "labkit.lessons.chain",
    "claims": "labkit.lessons.hearsay",
    "optimiser_table": "labkit.lessons.optimiser",
    "plot_structs": "labkit.plots.stack",
    "plot_search": "labkit.plots.stack",
    "stack_users": "labkit.stack_frame.users",
    "plot_stack_users": "labkit.plots.stack_users",
    "plot_frame": "labkit.plots.frame",
    "frame_stepper": "labkit.widgets.frame_stepper",
    "prove": "labkit.experiments",
    "EXPERIMENTS": "labkit.experiments",
    "other_ways": "labkit.lessons.gallery",
    "way_switch": "labkit.widgets.way_switch",
    "VARIANTS": "labkit.variants",
    "Variant": "labkit.variants",
    "BuildReport": "labkit.report",
    "Run": "labkit.collecting",
    "LabError": "labkit.errors",
    "MachineError": "labkit.errors",
    "UsageError": "labkit.errors",
    "BuildRefused": "labkit.errors",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"labkit has no {name!r}; it has: {', '.join(__all__)}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
