"""The toggle: bad or good, with or without the compiler's own check. Each click builds live."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from labkit.building.build import build
from labkit.building.report import IN_SHORT, OUTCOMES, BuildReport
from labkit.notebook.panel import AskingPanel, Shown
from labkit.program.variants import VARIANTS

BAD, GOOD = "stack", "percpu"
_CHOICES = (("bad (stack)", BAD), ("good (per-CPU array)", GOOD))


def chosen_variant(choice: str, lifted: bool) -> str:
    """Return the name of the variant that the two switches stand for.

    The good program has nothing to lift: the compiler has no objection to it.
    """
    return "stack_lifted" if choice == BAD and lifted else choice


class VariantSwitch(AskingPanel):
    """Two switches and, below them, the report of the last build. ``report`` is that report."""

    title = "variant switch"

    def __init__(self, build: Callable[[str], BuildReport] = build) -> None:
        self.choice = ipywidgets.ToggleButtons(options=_CHOICES, value=BAD, description="variant")
        self.choice.style.button_width = "15em"
        self.lift = ipywidgets.Checkbox(
            value=False, description="lift the compiler's own check", indent=False
        )
        ipywidgets.dlink((self.choice, "value"), (self.lift, "disabled"), lambda one: one == GOOD)
        controls = [self.choice, self.lift]
        super().__init__([ipywidgets.HBox(controls)], controls, build)

    @property
    def report(self) -> BuildReport | None:
        """The report that is shown; None where the last build did not come to one."""
        shown: BuildReport | None = self.answer
        return shown

    @property
    def question(self) -> str:
        """The variant that the switches stand for at this moment."""
        return chosen_variant(self.choice.value, self.lift.value)

    def asking(self, question: str) -> str:
        """Return what is said while that variant is built."""
        return f"building {question}: {VARIANTS[question].purpose} …"

    def shown(self, question: str, answer: BuildReport) -> Shown:
        """Return the report, and its outcome in a line."""
        words = f"{self.title}: {question}: {OUTCOMES[answer.outcome]}"
        selected = f"selected: {question} ({VARIANTS[question].purpose})"
        said = f"{selected}. Result: {IN_SHORT[answer.outcome]}."
        return Shown(answer._repr_html_(), words, answer.outcome, said)


def variant_switch() -> VariantSwitch:
    """Return the toggle, with a first build of the bad variant already made."""
    return VariantSwitch()
