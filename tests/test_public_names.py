"""What labkit and its rooms call by a name: it is there, and hides no module; former names work."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import labkit

ROOMS = ("labkit", "labkit.machine", "labkit.notebook", "labkit.plots")


@pytest.mark.parametrize("room", ROOMS)
def test_each_name_is_there(room: str) -> None:
    module = importlib.import_module(room)
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("room", ROOMS)
def test_no_name_is_a_modules_too(room: str) -> None:
    """Once that module is imported, the name would stand for it."""
    package = importlib.import_module(room)
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert not modules & set(package.__all__)


@pytest.mark.parametrize("room", ROOMS)
def test_an_unknown_name_is_told_what_there_is(room: str) -> None:
    module = importlib.import_module(room)
    with pytest.raises(
        AttributeError, match=f"{room} has no 'nothing'; it has: {module.__all__[0]}"
    ):
        module.nothing  # noqa: B018


def test_the_top_is_small() -> None:
    assert len([name for name in labkit.__all__ if name[0].islower()]) <= 16


FORMER = [
    "plot_percpu_slots",
    "plot_events_per_cpu",
    "plot_timeline",
    "plot_busiest",
    "plot_rate",
    "plot_structs",
    "plot_search",
    "plot_stack_users",
    "plot_frame",
    "stack_users",
    "read_tracepoint",
    "call_chain",
    "look_into_map",
    "left_over",
    "limit_finder",
    "probe_frame",
    "largest_frame",
    "optimiser_table",
    "frame_stepper",
    "way_switch",
    "other_ways",
    "prove",
    "EXPERIMENTS",
    "Variant",
    "BuildReport",
    "Run",
]


@pytest.mark.parametrize("name", FORMER)
def test_a_former_name_still_works(name: str) -> None:
    assert getattr(labkit, name) is not None
    assert name not in dir(labkit)


def test_to_import_labkit_loads_nothing_else() -> None:
    code = "import sys, labkit; print(*sorted(m for m in sys.modules if m.startswith('labkit')))"
    words = [sys.executable, "-c", code]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert loaded.split() == ["labkit", "labkit.lazy"]
