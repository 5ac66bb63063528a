"""The stack frame at one instruction: 64 slots of 8 bytes, and where the access fell, to scale."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from labkit.building.report import BuildReport
from labkit.plots import style
from labkit.program.variants import STACK_LIMIT
from labkit.stack.snapshot import KINDS, SLOT, Kind, Moment, Slot, moment_of, outside
from labkit.stack.variables import StackUsers, stack_users
from labkit.verifier_log import VerifierLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from labkit.program.llvm_ir import Local

_TALL = 0.8  # height of the strip of slots; one row of the picture is 1
_OVER = 1.05  # height of an access, which stands out above and below
_ROOM = 56  # bytes of space beyond what the picture must hold
_BYTES_A_LETTER = 6.5  # that a letter is wide, in a picture of 600 bytes
_LETTERS_UP_TO = 900  # bytes in the picture: beyond that a slot has no room for its letter


def plot_frame(
    built: BuildReport | VerifierLog,
    step: int | None = None,
    *,
    users: StackUsers | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw the 512 bytes of stack as the verifier knew them at a step, by default the refused one.

    Below the slots lie the variables of which it is known where; what is past the limit is hatched.
    ``users`` (see labkit.stack_users) are asked for now if a report is drawn without them. A log
    without any instruction gives an empty frame.
    """
    log = built.verifier_log if isinstance(built, BuildReport) else built
    if users is None and isinstance(built, BuildReport) and built.source:
        users = stack_users(built)
    axes = axes or style.new_axes(11, 4.2)
    moment = moment_of(log, step, users)
    lowest = moment.lowest if moment else -STACK_LIMIT
    left = lowest - (_ROOM if lowest < -STACK_LIMIT else SLOT)
    with style.styled():
        _draw_frame(axes, moment, left)
        _draw_users(axes, users, left)
        if moment is not None:
            _draw_access(axes, moment)
        placed = users is not None and len(users.users) > 0
        _finish(axes, moment, left, _title(built, moment), placed=placed)
    return axes


def _title(built: BuildReport | VerifierLog, moment: Moment | None) -> str:
    name = f"{built.variant}: " if isinstance(built, BuildReport) else ""
    if moment is None:
        return f"{name}no instruction was followed"
    number = moment.step.instruction.index
    refused = "the verifier refused it at" if moment.fatal else "the stack at"
    return f"{name}{refused} instruction {number}"


def _draw_frame(axes: Axes, moment: Moment | None, left: int) -> None:
    axes.barh(0, -STACK_LIMIT - left, _TALL, left, color="#EEEEEE")
    known = moment.slots if moment else {}
    letters = -left < _LETTERS_UP_TO
    for offset in range(-SLOT, -STACK_LIMIT - 1, -SLOT):
        _draw_slot(axes, known.get(offset, Slot(offset, "?" * SLOT)), letters)


def _draw_slot(axes: Axes, slot: Slot, letters: bool) -> None:
    """Draw a slot, its bytes by what is known of each; the first letter is the highest address."""
    start = slot.offset + SLOT
    for letter, same in groupby(slot.letters):
        width = len(list(same))
        kind = KINDS.get(letter, KINDS["?"])
        start -= width
        look: Any = {"color": kind.colour, "hatch": kind.hatch, "edgecolor": "#00000066"}
        axes.barh(0, width, _TALL, start, linewidth=0, label=_label(kind), **look)
    axes.barh(0, SLOT, _TALL, slot.offset, facecolor="none", edgecolor="#888888", linewidth=0.5)
    if letters and slot.letter != "?":
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.85}
        middle = slot.offset + SLOT / 2
        axes.text(middle, 0, slot.letter, ha="center", va="center", fontsize=8, bbox=box, zorder=4)


def _label(kind: Kind) -> str:
    return f"{kind.letter}  {kind.word}"


def _draw_users(axes: Axes, users: StackUsers | None, left: int) -> None:
    """Draw the variables whose place is known, and name those that lie beyond the picture."""
    placed = [user for user in users.users if user.offset is not None] if users else []
    for user in placed:
        start, end = max(user.offset or 0, left), (user.offset or 0) + user.bytes
        _bar(axes, max(start, -STACK_LIMIT), end, style.GOOD)
        _bar(axes, start, min(end, -STACK_LIMIT), style.BAD, hatch="//")
        if end > left:
            _name_bar(axes, user, start, end, _BYTES_A_LETTER * -left / 600)
    if users is not None and users.users and not placed:
        named = ", ".join(f"{user.name}: {user.bytes} bytes" for user in users.users)
        axes.text(4 - STACK_LIMIT, 1, f"on it, at places the compiler chose: {named}", va="center")
    gone = outside(users)
    if gone and min(user.offset or 0 for user in gone) < left:
        names = ", ".join(f"`{user.name}` ({user.bytes} bytes)" for user in gone)
        axes.text(left, 1.9, f"◀ all of it outside, so it must move too: {names}", va="center")


def _name_bar(axes: Axes, user: Local, start: int, end: int, letter: float) -> None:
    """Write a variable's name into its bar, or below where it has no room."""
    outside = min(user.bytes, max(0, -STACK_LIMIT - (user.offset or 0)))
    over = f", {outside} of them outside" if 0 < outside < user.bytes else ""
    words = f"{user.name}: {user.bytes} bytes{over}"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    if len(words) * letter > end - start:
        words = f"{user.name}: {user.bytes}"
    inside = len(words) * letter <= end - start
    look: Any = {"bbox": box, "zorder": 5} if inside else {"fontsize": 8}
    axes.text((start + end) / 2, 1 if inside else 1.45, words, ha="center", va="center", **look)


def _bar(axes: Axes, start: int, end: int, colour: str, hatch: str = "") -> None:
    if end > start:
        axes.barh(1, end - start, 0.55, start, color=colour + "66", edgecolor=colour, hatch=hatch)


def _draw_access(axes: Axes, moment: Moment) -> None:
    """Draw the bytes that the instruction touches, and say in words what they are."""
    access = moment.access
    words = _story(moment)
    if access is None:
        axes.text(0.5, 1.0, words, transform=axes.transAxes, ha="center", va="top")
        return
    colour = style.BAD if moment.fatal or access.outside else style.GOOD
    end = access.offset + access.bytes
    look: Any = {"edgecolor": colour, "linewidth": 2.5, "zorder": 5}
    if access.outside and access.offset < -STACK_LIMIT < end:
        past = -STACK_LIMIT - access.offset
        axes.barh(0, past, _OVER, access.offset, facecolor=colour + "99", hatch="xx", **look)
        axes.barh(0, access.bytes, _OVER, access.offset, facecolor="none", **look)
    else:
        hatch = "xx" if access.outside else ""
        axes.barh(
            0, access.bytes, _OVER, access.offset, facecolor=colour + "55", hatch=hatch, **look
        )
    pointed = (access.offset + min(access.bytes, SLOT) / 2, -_OVER / 2 - 0.05)
    near = access.offset < -STACK_LIMIT / 2
    arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 2, "relpos": (0.0, 0.0)}
    axes.annotate(
        words,
        pointed,
        xytext=(0.02 if near else 0.45, 0.98),
        textcoords="axes fraction",
        va="top",
        arrowprops={**arrow, "relpos": (0.0 if near else 1.0, 0.0)},
    )


def _story(moment: Moment) -> str:
    """Return up to three lines: what the instruction does, where in the C source, what to move."""
    lines = [f"{'✘ ' if moment.fatal else ''}{_does(moment)}"]
    source = moment.step.source
    if source is not None and source.text:
        place = f"{source.file}:{source.line}" if source.file else "C line"
        lines.append(f"{place}   {_short(source.text)}")
    if moment.fatal and moment.access and moment.access.outside and moment.name:
        lines.append(f"➜ move `{moment.name}` off the stack")
    return "\n".join(lines)


def _does(moment: Moment) -> str:
    one = moment.step.instruction
    if moment.access is not None:
        return f"instruction {one.index} {moment.access.words}"
    return f"instruction {one.index}: {one.disassembly}   {moment.fatal}"


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"


def _finish(axes: Axes, moment: Moment | None, left: int, title: str, *, placed: bool) -> None:
    deeper = f", in a function {moment.depth} calls deep" if moment and moment.depth else ""
    axes.set_title(title + deeper, loc="left", fontweight="bold")
    axes.set_xlim(left, SLOT)
    axes.set_ylim(2.1, -2.6)
    ticks = range(0, left, -64)
    axes.set_xticks(list(ticks), ["fp", *(str(tick) for tick in ticks[1:])])
    axes.set_yticks([0, 1] if placed else [0], ["stack", "variables"] if placed else ["stack"])
    axes.set_xlabel("bytes from the frame pointer (r10); a stack grows to the left here")
    limit = -STACK_LIMIT
    axes.vlines(limit, -0.85, 1.5, color=style.LIMIT, linestyle="--", linewidth=2.5, zorder=6)
    axes.text(limit + 4, -0.72, f"▶ the {STACK_LIMIT} bytes of stack", va="center")
    if left < limit - SLOT:
        axes.text(left + 3, 0, "outside", va="center", zorder=7)
    handles, labels = axes.get_legend_handles_labels()
    known = dict(zip(labels, handles, strict=True))
    place: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2)}
    legend = axes.legend(known.values(), known, ncols=3, frameon=False, **place)
    for patch in legend.get_patches():
        patch.set_edgecolor("#888888")
        patch.set_linewidth(0.5)
