"""One PNG of a run: events per CPU beside the timeline; for a widget, drawn without pyplot."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from labkit.plots.alt import alt_text
from labkit.plots.events import (
    Events,
    HasEvents,
    account_words,
    events_per_cpu,
    timeline,
)
from labkit.plots.style import INK, styled

if TYPE_CHECKING:
    from labkit.collecting.live import Live

SIZE = (9.6, 3.0)  # inches
DPI = 90


def overview_png(run: HasEvents) -> tuple[bytes, str]:
    """Return the picture of a run, or of what came so far, as PNG, and what it shows in words."""
    from matplotlib.figure import Figure

    with styled():
        figure = Figure(figsize=SIZE, layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=[1, 2])
        events_per_cpu(run, left)
        timeline(run, right)
        left.set_title("events per CPU", fontsize="medium")
        right.set_title("when each CPU saw an exec", fontsize="medium")
        for axes in (left, right):
            axes.set_title("", loc="left")
        figure.suptitle(account_words(run), color=INK, fontsize="medium")
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=DPI)
    return drawn.getvalue(), alt_text(figure)


def so_far(live: Live, cpus: Sequence[int]) -> Events:
    """Return what a live collection has taken in: all counts, and the latest events' times.

    ``cpus`` are the ids of the CPUs to show, with or without events.
    """
    import pandas as pd

    ids = sorted({*cpus, *live.counts})
    counts = pd.Series([live.counts[cpu] for cpu in ids], pd.Index(ids, name="cpu"))
    account = pd.DataFrame({"attempted": counts, "submitted": counts, "failed": 0 * counts})
    on_cpu, timestamp = live.latest
    frame = pd.DataFrame({"cpu": on_cpu, "timestamp": timestamp, "data_ok": True})
    words = f"so far {counts.sum()} delivered"
    if len(frame) < counts.sum():
        words += f"; the timeline shows the latest {len(frame)}"
    return Events(frame, account.assign(delivered=counts), words)
