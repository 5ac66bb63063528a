"""A slider of bytes; below it, what each gate makes of a frame of that size, got live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from labkit.machine.stack_limit import WORD
from labkit.notebook.background import Latest
from labkit.notebook.limit import GATES, searched
from labkit.notebook.panel import Panel, error_html, state_html
from labkit.show.style import badge, page, table


def both_gates(size: int) -> dict[str, bool]:
    """Return for each gate whether it lets a frame of ``size`` bytes through."""
    from labkit.notebook.limit import lets_through

    return {gate: lets_through(size, gate) for gate in GATES}


def verdicts_html(size: int, passed: dict[str, bool]) -> str:
    """Return the verdict of each gate on a frame of that size."""
    rows = []
    for gate, good in passed.items():
        kind, words = ("good", "lets it through") if good else ("bad", "refuses it")
        sign = badge(kind, words, data_testid=f"limit-{gate}", data_size=size)
        rows.append([f"the {gate}", sign])
    return page(table([f"a frame of {size} bytes", ""], rows))


def verdicts_text(size: int, passed: dict[str, bool]) -> str:
    """Return the same as one line of text."""
    words = [
        f"the {gate} {'lets it through' if good else 'refuses it'}" for gate, good in passed.items()
    ]
    return f"a frame of {size} bytes: {', '.join(words)}"


class LimitFinder(Panel):
    """A slider and the verdicts on the size that it stands at. ``tried`` keeps all of them."""

    def __init__(
        self,
        probe: Callable[[int], dict[str, bool]] = both_gates,
        size: int = 256,
        widest: int | None = None,
    ) -> None:
        self.slider = ipywidgets.IntSlider(
            value=size, min=WORD, max=widest or searched(), step=WORD, description="bytes"
        )
        self.slider.layout.width = "40em"
        self.state = ipywidgets.HTML()
        self.result = ipywidgets.HTML()
        self.tried: dict[int, dict[str, bool]] = {}
        self.probes = Latest(probe, self._show, self._fail)
        super().__init__([self.slider, self.state, self.result])
        self.slider.observe(self._moved, "value")
        try:
            self._show(size, probe(size))
        except Exception as error:
            self._fail(size, error)

    def _moved(self, change: Any) -> None:
        self._say("building", f"asking both gates about {change.new} bytes …")
        self.probes.ask(change.new)

    def _show(self, size: int, passed: dict[str, bool]) -> None:
        self.tried[size] = passed
        self.html = verdicts_html(size, passed)
        self.words = verdicts_text(size, passed)
        self._done(size)

    def _fail(self, size: int, error: Exception) -> None:
        self.html = error_html(error)
        self.words = f"a frame of {size} bytes: {error}"
        self._done(size)

    def _done(self, size: int) -> None:
        self.result.value = self.html
        if size == self.slider.value:
            self._say("done", f"asked about {size} bytes; {len(self.tried)} sizes tried so far")

    def _say(self, state: str, words: str) -> None:
        self.state.value = page(state_html(state, words))


def limit_finder() -> LimitFinder:
    """Return the slider, with a first size already tried."""
    return LimitFinder()
