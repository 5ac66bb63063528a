"""The toggle: bad or good, with or without the compiler's own check. Each click builds live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from labkit.building.report import OUTCOMES, BuildReport
from labkit.notebook.background import Latest
from labkit.notebook.panel import Panel, error_html, state_html
from labkit.program.variants import VARIANTS
from labkit.show.style import page

BAD, GOOD = "stack", "percpu"
_CHOICES = (("bad (stack)", BAD), ("good (per-CPU array)", GOOD))


def chosen_variant(choice: str, lifted: bool) -> str:
    """Return the name of the variant that the two switches stand for.

    The good program has nothing to lift: the compiler has no objection to it.
    """
    return "stack_lifted" if choice == BAD and lifted else choice


def _live_build(name: str) -> BuildReport:
    from labkit.building.build import build

    return build(name)


class VariantSwitch(Panel):
    """Two switches and, below them, the report of the last build. ``report`` is that report."""

    def __init__(self, build: Callable[[str], BuildReport] = _live_build) -> None:
        self.choice = ipywidgets.ToggleButtons(options=_CHOICES, value=BAD, description="variant")
        self.choice.style.button_width = "15em"
        self.lift = ipywidgets.Checkbox(
            value=False, description="lift the compiler's own check", indent=False
        )
        self.state = ipywidgets.HTML()
        self.result = ipywidgets.HTML()
        self.report: BuildReport | None = None
        self.builds = Latest(build, self._show, self._fail)
        switches = ipywidgets.HBox([self.choice, self.lift])
        super().__init__([switches, self.state, self.result])
        self.choice.observe(self._clicked, "value")
        self.lift.observe(self._clicked, "value")
        self._first(build)

    @property
    def variant(self) -> str:
        """The variant that the switches stand for at this moment."""
        return chosen_variant(self.choice.value, self.lift.value)

    def _first(self, build: Callable[[str], BuildReport]) -> None:
        """Build once before the first click, so that a saved notebook shows something real."""
        try:
            self._show(self.variant, build(self.variant))
        except Exception as error:
            self._fail(self.variant, error)

    def _clicked(self, _change: Any) -> None:
        self.lift.disabled = self.choice.value == GOOD
        self._say("building", f"building {self.variant}: {VARIANTS[self.variant].purpose} …")
        self.builds.ask(self.variant)

    def _show(self, name: str, report: BuildReport) -> None:
        self.report = report
        self.html = report._repr_html_()
        self.words = f"variant switch: {name}: {OUTCOMES[report.outcome]}"
        self.result.value = self.html
        self._done(name, report.outcome)

    def _fail(self, name: str, error: Exception) -> None:
        self.report = None
        self.html = error_html(error)
        self.words = f"variant switch: {name}: {error}"
        self.result.value = self.html
        self._done(name, "failed")

    def _done(self, name: str, outcome: str) -> None:
        """Say what is shown, unless a later click already waits for its own result."""
        if name == self.variant:
            words = f"selected: {name} ({VARIANTS[name].purpose}). Result: {outcome}."
            self._say(outcome, words)

    def _say(self, state: str, words: str) -> None:
        self.state.value = page(state_html(state, words, data_variant=self.variant))


def variant_switch() -> VariantSwitch:
    """Return the toggle, with a first build of the bad variant already made."""
    return VariantSwitch()
