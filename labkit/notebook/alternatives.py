"""The toggle over the ways out: one after the other, its program and its verdict, built live."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from labkit.building.build import build
from labkit.building.report import IN_SHORT, OUTCOMES, BuildReport
from labkit.notebook.panel import AskingPanel, Shown
from labkit.program.alternatives import WAYS
from labkit.program.variants import Variant
from labkit.show.widgets import alternative_html


class AlternativeSwitch(AskingPanel):
    """A toggle over the ways out and, below it, the program and the report of its build."""

    title = "way out"

    def __init__(self, build: Callable[[Variant], BuildReport] = build) -> None:
        self.choice = ipywidgets.ToggleButtons(options=list(WAYS), description="way")
        self.choice.style.button_width = "10em"
        super().__init__([self.choice], [self.choice], lambda name: build(WAYS[name].variant))

    @property
    def report(self) -> BuildReport | None:
        """The report that is shown; None where the last build did not come to one."""
        shown: BuildReport | None = self.answer
        return shown

    @property
    def question(self) -> str:
        """The name of the way that is selected."""
        return str(self.choice.value)

    def asking(self, question: str) -> str:
        """Return what is said while its program is built."""
        return f"building {question} …"

    def shown(self, question: str, answer: BuildReport) -> Shown:
        """Return what there is to know of the way, its program and the verdict on it."""
        words = f"{self.title}: {question}: {OUTCOMES[answer.outcome]}"
        said = f"selected: {question}. Result: {IN_SHORT[answer.outcome]}."
        return Shown(alternative_html(WAYS[question], answer), words, answer.outcome, said)


def alternative_switch() -> AlternativeSwitch:
    """Return the toggle, with a first build already made."""
    return AlternativeSwitch()
