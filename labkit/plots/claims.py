"""A picture for each claim: draw(result) finds the function of the claim's name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.plots import alt
from labkit.plots.style import BAD, GOOD, HATCHES, INK, OTHERS, looks, new_axes, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from labkit.claims.claim import Result

KIB = 1024


def draw(result: Result, axes: Axes | None = None) -> Axes:
    """Draw what was measured for a claim; words that say why if nothing was. Return the Axes."""
    axes = axes or new_axes()
    with styled():
        if result.measured is None:
            axes.text(0.5, 0.5, result.why, ha="center", va="center", wrap=True)
            axes.set_axis_off()
        else:
            globals()[result.name](result.measured, axes)
        kernel = result.versions.get("kernel", "")
        axes.set_title(f"“{result.claim}”: {result.verdict}\nLinux {kernel}", fontsize=10)
    return alt.describe(axes, alt.claim(result))


def _bars(
    axes: Axes,
    names: Iterable[str],
    values: Any,
    labels: Iterable[str],
    good: Iterable[bool],
    spread: Any = None,
    other: str = BAD,
) -> None:
    """Horizontal bars from top to bottom; good and bad differ by colour and by hatch."""
    names, good = list(names), list(good)
    places = np.arange(len(names))
    colors = [GOOD if one else other for one in good]
    bars = axes.barh(places, values, color=colors, xerr=spread, ecolor=INK, capsize=3)
    for bar, one in zip(bars, good, strict=True):
        bar.set_hatch("" if one else HATCHES[0])
    axes.bar_label(bars, list(labels), padding=4)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.margins(x=0.35)


def _verdicts(axes: Axes, names: Iterable[str], table: Any) -> None:
    """One line of text per program: what it was, and what the kernel said."""
    blank = [""] * len(table)
    _bars(axes, names, np.zeros(len(table)), blank, table.accepted)
    for place, row in enumerate(table.itertuples()):
        words, color = ("✓ accepted", GOOD) if row.accepted else (f"✗ {row.said}", BAD)
        axes.text(0.01, place, words, color=color, va="center")
    axes.set_xlim(0, 1)
    axes.set_xticks([])


def stack_limit(table: Any, axes: Axes) -> None:
    """Draw the largest frame that each gate lets through."""
    names = [f"{row.gate} {row.program_type}" for row in table.itertuples()]
    labels = [f"{size:,}" for size in table.bytes]
    _bars(axes, names, table.bytes, labels, [True] * len(table))
    axes.set_xlabel("largest frame that is let through, bytes")


small_structs = bytes_needed = stack_limit


def without_jit(table: Any, axes: Axes) -> None:
    """Draw the largest frame of each type of program, with the JIT and without."""
    names = [f"{row.program_type}, JIT {row.jit}" for row in table.itertuples()]
    _bars(axes, names, table.bytes, map("{:,}".format, table.bytes), table.jit == "on")
    axes.set_xlabel("largest frame that is let through, bytes")


def across_cpus(table: Any, axes: Axes) -> None:
    """Torn events per million, for each tracepoint and each kind of scratch."""
    names = [f"{row.scratch}, at each {row.trigger}" for row in table.itertuples()]
    rates = table.torn / table.events * 1e6
    labels = [f"{row.torn:,} of {row.events:,}" for row in table.itertuples()]
    _bars(axes, names, rates, labels, table.scratch == "per-CPU")
    axes.set_xlabel("torn events per million")


def within_a_cpu(table: Any, axes: Axes) -> None:
    """Overwritten events, for each way to attach, with and without the remedy."""
    words = {"none": "one buffer", "depth": "a buffer for each depth"}
    names = [f"{row.attached_as}, {words[row.remedy]}" for row in table.itertuples()]
    counted = table.skipped.map("{:.0f}".format).where(table.skipped.notna(), "not counted")
    labels = [
        f"{int(mixed)}; skipped runs: {skipped}"
        for mixed, skipped in zip(table.mixed, counted, strict=True)
    ]
    _bars(axes, names, table.mixed, labels, table.mixed == 0)
    axes.set_xlabel("events overwritten in the making")


def _quartiles(groups: Any, in_order: bool = False) -> tuple[Any, Any]:
    """Return each group's median, and how far the quartiles lie below and above it.

    The smallest comes first, or else the groups come ``in_order`` of their names.
    """
    median = groups.median()
    median = median.sort_index(ascending=False) if in_order else median.sort_values()
    low, high = groups.quantile(0.25)[median.index], groups.quantile(0.75)[median.index]
    return median, np.array([median - low, high - median])


def contention(table: Any, axes: Axes) -> None:
    """Nanoseconds per run of each kind of scratch, on one CPU alone and on all at once."""
    groups = table.groupby(["scratch", "writing"], sort=False).ns_per_event
    median, spread = _quartiles(groups, in_order=True)
    names = [f"{scratch}, {writing} writing" for scratch, writing in median.index]
    labels = [f"{value:.0f}" for value in median]
    _bars(axes, names, median, labels, ["per-CPU" in name for name in names], spread)
    axes.set_xlabel("ns per run in the kernel (median and quartiles)")


def cost(table: Any, axes: Axes) -> None:
    """Nanoseconds per event: median, and the quartiles as whiskers; dearest at the bottom."""
    median, spread = _quartiles(table.groupby("way").ns_per_event)
    labels = [f"{value:.0f}" for value in median]
    _bars(axes, median.index, median, labels, median.index == "percpu_array", spread, OTHERS[2])
    axes.set_xlabel("ns per event in the kernel (median and quartiles)")


def zero_copy(table: Any, axes: Axes) -> None:
    """Nanoseconds per event against its size: median and quartiles, one line per way."""
    for (way, part), look in zip(table.groupby("way"), looks(2), strict=True):
        median, spread = _quartiles(part.groupby("bytes").ns_per_event)
        order = np.argsort(median.index)
        sizes, values = median.index[order] / KIB, median.iloc[order]
        style: dict[str, Any] = {"capsize": 3, "label": way, **look}
        axes.errorbar(sizes, values, yerr=spread[:, order], **style)
    axes.set_xlabel("size of the event, KiB")
    axes.set_ylabel("ns per event")
    axes.set_ylim(bottom=0)
    axes.legend()


def stale_bytes(table: Any, axes: Axes) -> None:
    """Draw the share of events that bring older bytes along, for each remedy, and what it costs."""
    events = table[table.trigger == "exec"].groupby("remedy", sort=False)[["events", "stale"]].sum()
    times = table[table.trigger == "rename"].groupby("remedy").ns_per_event.median()
    labels = [
        f"{row.stale:.0f} of {row.events:.0f}; {times[name]:.0f} ns per event"
        for name, row in events.iterrows()
    ]
    share = events.stale / events.events * 100
    _bars(axes, [f"remedy: {name}" for name in events.index], share, labels, share == 0)
    axes.margins(x=0.5)
    axes.set_xlabel("events with bytes of an older one, %")


def value_cap(table: Any, axes: Axes) -> None:
    """Every size that was tried, in order."""
    looks_of = ((True, GOOD, "o", "accepted"), (False, BAD, "x", "refused"))
    for accepted, color, marker, word in looks_of:
        part = table[table.accepted == accepted]
        axes.scatter(part.index + 1, part.bytes, c=color, marker=marker, label=word)
    axes.set_xlabel("try")
    axes.set_ylabel("bytes of the value")
    axes.set_yscale("log", base=2)
    axes.legend()


def memory(table: Any, axes: Axes) -> None:
    """Accounted bytes against the value's size, one line per kind of map."""
    for (name, part), look in zip(table.groupby("map", sort=False), looks(3), strict=True):
        style: dict[str, Any] = {"label": name, **look}
        axes.plot(part.value_bytes / KIB, part.memlock / KIB, **style)
    axes.set_xlabel("size of the value, KiB")
    axes.set_ylabel("accounted (memlock), KiB")
    axes.legend()


def null_check(table: Any, axes: Axes) -> None:
    """Write what the verifier made of each program."""
    rows = table.itertuples()
    names = (f"{r.key} key, {'with' if r.checked else 'without'} the check" for r in rows)
    _verdicts(axes, names, table)


def call_chain(table: Any, axes: Axes) -> None:
    """Write what the verifier made of each chain."""
    rows = table.itertuples()
    names = (
        f"{r.frames} × {r.frame_bytes}{' + tail call' if r.tail_call else ''}, {r.program_type}"
        for r in rows
    )
    _verdicts(axes, names, table)


def loss(table: Any, axes: Axes) -> None:
    """For each CPU on which the program ran, what the kernel counted beside what arrived."""
    busy = table[table.attempted > 0]
    places, width = np.arange(len(busy)), 0.2
    for turn, name in enumerate(("submitted", "delivered", "failed", "missing")):
        style: dict[str, Any] = {"color": OTHERS[turn], "hatch": HATCHES[turn]}
        at = places + (turn - 1.5) * width
        bars = axes.bar(at, busy[name], width, label=name, edgecolor="white", **style)
        axes.bar_label(bars, fontsize=8)
    axes.set_xticks(places, busy.cpu.astype(str).tolist())
    axes.set_xlabel("CPU")
    axes.set_ylabel("events")
    axes.legend(ncols=4, loc="upper center")
    axes.margins(y=0.3)


def full_speed(table: Any, axes: Axes) -> None:
    """Draw the same account: what is missing is what was attempted and did not arrive."""
    loss(table.assign(missing=table.attempted - table.delivered), axes)
