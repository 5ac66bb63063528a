"""The stack frame at one instruction: slots of 8 bytes, and where the access fell, to scale."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from labkit.building.report import BuildReport
from labkit.plots import alt, style
from labkit.stack.snapshot import MEANINGS, SLOT, Slot, Snapshot, limit_of, outside, snapshot_of
from labkit.stack.variables import StackVariables, stack_variables
from labkit.verifier_log import VerifierLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from labkit.program.llvm_ir import Local

_TALL = 0.8  # height of the strip of slots; one row of the picture is 1
_OVER = 1.05  # height of an access, which stands out above and below
_ROOM = 56  # bytes of space beyond what the picture must hold
_BYTES_A_LETTER = 6.5  # that a letter is wide, in a picture of 600 bytes
_LETTERS_UP_TO = 900  # bytes in the picture: beyond that a slot has no room for its letter
_TICKS = 12  # at most; they stand at a power of two


def stack_snapshot(
    built: BuildReport | VerifierLog,
    step: int | None = None,
    *,
    variables: StackVariables | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw the stack as the verifier knew it at a step, by default the refused one.

    The frame pointer is on the left and the stack grows to the right. Below the slots lie the
    variables of which it is known where; what is past the limit of that report's kernel is hatched.
    ``variables`` (see stack_variables) are asked for now if a report is drawn without them. A log
    without any instruction gives an empty frame.
    """
    log = built.verifier_log if isinstance(built, BuildReport) else built
    if variables is None and isinstance(built, BuildReport) and built.source:
        variables = stack_variables(built)
    axes = axes or style.new_axes(11, 4.2)
    limit = limit_of(built)
    snapshot = snapshot_of(log, step, variables, limit)
    lowest = snapshot.lowest if snapshot else -(limit or SLOT)
    left = lowest - (_ROOM if lowest < -(limit or 0) else SLOT)
    end = -limit if limit is not None else lowest  # of the stack, as far as it is known
    axes.set_xlim(SLOT, left)  # the frame pointer on the left
    with style.styled():
        _draw_slots(axes, snapshot, left, end)
        _draw_variables(axes, variables, left, end)
        if snapshot is not None:
            _draw_access(axes, snapshot, end)
        placed = variables is not None and len(variables.variables) > 0
        _finish(axes, snapshot, left, _title(built, snapshot), placed=placed)
        _draw_limit(axes, limit, left)
    return alt.describe(axes, alt.stack_snapshot(snapshot, _title(built, snapshot)))


def _title(built: BuildReport | VerifierLog, snapshot: Snapshot | None) -> str:
    name = f"{built.variant}: " if isinstance(built, BuildReport) else ""
    if snapshot is None:
        return f"{name}no instruction was followed"
    number = snapshot.step.instruction.index
    refused = "the verifier refused it at" if snapshot.fatal else "the stack at"
    return f"{name}{refused} instruction {number}"


def _draw_slots(axes: Axes, snapshot: Snapshot | None, left: int, end: int) -> None:
    axes.barh(0, end - left, _TALL, left, color="#EEEEEE")
    known = snapshot.slots if snapshot else {}
    letters = -left < _LETTERS_UP_TO
    for offset in range(-SLOT, end - 1, -SLOT):
        _draw_slot(axes, known.get(offset, Slot(offset, "?" * SLOT)), letters)


def _draw_slot(axes: Axes, slot: Slot, letters: bool) -> None:
    """Draw a slot, its bytes by what is known of each; the first letter is the highest address."""
    start = slot.offset + SLOT
    for letter, same in groupby(slot.letters):
        width = len(list(same))
        known = letter if letter in MEANINGS else "?"
        start -= width
        colour, hatch = style.SLOT_LOOKS[known]
        look: Any = {"color": colour, "hatch": hatch, "edgecolor": "#00000066"}
        axes.barh(0, width, _TALL, start, linewidth=0, label=f"{known}  {MEANINGS[known]}", **look)
    axes.barh(0, SLOT, _TALL, slot.offset, facecolor="none", edgecolor="#888888", linewidth=0.5)
    if letters and slot.letter != "?":
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.85}
        middle = slot.offset + SLOT / 2
        axes.text(middle, 0, slot.letter, ha="center", va="center", fontsize=8, bbox=box, zorder=4)


def _draw_variables(axes: Axes, variables: StackVariables | None, left: int, limit: int) -> None:
    """Draw those whose place is known, and name those that lie beyond the picture.

    ``left`` and ``limit`` are offsets: of the picture's end and of the stack's.
    """
    known = variables.variables if variables else ()
    placed = [one for one in known if one.offset is not None]
    for one in placed:
        start, end = max(one.offset or 0, left), (one.offset or 0) + one.bytes
        _bar(axes, max(start, limit), end, style.GOOD)
        _bar(axes, start, min(end, limit), style.BAD, hatch="//")
        if end > left:
            _name_bar(axes, one, start, end, _BYTES_A_LETTER * -left / 600, limit)
    if known and not placed:
        named = ", ".join(f"{one.name}: {one.bytes} bytes" for one in known)
        axes.text(-4, 1, f"on it, at places the compiler chose: {named}", va="center")
    gone = outside(variables, -limit)
    if gone and min(one.offset or 0 for one in gone) < left:
        names = ", ".join(f"`{one.name}` ({one.bytes} bytes)" for one in gone)
        words = f"all of it outside, so it must move too: {names} ▶"
        axes.text(left, 1.9, words, ha="right", va="center")


def _name_bar(axes: Axes, variable: Local, start: int, end: int, letter: float, limit: int) -> None:
    """Write a variable's name into its bar, or below where it has no room."""
    outside = min(variable.bytes, max(0, limit - (variable.offset or 0)))
    over = f", {outside} of them outside" if 0 < outside < variable.bytes else ""
    words = f"{variable.name}: {variable.bytes} bytes{over}"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    if len(words) * letter > end - start:
        words = f"{variable.name}: {variable.bytes}"
    inside = len(words) * letter <= end - start
    look: Any = {"bbox": box, "zorder": 7} if inside else {"fontsize": 8}
    axes.text((start + end) / 2, 1 if inside else 1.45, words, ha="center", va="center", **look)


def _bar(axes: Axes, start: int, end: int, colour: str, hatch: str = "") -> None:
    if end > start:
        axes.barh(1, end - start, 0.55, start, color=colour + "66", edgecolor=colour, hatch=hatch)


def _draw_access(axes: Axes, snapshot: Snapshot, limit: int) -> None:
    """Draw the bytes that the instruction touches, and say in words what they are."""
    access = snapshot.access
    words = _story(snapshot)
    if access is None:
        axes.text(0.5, 1.0, words, transform=axes.transAxes, ha="center", va="top")
        return
    colour = style.BAD if snapshot.fatal else style.GOOD
    end = access.offset + access.bytes
    look: Any = {"edgecolor": colour, "linewidth": 2.5, "zorder": 5}
    if access.offset < limit < end:
        past: Any = {"facecolor": colour + "99", "hatch": "xx", **look}
        axes.barh(0, limit - access.offset, _OVER, access.offset, **past)
        axes.barh(0, access.bytes, _OVER, access.offset, facecolor="none", **look)
    else:
        hatch = "xx" if access.outside else ""
        axes.barh(
            0, access.bytes, _OVER, access.offset, facecolor=colour + "55", hatch=hatch, **look
        )
    pointed = access.offset + min(access.bytes, SLOT) / 2
    above, end_of_picture = axes.get_xlim()
    across = (pointed - above) / (end_of_picture - above)  # of the width, from the left
    words_at = 0.02 if across < 0.5 else 0.3
    towards = 0.0 if across < words_at + 0.25 else 1.0
    arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 2, "relpos": (towards, 0.0)}
    axes.annotate(
        words,
        (pointed, -_OVER / 2 - 0.05),
        xytext=(words_at, 0.98),
        textcoords="axes fraction",
        va="top",
        arrowprops=arrow,
    )


def _story(snapshot: Snapshot) -> str:
    """Return up to three lines: what the instruction does, where in the C source, what to move."""
    lines = [f"{'✘ ' if snapshot.fatal else ''}{_does(snapshot)}"]
    source = snapshot.step.source
    if source is not None and source.text:
        place = f"{source.file}:{source.line}" if source.file else "C line"
        lines.append(f"{place}   {_short(source.text)}")
    if snapshot.fatal and snapshot.access and snapshot.access.outside and snapshot.name:
        lines.append(f"➜ move `{snapshot.name}` off the stack")
    return "\n".join(lines)


def _does(snapshot: Snapshot) -> str:
    one = snapshot.step.instruction
    if snapshot.access is not None:
        return f"instruction {one.index} {snapshot.access.words}"
    return f"instruction {one.index}: {one.disassembly}   {snapshot.fatal}"


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"


def _finish(axes: Axes, snapshot: Snapshot | None, left: int, title: str, *, placed: bool) -> None:
    deeper = f", in a function {snapshot.depth} calls deep" if snapshot and snapshot.depth else ""
    axes.set_title(title + deeper, loc="left", fontweight="bold")
    axes.set_ylim(2.1, -2.6)
    apart = 64
    while -left > _TICKS * apart:
        apart *= 2
    ticks = range(0, left, -apart)
    axes.set_xticks(list(ticks), ["fp", *(str(tick) for tick in ticks[1:])])
    axes.set_yticks([0, 1] if placed else [0], ["stack", "variables"] if placed else ["stack"])
    axes.set_xlabel("bytes from the frame pointer (r10); the stack grows to the right here")
    handles, labels = axes.get_legend_handles_labels()
    known = dict(zip(labels, handles, strict=True))
    place: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2)}
    legend = axes.legend(known.values(), known, ncols=3, frameon=False, **place)
    for patch in legend.get_patches():
        patch.set_edgecolor("#888888")
        patch.set_linewidth(0.5)


def _draw_limit(axes: Axes, limit: int | None, left: int) -> None:
    if limit is None:
        axes.text(-3, -0.72, "how much stack there is, is not known here", va="center")
        return
    axes.vlines(-limit, -0.85, 1.5, color=style.LIMIT, linestyle="--", linewidth=2.5, zorder=6)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    words = f"the {limit} bytes of stack ◀"
    axes.text(4 - limit, -0.72, words, ha="right", va="center", bbox=box, zorder=7)
    if left < -limit - SLOT:
        axes.text(left + 3, 0, "outside", ha="right", va="center", zorder=7)
