"""The gallery's toggle: one way out after the other, its program and its verdict, built live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from labkit.building.report import OUTCOMES, BuildReport
from labkit.notebook.background import Latest
from labkit.notebook.panel import Panel, error_html, state_html
from labkit.program.alternatives import WAYS, Way
from labkit.program.variants import Variant
from labkit.show.style import c_code, page, tag


def _live_build(variant: Variant) -> BuildReport:
    from labkit.building.build import build

    return build(variant)


def way_html(way: Way, report: BuildReport) -> str:
    """Return what there is to know of a way: since when, when to choose it, file, verdict."""
    words = f"{way.title}. Since Linux {way.since}. When to choose it: {way.choose}."
    program = c_code(way.path.read_text("utf-8"))
    return page(tag("p", words), tag("h4", way.path.name), program) + report._repr_html_()


class WaySwitch(Panel):
    """A toggle over the ways out and, below it, the program and the report of its build."""

    def __init__(self, build: Callable[[Variant], BuildReport] = _live_build) -> None:
        self.choice = ipywidgets.ToggleButtons(options=list(WAYS), description="way")
        self.choice.style.button_width = "10em"
        self.state = ipywidgets.HTML()
        self.result = ipywidgets.HTML()
        self.report: BuildReport | None = None
        self.build = build
        self.builds = Latest(self._built, self._show, self._fail)
        super().__init__([self.choice, self.state, self.result])
        self.choice.observe(self._clicked, "value")
        self._first()

    def _built(self, name: str) -> BuildReport:
        return self.build(WAYS[name].variant)

    def _first(self) -> None:
        """Build once before the first click, so that a saved notebook shows something real."""
        try:
            self._show(self.choice.value, self._built(self.choice.value))
        except Exception as error:
            self._fail(self.choice.value, error)

    def _clicked(self, _change: Any) -> None:
        self._say("building", f"building {self.choice.value} …")
        self.builds.ask(self.choice.value)

    def _show(self, name: str, report: BuildReport) -> None:
        self.report = report
        self._done(name, way_html(WAYS[name], report), report.outcome, OUTCOMES[report.outcome])

    def _fail(self, name: str, error: Exception) -> None:
        self.report = None
        self._done(name, error_html(error), "failed", str(error))

    def _done(self, name: str, shown: str, state: str, words: str) -> None:
        self.html, self.words = shown, f"way out: {name}: {words}"
        self.result.value = shown
        if name == self.choice.value:  # else a later click already waits for its own result
            self._say(state, f"selected: {name}. Result: {state}.")

    def _say(self, state: str, words: str) -> None:
        self.state.value = page(state_html(state, words, data_variant=self.choice.value))


def way_switch() -> WaySwitch:
    """Return the gallery's toggle, with a first build already made."""
    return WaySwitch()
