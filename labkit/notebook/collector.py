"""Collect live: Start, Stop, a picture while events come, a load to see, the CSV to take home."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets
import traitlets
from markupsafe import Markup

from labkit.collecting import collection, files, workload
from labkit.collecting.live import TICK, Live
from labkit.collecting.run import Run
from labkit.machine.cpus import possible_cpus
from labkit.notebook.panel import Panel, error_html, state_html
from labkit.plots.overview import overview_png, so_far
from labkit.show.run import run_html
from labkit.show.style import download, join, page, png_image, tag

GOOD, BAD = "percpu", "stack"
CHOICES = (("good (per-CPU array)", GOOD), ("bad (stack)", BAD))
FIRST_SECONDS = 1.0  # of the run that a reader without a kernel sees
STORM_SECONDS = 2.0
STORM_RATE = 100  # execs per second, on each CPU that was asked for
MOST_BUTTONS = 8
MOST_IN_A_LINK = 100_000  # events: some 10 MB of CSV
STEPS = 100  # of the progress bar


class Picture(ipywidgets.Image):  # type: ignore[misc]  # ipywidgets has no types
    """An image whose ``tooltip`` says what it shows: ipywidgets' own needs a description."""

    description = traitlets.Unicode("").tag(sync=True)


class Collector(Panel):
    """The controls and, below them, what the last collection brought: it is ``run``.

    With the bad variant chosen, the refusal is in place of a run; with the good one chosen again,
    the last good run is back. All but the first run happens in the notebook's event loop, so that
    Start and Stop answer at once.
    """

    def __init__(self, seconds: int = 10, first: Callable[[], Run] | None = None) -> None:
        self.run: Run | None = None
        self.good: Run | None = None
        self.live: Live | None = None
        self.task: asyncio.Task[None] | None = None
        self.storms: list[workload.ExecStorm] = []
        self.png = b""
        self._next_picture = 0.0
        self._make_controls(seconds)
        super().__init__(self._rows())
        self._guarded(lambda: self._show((first or first_run)()))
        self._refresh()

    def _make_controls(self, seconds: int) -> None:
        self.choice = ipywidgets.ToggleButtons(options=CHOICES, value=GOOD, description="variant")
        self.choice.style.button_width = "15em"
        self.seconds = ipywidgets.BoundedIntText(
            seconds, min=1, max=600, description="seconds", layout={"width": "11em"}
        )
        self.start_button = _button("Start", self._on(self.start))
        self.stop_button = _button("Stop", self._on(self.stop))
        self.save_button = _button("Save to results/", self._on(self.save), "11em")
        self.storm_buttons = [
            _button(f"exec on {name}", self._on(partial(self.storm, cpus)), "auto")
            for name, cpus in storm_targets().items()
        ]
        self.progress = ipywidgets.IntProgress(max=STEPS, layout={"width": "16em"})
        self.state, self.result, self.saved, self.link = (ipywidgets.HTML() for _ in range(4))
        self.picture = Picture(format="png", layout={"max_width": "100%"})
        self.choice.observe(self._on(self._toggled), "value")

    def _rows(self) -> list[ipywidgets.Widget]:
        acting = [self.seconds, self.start_button, self.stop_button, self.progress]
        wrap = ipywidgets.Layout(flex_flow="row wrap")
        return [
            self.choice,
            ipywidgets.HBox(acting, layout=wrap),
            ipywidgets.HBox(self.storm_buttons, layout=wrap),
            self.state,
            self.picture,
            self.result,
            ipywidgets.HBox([self.save_button, self.link], layout=wrap),
            self.saved,
        ]

    # --- what the buttons do ---------------------------------------------------------------------

    def start(self) -> None:
        """Start a collection of the chosen variant, unless one is under way."""
        if self.live is not None:
            return
        loop = asyncio.get_running_loop()
        self.live = Live(self.choice.value, self.seconds.value, self._tick)
        self.task = loop.create_task(self._collect(self.live))
        self.progress.value = 0
        self.result.value = self.link.value = self.saved.value = ""  # they were of another run
        self._say("starting", f"building and attaching {self.live.variant} …")
        self._refresh()

    def stop(self) -> None:
        """Ask the collection under way to end; its result appears a moment later."""
        if self.live is not None:
            self.live.stop()
            self._say("stopping", "stopping …")

    def storm(self, cpus: tuple[int, ...]) -> None:
        """Exec the load on those CPUs for a moment, so that there is something to see."""
        load = workload.exec_storm(STORM_RATE * len(cpus), cpus)
        load.start()
        self.storms.append(load)
        asyncio.get_running_loop().call_later(STORM_SECONDS, load.stop)

    def save(self) -> None:
        """Write the run and its account under results/."""
        if self.run is not None:
            path = files.export_csv(self.run)
            name = tag("code", os.path.relpath(path), data_testid="saved")
            self.saved.value = page(tag("p", "saved to ", name, ", the account beside it as JSON"))

    def close_down(self) -> None:
        """End what is under way, for good: the cell was run again, or a test is over."""
        self._stop_storms()
        live, self.live = self.live, None
        if live is not None:
            run = live.close()
            self.run = self.run if run is None else run
        for control in self._controls():
            control.disabled = True
        self._say("closed", "this one is closed: the cell was run again")

    # --- one collection --------------------------------------------------------------------------

    async def _collect(self, live: Live) -> None:
        try:
            run = await live.run()
        except Exception as error:
            run = None
            self.run = live.result or self.run  # to save: what came before the error is whole
            self._fail(error)
        if self.live is not live:  # closed meanwhile
            return
        self.live = None
        self._stop_storms()
        if run is not None:
            self._guarded(lambda: self._show(run))
        self._refresh()
        if self.choice.value != live.variant:
            self._guarded(self._toggled)

    def _toggled(self) -> None:
        """Show the choice: a refusal is got live, the good run is still there."""
        if self.live is not None:
            self.live.stop()  # what is chosen by then follows
        elif self.choice.value == BAD:
            self.start()
        elif self.good is not None:
            self._show(self.good)
        else:
            self.result.value = ""
            self._say("done", "nothing collected yet: press Start")

    def _tick(self, live: Live) -> None:
        if self.live is not live or not live.attached:
            return
        self._refresh()
        share = min(live.elapsed / live.seconds, 1)
        self.progress.value = round(STEPS * share)
        words = (
            f"collecting: {live.elapsed:.0f} of {live.seconds:.0f} s, {live.counts.total()} events"
        )
        self._say("collecting", words)
        if live.variant == GOOD:
            self._draw(live)

    def _draw(self, live: Live) -> None:
        """Draw what came so far; slower where drawing is slow, so that clicks are answered."""
        begun = time.monotonic()
        if begun < self._next_picture:
            return
        self.picture.value, self.picture.tooltip = overview_png(so_far(live, possible_cpus()))
        took = time.monotonic() - begun
        self._next_picture = begun + max(TICK, 4 * took)

    # --- what is shown ---------------------------------------------------------------------------

    def _show(self, run: Run) -> None:
        self.run = run
        attached = run.attached
        self.good = run if attached else self.good
        self.html, self.words = run_html(run), repr(run)
        self.png, self.picture.tooltip = overview_png(run) if attached else (b"", "")
        if attached:
            self.html = page(png_image(self.png, self.picture.tooltip)) + self.html
        self.result.value, self.picture.value = run_html(run), self.png
        self.picture.layout.display = None if attached else "none"
        self.saved.value = ""
        self.link.value = page(links(run)) if attached else ""
        self.progress.value = STEPS
        state = "done" if attached else "refused"
        self._refresh()
        self._say(state, f"{'ready' if attached else 'refused'}: {self.words.strip('<>')}")

    def _say(self, state: str, words: str) -> None:
        self.state.value = page(state_html(state, words))

    def _fail(self, error: Exception) -> None:
        self.html, self.words = error_html(error), str(error)
        self.result.value = self.html
        self._say("failed", "that did not work; see below")

    def _refresh(self) -> None:
        """Let those buttons be pressed that would do something now."""
        running = self.live is not None
        self.start_button.disabled = running
        self.stop_button.disabled = not running
        self.save_button.disabled = running or self.run is None or not self.run.attached
        for button in self.storm_buttons:
            button.disabled = not (self.live and self.live.attached)

    def _controls(self) -> list[Any]:
        buttons = [self.start_button, self.stop_button, self.save_button, *self.storm_buttons]
        return [self.choice, self.seconds, *buttons]

    def _stop_storms(self) -> None:
        while self.storms:
            self.storms.pop().stop()

    def _on(self, act: Callable[[], None]) -> Callable[[Any], None]:
        """Make a callback of a plain method; what it raises is shown here, not only in a log."""
        return lambda _change: self._guarded(act)

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:
            self._fail(error)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(**kwargs)
        if self.png:
            bundle["image/png"] = base64.b64encode(self.png).decode("ascii")
        return bundle


def _button(name: str, act: Callable[[Any], None], width: str = "7em") -> Any:
    button = ipywidgets.Button(description=name, layout={"width": width})
    button.on_click(act)
    return button


def storm_targets() -> dict[str, tuple[int, ...]]:
    """Return what the load buttons can aim at: the first CPUs one by one, and all of them."""
    allowed = tuple(sorted(os.sched_getaffinity(0)))
    each = {f"CPU {cpu}": (cpu,) for cpu in allowed[:MOST_BUTTONS]}
    return {**each, "all CPUs": allowed}


def first_run() -> Run:
    """Collect for a moment, with a known load, so that something real is there from the start."""
    return collection.collect(
        GOOD, seconds=FIRST_SECONDS, workload=workload.exec_storm(rate=STORM_RATE)
    )


def links(run: Run) -> Markup:
    """Return links that save the run from the browser: as CSV and its JSON, and as Parquet."""
    if len(run) > MOST_IN_A_LINK:
        return tag("p", f"{len(run):,} events are too many for a link: save them instead")
    csv = files.csv_text(run).encode("utf-8")
    stem = time.strftime("exec_events_%Y%m%dT%H%M%SZ", time.gmtime())
    facts = json.dumps(
        files.about(run, csv_sha256=hashlib.sha256(csv).hexdigest()), indent=2
    ).encode("ascii")
    parquet = files.parquet_bytes(run).to_pybytes()
    offered = [
        download(f"{stem}.csv", csv, "Download CSV", "text/csv"),
        download(f"{stem}.json", facts, "and its account (JSON)", "application/json"),
        download(f"{stem}.parquet", parquet, "or Parquet", "application/vnd.apache.parquet"),
    ]
    return tag("p", join(offered, " "), data_testid="downloads", data_events=len(run))


_latest: list[Collector] = []


def collector(seconds: int = 10) -> Collector:
    """Return the widget, with a short real run already in it.

    The one made before is closed: a cell that runs twice leaves nothing attached.
    """
    while _latest:
        _latest.pop().close_down()
    made = Collector(seconds)
    _latest.append(made)
    return made
