"""The exercises of notebook 05: what asks, what checks, and which of them are solved.

    from labkit.notebook import exercises
    exercises.begin()                       # the panel: which are solved on this machine
    frames = exercises.frames()             # a question, another one each time
    exercises.check_predictions(frames, "neither", "both", "compiler")

Each name loads its module when it is first used.
"""

from __future__ import annotations

from typing import Any

from labkit.lazy import attribute

_NAMES = {
    "begin": "labkit.notebook.exercises.solved",
    "progress": "labkit.notebook.exercises.solved",
    "frames": "labkit.notebook.exercises.of_the_limit",
    "check_predictions": "labkit.notebook.exercises.of_the_limit",
    "sizes_to_keep": "labkit.notebook.exercises.of_the_limit",
    "check_shrunk": "labkit.notebook.exercises.of_the_limit",
    "puzzle": "labkit.notebook.exercises.of_the_limit",
    "check_line": "labkit.notebook.exercises.of_the_limit",
    "check_null": "labkit.notebook.exercises.of_the_limit",
    "check_own": "labkit.notebook.exercises.of_percpu",
    "memory": "labkit.notebook.exercises.of_percpu",
    "check_memory": "labkit.notebook.exercises.of_percpu",
    "check_loss": "labkit.notebook.exercises.of_percpu",
    "check_longest_gap": "labkit.notebook.exercises.of_percpu",
    "check_clean": "labkit.notebook.exercises.of_percpu",
    "check_direct": "labkit.notebook.exercises.of_percpu",
}

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    return attribute("labkit.notebook.exercises", _NAMES, name)


def __dir__() -> list[str]:
    return __all__
