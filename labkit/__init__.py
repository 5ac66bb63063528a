"""labkit: build BPF programs live, read what the compiler and the verifier say, collect events.

    import labkit
    labkit.check()                              # what this machine has, and lacks
    labkit.build("stack")                       # a report: refused is a result, not an exception
    labkit.collect("percpu", seconds=5).table   # one row per exec

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

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"labkit.{name}")
    return attribute("labkit", _PUBLIC, name)


def __dir__() -> list[str]:
    return [*__all__, *_ROOMS]
