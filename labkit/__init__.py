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
    "check": "labkit.machine.check",
    "build": "labkit.building.build",
    "layout": "labkit.building.build",
    "close": "labkit.session",
    "collect": "labkit.collecting.collection",
    "recover": "labkit.collecting.recovery",
    "exec_storm": "labkit.collecting.workload",
    "export_csv": "labkit.collecting.files",
    "export_parquet": "labkit.collecting.files",
    "read_csv": "labkit.collecting.files",
    "open_runs": "labkit.collecting.fleet",
    "plot_percpu_slots": "labkit.plots.percpu",
    "plot_events_per_cpu": "labkit.plots.events",
    "plot_timeline": "labkit.plots.events",
    "plot_busiest": "labkit.plots.events",
    "plot_rate": "labkit.plots.events",
    "read_tracepoint": "labkit.machine.tracepoint",
    "look_into_map": "labkit.notebook.slots",
    "left_over": "labkit.notebook.slots",
    "collector": "labkit.notebook.collector",
    "side_by_side": "labkit.show.sources",
    "variant_switch": "labkit.notebook.variant_switch",
    "limit_finder": "labkit.notebook.limit_finder",
    "probe_frame": "labkit.notebook.limit",
    "largest_frame": "labkit.notebook.limit",
    "call_chain": "labkit.machine.stack_limit",
    "optimiser_table": "labkit.notebook.optimiser",
    "plot_structs": "labkit.plots.structs",
    "plot_search": "labkit.plots.structs",
    "stack_users": "labkit.stack.variables:stack_variables",
    "plot_stack_users": "labkit.plots.variables:stack_variables",
    "plot_frame": "labkit.plots.snapshot:stack_snapshot",
    "frame_stepper": "labkit.notebook.stepper:stack_stepper",
    "prove": "labkit.claims",
    "EXPERIMENTS": "labkit.claims",
    "other_ways": "labkit.program.alternatives",
    "way_switch": "labkit.notebook.alternative_switch",
    "VARIANTS": "labkit.program.variants",
    "Variant": "labkit.program.variants",
    "BuildReport": "labkit.building.report",
    "Run": "labkit.collecting.run",
    "LabError": "labkit.errors",
    "MachineError": "labkit.errors",
    "UsageError": "labkit.errors",
    "BuildRefused": "labkit.errors",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"labkit has no {name!r}; it has: {', '.join(__all__)}")
    module, _, known_there_as = _PUBLIC[name].partition(":")
    return getattr(import_module(module), known_there_as or name)


def __dir__() -> list[str]:
    return __all__
