"""labkit: build BPF programs live, read what the compiler and the verifier say, collect events.

    import labkit
    labkit.check()                              # what this machine has, and lacks
    labkit.build("stack")                       # a report: refused is a result, not an exception
    labkit.collect("percpu", seconds=5).frame   # one row an exec

These names are used all the time. All else goes by the name of its room: ``from labkit import
plots``, then ``plots.timeline(run)``; ``claims``, ``machine`` and ``notebook`` likewise.

Importing labkit imports nothing else; each name below loads its module when it is first used, so
that the terminal's commands start fast and need no more than they use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from labkit.lazy import attribute

_PUBLIC = {
    "check": "labkit.checklist",
    "build": "labkit.building.build",
    "layout": "labkit.building.build",
    "collect": "labkit.collecting.collection",
    "recover": "labkit.collecting.recovery",
    "exec_storm": "labkit.collecting.workload",
    "export_csv": "labkit.collecting.files",
    "export_parquet": "labkit.collecting.files",
    "read_csv": "labkit.collecting.files",
    "open_runs": "labkit.collecting.fleet",
    "close": "labkit.session",
    "variant_switch": "labkit.notebook.variant_switch",
    "collector": "labkit.notebook.collector",
    "side_by_side": "labkit.show.sources",
    "VARIANTS": "labkit.program.variants",
    "LabError": "labkit.errors",
    "MachineError": "labkit.errors",
    "UsageError": "labkit.errors",
    "BuildRefused": "labkit.errors",
}

_ROOMS = ("claims", "machine", "notebook", "plots")

# Names that stood here once, and still work.
_FORMER = {
    "plot_percpu_slots": "labkit.plots.percpu:percpu_array",
    "plot_events_per_cpu": "labkit.plots.events:events_per_cpu",
    "plot_timeline": "labkit.plots.events:timeline",
    "plot_busiest": "labkit.plots.events:busiest",
    "plot_rate": "labkit.plots.events:rate",
    "plot_structs": "labkit.plots.structs:struct_sizes",
    "plot_search": "labkit.plots.structs:limit_search",
    "plot_stack_users": "labkit.plots.variables:stack_variables",
    "plot_frame": "labkit.plots.snapshot:stack_snapshot",
    "stack_users": "labkit.stack.variables:stack_variables",
    "read_tracepoint": "labkit.machine.tracepoint",
    "call_chain": "labkit.machine.stack_limit",
    "look_into_map": "labkit.notebook.map_values",
    "left_over": "labkit.notebook.map_values",
    "limit_finder": "labkit.notebook.finder",
    "probe_frame": "labkit.building.frame_size",
    "largest_frame": "labkit.building.frame_size",
    "optimiser_table": "labkit.notebook.optimiser",
    "frame_stepper": "labkit.notebook.stepper:stack_stepper",
    "way_switch": "labkit.notebook.alternatives:alternative_switch",
    "other_ways": "labkit.program.alternatives",
    "prove": "labkit.claims",
    "EXPERIMENTS": "labkit.claims:CLAIMS",
    "Variant": "labkit.program.variants",
    "BuildReport": "labkit.building.report",
    "Run": "labkit.collecting.run",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"labkit.{name}")
    return attribute("labkit", _FORMER if name in _FORMER else _PUBLIC, name)


def __dir__() -> list[str]:
    return [*__all__, *_ROOMS]
