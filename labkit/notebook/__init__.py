"""What the notebooks' cells call: the widgets, what single sections use, and the exercises.

    from labkit import notebook
    notebook.predict(…)                 # a question; the answer is measured after a guess
    notebook.limit_finder()             # a slider of bytes, asked of both gates
    notebook.stack_stepper(report)      # the stack, step by step of the verifier's walk
    notebook.look_into_map(run)         # the per-CPU slots beside the last events

Each name loads its module when it is first used. In a notebook's kernel the import also sees to it
that tables and pictures can be read aloud, and that a missing name says why it is missing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from labkit.lazy import attribute

_NAMES = {
    "alternative_switch": "labkit.notebook.alternatives",
    "behind_names": "labkit.notebook.questions",
    "by_verdict": "labkit.notebook.questions",
    "cheapest": "labkit.notebook.questions",
    "first_refused": "labkit.notebook.limit",
    "kernels": "labkit.notebook.other_kernels",
    "largest_frame": "labkit.building.frame_size",
    "left_over": "labkit.notebook.map_values",
    "limit_finder": "labkit.notebook.finder",
    "look_into_map": "labkit.notebook.map_values",
    "Measured": "labkit.notebook.prediction",
    "REFUSERS": "labkit.notebook.limit",
    "SAFEGUARDS": "labkit.notebook.optimiser",
    "VERDICTS": "labkit.notebook.limit",
    "chain_verdict": "labkit.notebook.limit",
    "optimiser_table": "labkit.notebook.optimiser",
    "predict": "labkit.notebook.prediction",
    "probe_frame": "labkit.building.frame_size",
    "stack_stepper": "labkit.notebook.stepper",
    "struct_definitions": "labkit.notebook.definitions",
    "verdict": "labkit.notebook.limit",
    "who_refuses": "labkit.notebook.limit",
}

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    if name == "mistakes":  # a room's module, lent: the programs of bpf/mistakes
        return import_module("labkit.building.mistakes")
    return attribute("labkit.notebook", _NAMES, name)


def __dir__() -> list[str]:
    return __all__


def _see_to(shell: Any) -> None:
    from labkit.notebook import unmade
    from labkit.show import pictures

    pictures.register(shell)
    unmade.watch(shell)


if "IPython" in sys.modules:  # where it is not, there is no notebook
    from IPython import get_ipython

    if (_shell := get_ipython()) is not None:
        _see_to(_shell)
