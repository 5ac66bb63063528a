"""Who took the bytes: each variable of a program as a bar, and all of them against the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.plots import alt, style
from labkit.stack.variables import StackVariables
from labkit.stack.variables import stack_variables as found_now

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from labkit.program.llvm_ir import Local

_TALL = 0.62


def stack_variables(variables: StackVariables | str = "stack", axes: Axes | None = None) -> Axes:
    """Draw the bytes of stack by variable, the largest first, and their sum.

    ``variables`` is what labkit.stack.variables.stack_variables() returns, or the name of a variant
    to ask it for now. Only what is itself too large has a hatched part: no place on the stack is
    meant, each bar begins at 0. How the sizes were found stands below the picture.
    """
    if isinstance(variables, str):
        variables = found_now(variables)
    axes = axes or style.new_axes(10, 1.6 + 0.5 * (len(variables.variables) + 1))
    limit = variables.total if variables.limit is None else variables.limit
    with style.styled():
        for row, one in enumerate(variables.variables):
            _draw(axes, row, one, limit)
        _finish(axes, variables, limit)
    return alt.describe(axes, alt.stack_variables(variables))


def _draw(axes: Axes, row: int, variable: Local, limit: int) -> None:
    past = max(0, variable.bytes - limit)
    _bar(axes, row, 0, variable.bytes - past, style.GOOD)
    _bar(axes, row, limit, past, style.BAD, hatch="//")
    words = f"{variable.bytes} bytes" + (f", {past} past the limit" if past else "")
    axes.text(variable.bytes + 8, row, words, va="center", zorder=6)


def _bar(axes: Axes, row: int, left: int, width: int, colour: str, hatch: str = "") -> None:
    if width > 0:
        axes.barh(row, width, _TALL, left, color=colour + "66", edgecolor=colour, hatch=hatch)


def _finish(axes: Axes, variables: StackVariables, limit: int) -> None:
    total, last = variables.total, len(variables.variables)
    _bar(axes, last, 0, min(total, limit), style.GOOD)
    _bar(axes, last, limit, total - limit, style.BAD, hatch="//")
    end = max(total, limit)
    words = f"{total} bytes" + (f": {variables.verdict}" if variables.verdict else "")
    axes.text(end + 8, last, words, va="center", fontweight="bold")
    names = [f"{one.name}\n({one.type})" if one.type else one.name for one in variables.variables]
    axes.set_yticks(range(last + 1), [*names, "all of them"])
    axes.invert_yaxis()
    axes.set_xlim(0, end * 1.3)
    axes.set_xlabel(f"bytes of stack (hatched: past the limit)\nfound by {variables.found}")
    title = f"{variables.variant}: who took the bytes"
    axes.set_title(title, loc="left", fontweight="bold", pad=18)
    if variables.limit is not None:
        style.limit_line(axes, limit, f"the limit: {limit}")
