"""The three structs against the frame they should fit in, and the search for the limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labkit.building.build import layout
from labkit.machine.stack_limit import measured
from labkit.plots import alt, style
from labkit.program.variants import STRUCTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from labkit.building.frame_size import Largest

_HEIGHT = 0.62
_LETTERS = 115  # that have room beside each other in the whole width


def struct_sizes(
    layouts: Mapping[str, Any] | None = None, axes: Axes | None = None, limit: int | None = None
) -> Axes:
    """Draw each struct, and all of them together, to scale against the stack that there is.

    ``layouts`` is what labkit.layout() returns, and by default it is asked now; so is ``limit``, in
    bytes. A row's part past the limit is hatched.
    """
    if layouts is None:
        layouts = layout()
    axes = axes or style.new_axes(10, 3.6)
    total = sum(layouts[name]["size"] for name in STRUCTS)
    known = limit or measured().bytes
    limit = known or total  # where it is not known, nothing is past it
    axes.set_xlim(0, max(total, limit) * 1.2)
    if known:
        axes.barh(0, limit, _HEIGHT, color="white", edgecolor=style.LIMIT, linewidth=2.5)
    words = "all the stack there is" if known else "how much stack there is, is not known here"
    axes.text(limit / 2, 0, words, ha="center", va="center")
    for row, name in enumerate(STRUCTS, 1):
        _draw_struct(axes, row, layouts[name], limit)
    _draw_struct(axes, 4, {"fields": [{"name": "", "offset": 0, "size": total}]}, limit)
    _finish(axes, layouts, total, known)
    return alt.describe(axes, alt.struct_sizes(layouts, known))


def _draw_struct(axes: Axes, y: float, layout: Mapping[str, Any], limit: int) -> None:
    for field in layout["fields"]:
        left, end = field["offset"], field["offset"] + field["size"]
        inside = max(0, min(end, limit) - left)
        _bar(axes, y, left, inside, style.GOOD)
        _bar(axes, y, left + inside, end - left - inside, style.BAD, hatch="//")
        words = f"{field['name']}  {field['size']}"
        if field["name"] and len(words) * axes.get_xlim()[1] / _LETTERS <= field["size"]:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
            axes.text((left + end) / 2, y, words, ha="center", va="center", bbox=box, zorder=5)


def _bar(axes: Axes, y: float, left: float, width: float, colour: str, hatch: str = "") -> None:
    if width > 0:
        face = colour + "66"  # part transparent, so that hatch and outline stand out
        axes.barh(y, width, _HEIGHT, left, color=face, edgecolor=colour, hatch=hatch, linewidth=1)


def _finish(axes: Axes, layouts: Mapping[str, Any], total: int, limit: int | None) -> None:
    sizes = [limit, *(layouts[name]["size"] for name in STRUCTS), total]
    for y, size in enumerate(sizes):
        if size is None:
            continue
        over = f", {size - limit} too many" if limit is not None and size > limit else ""
        axes.text(size + 10, y, f"{size} bytes{over}", va="center", zorder=6)
    axes.set_yticks(range(5), ["BPF stack", *STRUCTS, "all three"])
    axes.invert_yaxis()
    axes.set_xlabel("bytes (hatched: past the limit)")
    if limit is not None:
        style.limit_line(axes, limit, f"the limit: {limit}")


def limit_search(*found: Largest, axes: Axes | None = None) -> Axes:
    """Draw every size that the searches tried, in order from the top, and where each ended."""
    axes = axes or style.new_axes(10, 3.8)
    for number, (largest, look) in enumerate(zip(found, style.looks(len(found)), strict=True)):
        _draw_search(axes, largest, look, shift=0.18 * number)
    axes.plot([], [], "o", color=style.GOOD, label="let through")
    axes.plot([], [], "X", color=style.BAD, label="refused")
    axes.invert_yaxis()
    axes.set_xlabel("bytes of stack in the program")
    axes.set_ylabel("build number")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    if (limit := measured().bytes) is not None:
        style.limit_line(axes, limit, f"the kernel's limit: {limit}")
    return alt.describe(axes, alt.limit_search(found))


def _draw_search(axes: Axes, largest: Largest, look: Mapping[str, str], shift: float) -> None:
    """Draw one gate's search, a little lower than the one before, so that both stay visible."""
    sizes = [size for size, _passed in largest.tries]
    places = [order + shift for order in range(1, len(sizes) + 1)]
    label = f"the {largest.gate}: at most {largest.size}"
    axes.plot(sizes, places, color=look["color"], linestyle=look["linestyle"], label=label)
    for (size, passed), place in zip(largest.tries, places, strict=True):
        marker, colour = ("o", style.GOOD) if passed else ("X", style.BAD)
        axes.plot(size, place, marker, color=colour, markersize=8)
