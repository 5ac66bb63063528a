"""A picture for each experiment: draw(result) finds the one that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.machine.stack_limit import measured
from labkit.plots.style import BAD, GOOD, HATCHES, INK, OTHERS, limit_line, looks, new_axes, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from labkit.claims.base import Result

KIB = 1024


def draw(result: Result, axes: Axes | None = None) -> Axes:
    """Draw what an experiment measured; a picture that says why if nothing was. Return the Axes."""
    axes = axes or new_axes()
    with styled():
        if result.measured is None:
            axes.text(0.5, 0.5, result.why, ha="center", va="center", wrap=True)
            axes.set_axis_off()
        else:
            PICTURES[result.name](result.measured, axes)
        kernel = result.versions.get("kernel", "")
        axes.set_title(f"“{result.claim}”: {result.verdict}\nLinux {kernel}", fontsize=10)
    return axes


def _bars(
    axes: Axes,
    names: list[str],
    values: Any,
    labels: list[str],
    good: list[bool],
    spread: Any = None,
    other: str = BAD,
) -> None:
    """Horizontal bars from top to bottom; good and bad differ by colour and by hatch."""
    places = np.arange(len(names))
    colors = [GOOD if one else other for one in good]
    bars = axes.barh(places, values, color=colors, xerr=spread, ecolor=INK, capsize=3)
    for bar, one in zip(bars, good, strict=True):
        bar.set_hatch("" if one else HATCHES[0])
    axes.bar_label(bars, labels, padding=4)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.margins(x=0.35)


def _looks(count: int) -> list[dict[str, Any]]:
    return [dict(look) for look in looks(count)]


def stack_limit(frame: Any, axes: Axes) -> None:
    """Every size that was tried, let through or refused, a row a gate."""
    gates = list(frame.gate.unique())
    for passed, color, marker, word in (
        (True, GOOD, "o", "let through"),
        (False, BAD, "x", "refused"),
    ):
        part = frame[frame.passed == passed]
        axes.scatter(part.bytes, part.gate.map(gates.index), c=color, marker=marker, label=word)
    axes.set_yticks(range(len(gates)), gates)
    axes.set_ylim(-0.6, len(gates) - 0.4)
    axes.set_xlabel("bytes of the frame")
    limit_line(axes, measured().bytes or frame.bytes.max(), "")
    axes.legend()


def across_cpus(frame: Any, axes: Axes) -> None:
    """Torn events in a million, for each tracepoint and each kind of scratch."""
    names = [f"{row.scratch}, at each {row.trigger}" for row in frame.itertuples()]
    rates = frame.torn / frame.events * 1e6
    labels = [f"{row.torn:,} of {row.events:,}" for row in frame.itertuples()]
    _bars(axes, names, rates, labels, list(frame.scratch == "per-CPU"))
    axes.set_xlabel("torn events in a million")


def within_a_cpu(frame: Any, axes: Axes) -> None:
    """Overwritten events, for each way to attach, with and without the remedy."""
    words = {"none": "one buffer", "depth": "a buffer for each depth"}
    names = [f"{row.attached_as}, {words[row.remedy]}" for row in frame.itertuples()]
    labels = [f"{int(row.mixed)}; skipped runs: {row.skipped:.0f}" for row in frame.itertuples()]
    _bars(axes, names, frame.mixed, labels, list(frame.mixed == 0))
    axes.set_xlabel("events overwritten in the making")


def cost(frame: Any, axes: Axes) -> None:
    """Nanoseconds an event: median, and the quartiles as whiskers; dearest at the bottom."""
    groups = frame.groupby("way").ns_per_event
    median = groups.median().sort_values()
    low, high = groups.quantile(0.25)[median.index], groups.quantile(0.75)[median.index]
    ours = [way == "percpu_array" for way in median.index]
    labels = [f"{value:.0f}" for value in median]
    spread = np.array([median - low, high - median])
    _bars(axes, list(median.index), median, labels, ours, spread, other=OTHERS[2])
    axes.set_xlabel("ns an event in the kernel (median and quartiles)")


def zero_copy(frame: Any, axes: Axes) -> None:
    """Nanoseconds an event against its size: median and quartiles, a line a way."""
    for (way, part), look in zip(frame.groupby("way"), _looks(2), strict=True):
        groups = part.groupby("bytes").ns_per_event
        median = groups.median()
        spread = [median - groups.quantile(0.25), groups.quantile(0.75) - median]
        axes.errorbar(median.index / KIB, median, yerr=spread, capsize=3, label=way, **look)
    axes.set_xlabel("size of the event, KiB")
    axes.set_ylabel("ns an event")
    axes.set_ylim(bottom=0)
    axes.legend()


def stale_bytes(frame: Any, axes: Axes) -> None:
    """Draw the share of events that bring older bytes along, for each remedy, and what it costs."""
    events = frame[frame.trigger == "exec"].groupby("remedy", sort=False)[["events", "stale"]].sum()
    times = frame[frame.trigger == "rename"].groupby("remedy").ns_per_event.median()
    labels = [
        f"{row.stale:.0f} of {row.events:.0f}; {times[name]:.0f} ns an event"
        for name, row in events.iterrows()
    ]
    share = events.stale / events.events * 100
    _bars(axes, [f"remedy: {name}" for name in events.index], share, labels, list(share == 0))
    axes.set_xlabel("events with bytes of an older one, %")


def value_cap(frame: Any, axes: Axes) -> None:
    """Every size that was tried, in order."""
    tries = np.arange(1, len(frame) + 1)
    for accepted, color, marker, word in (
        (True, GOOD, "o", "accepted"),
        (False, BAD, "x", "refused"),
    ):
        chosen = (frame.accepted == accepted).to_numpy()
        axes.scatter(tries[chosen], frame.bytes[chosen] / KIB, c=color, marker=marker, label=word)
    axes.set_xlabel("try")
    axes.set_ylabel("KiB of the value")
    axes.legend()


def memory(frame: Any, axes: Axes) -> None:
    """Accounted bytes against the value's size, a line a kind of map."""
    for (name, part), look in zip(frame.groupby("map", sort=False), _looks(3), strict=True):
        axes.plot(part.value_bytes / KIB, part.memlock / KIB, label=name, **look)
    axes.set_xlabel("size of the value, KiB")
    axes.set_ylabel("accounted (memlock), KiB")
    axes.legend()


def _verdicts(axes: Axes, names: list[str], accepted: list[bool], said: list[str]) -> None:
    """One line of text a program: what it was, and what the kernel said."""
    _bars(axes, names, np.zeros(len(names)), [""] * len(names), accepted)
    for place, (passed, line) in enumerate(zip(accepted, said, strict=True)):
        words, color = ("✓ accepted", GOOD) if passed else (f"✗ {line}", BAD)
        axes.text(0, place, words, color=color, va="center")
    axes.set_xlim(0, 1)
    axes.set_xticks([])


def null_check(frame: Any, axes: Axes) -> None:
    """Write what the verifier made of each program."""
    names = [
        f"{r.key} key, {'with' if r.checked else 'without'} the check" for r in frame.itertuples()
    ]
    _verdicts(axes, names, list(frame.accepted), list(frame.said))


def call_chain(frame: Any, axes: Axes) -> None:
    """Write what the verifier made of each chain."""
    names = [
        f"{r.frames} frames{' + tail call' if r.tail_call else ''}, {r.program_type}"
        for r in frame.itertuples()
    ]
    _verdicts(axes, names, list(frame.accepted), list(frame.said))


def loss(frame: Any, axes: Axes) -> None:
    """For each CPU, what the kernel counted beside what user space saw."""
    pairs = (("submitted", 0), ("delivered", 1), ("failed", 2), ("missing", 3))
    width = 0.2
    for name, place in pairs:
        bars = axes.bar(
            frame.cpu + (place - 1.5) * width,
            frame[name],
            width,
            label=name,
            color=OTHERS[place],
            hatch=HATCHES[place],
            edgecolor="white",
        )
        axes.bar_label(bars, fontsize=8)
    axes.set_xticks(frame.cpu)
    axes.set_xlabel("CPU")
    axes.set_ylabel("events")
    axes.legend(ncols=4, loc="upper center")
    axes.margins(y=0.3)


PICTURES: dict[str, Callable[[Any, Any], None]] = {
    "stack_limit": stack_limit,
    "across_cpus": across_cpus,
    "within_a_cpu": within_a_cpu,
    "cost": cost,
    "zero_copy": zero_copy,
    "stale_bytes": stale_bytes,
    "value_cap": value_cap,
    "memory": memory,
    "null_check": null_check,
    "call_chain": call_chain,
    "loss": loss,
    "full_speed": lambda frame, axes: loss(
        frame.assign(missing=frame.attempted - frame.delivered), axes
    ),
}
