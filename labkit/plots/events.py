"""Pictures of a run: one function per picture, each returns the Axes that it drew on.

Each tells the account (attempted, delivered, failed) in its text, and a run without events gives a
picture that says so. Names in a run come from strangers: matplotlib gets them as plain text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from labkit.building.report import OUTCOMES
from labkit.collecting.records import balances
from labkit.plots import alt
from labkit.plots.style import BAD, DASHES, GOOD, HATCHES, INK, OTHERS, new_axes, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LONGEST_NAME = 24  # characters of a name that a picture shows
MOST_LINES = 4  # CPUs with a line of their own in the picture of the rate
MOST_CPUS = 16  # CPUs that are drawn and named one by one, whether they saw something or not
BINS = 40
SHORTEST = 1.0  # second: one event in a millisecond is no rate of a thousand per second


class HasEvents(Protocol):
    """What the pictures need: a Run has it, and so has Events."""

    @property
    def table(self) -> pd.DataFrame:
        """One row per event."""

    @property
    def account(self) -> pd.DataFrame:
        """One row per possible CPU."""


@dataclass(frozen=True)
class Events:
    """A table of events and its account, for a picture of something other than a whole run."""

    table: pd.DataFrame
    account: pd.DataFrame
    words: str = ""  # said in place of the account


def account_words(run: HasEvents) -> str:
    """Return the account in one line, which says so if it does not balance or is not known."""
    if isinstance(run, Events) and run.words:
        return run.words
    if not getattr(run, "attached", True):
        return f"nothing was attached: {OUTCOMES[run.report.outcome]}"  # type: ignore[attr-defined]
    if not getattr(run, "complete", True):
        return f"{len(run.table)} delivered; attempted and failed not known: the worker died"
    total = run.account.sum()
    words = f"{total.attempted} attempted, {total.delivered} delivered, {total.failed} failed"
    if balances(run.account):
        return words
    return f"{words}: {total.attempted - total.delivered - total.failed} NOT ACCOUNTED FOR"


def events_per_cpu(run: HasEvents, axes: Axes | None = None) -> Axes:
    """Draw one bar per possible CPU: what was delivered and, on top of it, what failed.

    Where more than 16 CPUs are possible, those that saw nothing are left out and counted.
    """
    axes = _begin(axes, run, "Events per CPU")
    cpus, quiet = _shown_cpus(run)
    places = np.arange(len(cpus))
    delivered, failed = cpus.delivered.to_numpy(), cpus.failed.to_numpy()
    with styled():
        axes.bar(places, delivered, color=GOOD, label="delivered")
        bars = axes.bar(
            places, failed, bottom=delivered, color=BAD, hatch=HATCHES[0], label="failed"
        )
        if len(cpus) <= MOST_CPUS:
            words = [_bar_words(*n) for n in zip(delivered, failed, strict=True)]
            axes.bar_label(bars, words, padding=2)
        if failed.any():
            axes.legend()
    highest = int((delivered + failed).max(initial=1))
    axes.set(xlabel=f"CPU{quiet}", ylabel="events", ylim=(0, 1.15 * highest))  # room for numbers
    _name_cpus(axes.xaxis, cpus.index)
    alt.describe(axes, alt.events_per_cpu(cpus, account_words(run)))
    return _or_empty(axes, run)


def _bar_words(delivered: int, failed: int) -> str:
    return f"{delivered} and {failed} failed" if failed else str(delivered)


def timeline(run: HasEvents, axes: Axes | None = None) -> Axes:
    """Draw one lane per CPU, and on it one stroke per event; a cross where its data check failed.

    Where more than 16 CPUs are possible, those that saw nothing are left out and counted.
    """
    axes = _begin(axes, run, "When each CPU saw an exec")
    frame, (cpus, quiet) = run.table, _shown_cpus(run)
    seconds, lanes = _seconds(frame), cpus.index.get_indexer(frame.set_index("cpu").index)
    with styled():
        for sound, marker, colour in ((True, "|", GOOD), (False, "X", BAD)):
            rows = (frame.data_ok == sound).to_numpy(bool)
            label = "data check held" if sound else "data check FAILED"
            axes.plot(seconds[rows], lanes[rows], marker, color=colour, markersize=12, label=label)
        if not frame.data_ok.all():
            axes.legend()
    axes.set(xlabel="seconds since the first event", ylabel=f"CPU{quiet}")
    axes.set_ylim(max(len(cpus), 1) - 0.5, -0.5)
    axes.grid(axis="y", linewidth=0.5)
    _name_cpus(axes.yaxis, cpus.index)
    alt.describe(axes, alt.timeline(frame, seconds.max(initial=0)))
    return _or_empty(axes, run)


def busiest(run: HasEvents, axes: Axes | None = None, top: int = 10) -> Axes:
    """Draw the ``top`` commands (comm) with the most events, the busiest on top."""
    axes = _begin(axes, run, "Busiest commands")
    counts = run.table.comm.value_counts().head(top)[::-1]
    with styled():
        places = np.arange(len(counts))
        bars = axes.barh(places, counts, color=GOOD)
        axes.bar_label(bars, fmt="{:.0f}", padding=3)
        axes.set_yticks(places, [drawable(name) for name in counts.index])
    axes.set(xlabel="events", ylim=(min(len(counts) - 4, 0) - 0.5, max(len(counts), 1) - 0.5))
    axes.margins(x=0.1)
    alt.describe(axes, alt.busiest(counts[::-1]))
    return _or_empty(axes, run)


def rate(run: HasEvents, axes: Axes | None = None) -> Axes:
    """Draw events per second over time: the sum and, of up to four CPUs, a dashed line each."""
    axes = _begin(axes, run, "Rate")
    seconds = _seconds(run.table)
    edges = np.linspace(0, max(seconds.max(initial=0), SHORTEST), BINS + 1)
    with styled():
        _rate_line(axes, seconds, edges, "all CPUs", color=GOOD, linewidth=2)
        for number, cpu in enumerate(sorted(run.table.cpu.unique())[:MOST_LINES]):
            look = {"color": OTHERS[number], "linestyle": DASHES[1 + number % 3]}
            _rate_line(axes, seconds[run.table.cpu == cpu], edges, f"CPU {cpu}", **look)
        if len(run.table):
            axes.legend(loc="upper right", ncols=1 + MOST_LINES)
    axes.set(xlabel="seconds since the first event", ylabel="events per second")
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])  # room for the legend
    busy, _ = np.histogram(seconds, edges)
    alt.describe(axes, alt.rate(len(seconds), edges[-1], busy.max() / (edges[1] - edges[0])))
    return _or_empty(axes, run)


def _rate_line(axes: Axes, seconds: Any, edges: Any, label: str, **look: Any) -> None:
    counts, _ = np.histogram(seconds, edges)
    axes.stairs(counts / np.diff(edges), edges, label=label, **look)


def _begin(axes: Axes | None, run: HasEvents, title: str) -> Axes:
    if axes is None:
        axes = new_axes(9.0, 3.2)
    axes.set_title(f"{title}\n{account_words(run)}", color=INK, fontsize="medium", loc="left")
    return axes


def _or_empty(axes: Axes, run: HasEvents) -> Axes:
    """Say so in the picture where there is nothing to draw."""
    if len(run.table) == 0:
        middle: dict[str, Any] = {
            "transform": axes.transAxes,
            "ha": "center",
            "va": "center",
            "color": INK,
        }
        axes.text(0.5, 0.5, "no events", fontsize="x-large", **middle)
        axes.set(xticks=[], yticks=[])
    return axes


def _shown_cpus(run: HasEvents) -> tuple[pd.DataFrame, str]:
    """Return ``delivered`` and ``failed`` by the ids of the CPUs to be drawn, and who is left out.

    The account may be empty, where the worker died: then only the events tell.
    """
    delivered = run.table.cpu.value_counts()
    every = run.account.index.union(delivered.index).sort_values()
    counted = run.account.reindex(columns=["delivered", "failed"], index=every, fill_value=0)
    if not len(run.account):
        counted["delivered"] = delivered.reindex(every, fill_value=0)
    if len(every) <= MOST_CPUS:
        return counted, ""
    busy = counted[counted.sum(axis="columns") > 0]
    return busy, f" ({len(every) - len(busy)} more saw nothing)"


def _seconds(frame: pd.DataFrame) -> Any:
    since = frame.timestamp.to_numpy("int64")
    return (since - since.min(initial=since[0] if len(since) else 0)) / 1e9


def _name_cpus(axis: Any, ids: pd.Index[int]) -> None:
    """Mark the CPUs by their ids while there is room for each, otherwise every so many."""
    step = -(-len(ids) // MOST_CPUS) or 1
    axis.set_ticks(range(0, len(ids), step), ids[::step])


def drawable(name: str) -> str:
    """Return a name as matplotlib can draw it: no mathematics, no glyph that its font lacks."""
    if not name:
        return "(no name)"
    known = "".join(c if _has_glyph(c) else ascii(c)[1:-1] for c in name)
    short = known if len(known) <= LONGEST_NAME else known[: LONGEST_NAME - 1] + "…"
    return short.replace("$", r"\$")


@lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return bool(get_font(findfont(FontProperties())).get_char_index(ord(character)))
