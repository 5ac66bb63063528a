"""The idea in one drawing: a stack that is too small, and beside it a slot for each CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labkit.building.build import layout as struct_layout
from labkit.machine.cpus import possible_cpus
from labkit.machine.stack_limit import measured
from labkit.plots import alt
from labkit.plots.style import HATCHES, INK, OTHERS, PAPER, limit_line, new_axes, styled
from labkit.program.variants import STRUCTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CPUS = 4  # drawn one by one; the rest is a line of text
HEIGHT = 0.62


def percpu_array(
    layout: Mapping[str, Mapping[str, Any]] | None = None,
    cpus: Sequence[int] | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw each CPU's own copy of the three objects, to scale beside the stack.

    ``layout`` is what labkit.layout() returns, ``cpus`` the ids of the CPUs that are possible here:
    both are measured where they are not given.
    """
    sizes = _sizes(layout)
    ids = cpus or possible_cpus()
    count, shown = len(ids), min(len(ids), MOST_CPUS)
    axes = axes or new_axes(9.0, 1.6 + 0.6 * shown)
    limit = measured().bytes
    with styled():
        _box(axes, 0, 0, limit or 0, f"{limit} bytes" if limit else "not known here", PAPER, "")
        for place in range(shown):
            _lane(axes, place + 1, sizes)
        limit_line(axes, limit or 0, "the stack ends here" if limit else "")
    total = sum(sizes.values())
    words = f"{total} bytes × {count} possible CPUs = {total * count:,} bytes of kernel memory"
    axes.set_title(f"A slot for each CPU: {words}\n", loc="left", color=INK, fontsize="medium")
    labels = ["the stack of one run", *(f"slot of CPU {cpu}" for cpu in ids[:shown])]
    axes.set_yticks(range(shown + 1), labels)
    axes.set(xlabel="bytes", ylim=(shown + 0.9, -0.6), xlim=(0, max(total, limit or 0) * 1.02))
    if count > shown:
        axes.text(0, shown + 0.75, f"… and {count - shown} slots more", color=INK)
    return alt.describe(axes, alt.percpu_array(sizes, count, limit))


def _sizes(layout: Mapping[str, Mapping[str, Any]] | None) -> dict[str, int]:

    structs = struct_layout() if layout is None else layout
    return {name: int(structs[name]["size"]) for name in STRUCTS}


def _lane(axes: Axes, place: int, sizes: dict[str, int]) -> None:
    left = 0
    for (name, size), colour, hatch in zip(sizes.items(), OTHERS, HATCHES, strict=False):
        _box(axes, place, left, size, f"{name} {size}", colour, hatch)
        left += size


def _box(axes: Axes, place: int, left: int, size: int, words: str, colour: str, hatch: str) -> None:
    axes.barh(
        place,
        size,
        HEIGHT,
        left=left,
        color=colour,
        alpha=0.9,
        hatch=hatch,
        edgecolor=INK,
        zorder=2,
    )
    paper = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.9, "pad": 1.5}
    axes.text(
        left + size / 2, place, words, ha="center", va="center", color=INK, bbox=paper, zorder=5
    )
