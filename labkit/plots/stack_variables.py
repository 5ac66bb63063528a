"""Who took the bytes: each variable of a program as a bar, one after the other, against 512."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.plots import style
from labkit.program.variants import STACK_LIMIT
from labkit.stack.variables import StackUsers, stack_users

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from labkit.program.llvm_ir import Local

_TALL = 0.62


def plot_stack_users(users: StackUsers | str = "stack", axes: Axes | None = None) -> Axes:
    """Draw the bytes of stack by variable, the largest first, each where the one above it ends.

    ``users`` is what labkit.stack_users() returns, or the name of a variant to ask it for now. A
    bar's part past 512 bytes is hatched; how the sizes were found stands below the picture.
    """
    if isinstance(users, str):
        users = stack_users(users)
    axes = axes or style.new_axes(10, 1.6 + 0.5 * (len(users.users) + 1))
    with style.styled():
        start = 0
        for row, user in enumerate(users.users):
            _draw(axes, row, start, user)
            start += user.bytes
        _finish(axes, users)
    return axes


def _draw(axes: Axes, row: int, start: int, user: Local) -> None:
    inside = max(0, min(user.bytes, STACK_LIMIT - start))
    _bar(axes, row, start, inside, style.GOOD)
    _bar(axes, row, start + inside, user.bytes - inside, style.BAD, hatch="//")
    words = f"{user.bytes} bytes"
    if 0 < inside < user.bytes:
        words += f", {user.bytes - inside} past the limit"
    elif inside == 0:
        words += ", all past the limit"
    axes.text(start + user.bytes + 8, row, words, va="center", zorder=6)


def _bar(axes: Axes, row: int, left: int, width: int, colour: str, hatch: str = "") -> None:
    if width > 0:
        axes.barh(row, width, _TALL, left, color=colour + "66", edgecolor=colour, hatch=hatch)


def _finish(axes: Axes, users: StackUsers) -> None:
    last = len(users.users)
    over = users.total - STACK_LIMIT
    verdict = f"{over} too many" if over > 0 else f"{-over} to spare"
    _bar(axes, last, 0, min(users.total, STACK_LIMIT), style.GOOD)
    _bar(axes, last, STACK_LIMIT, users.total - STACK_LIMIT, style.BAD, hatch="//")
    end = max(users.total, STACK_LIMIT)
    axes.text(end + 8, last, f"{users.total} bytes: {verdict}", va="center", fontweight="bold")
    names = [f"{user.name}\n({user.type})" if user.type else user.name for user in users.users]
    axes.set_yticks(range(last + 1), [*names, "together"])
    axes.invert_yaxis()
    axes.set_xlim(0, end * 1.3)
    axes.set_xlabel(f"bytes of stack (hatched: past the limit)\nfound by {users.found}")
    axes.set_title(f"{users.variant}: who took the bytes", loc="left", fontweight="bold", pad=18)
    style.limit_line(axes, STACK_LIMIT, f"the limit: {STACK_LIMIT}")
