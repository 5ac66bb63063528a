"""A slider through the verifier's walk; below it, the stack as it was known at that instruction."""

from __future__ import annotations

from typing import Any

import ipywidgets

from labkit.building.report import BuildReport
from labkit.notebook.panel import WIDE, Panel, error_html
from labkit.show.stack_snapshot import step_html, step_text
from labkit.stack.snapshot import limit_of, snapshot_of
from labkit.stack.variables import StackVariables, stack_variables
from labkit.verifier_log import VerifierLog


class StackStepper(Panel):
    """The slider and the step that it stands at. The arrow keys move it when it has the focus."""

    def __init__(
        self,
        log: VerifierLog,
        variables: StackVariables | None = None,
        limit: int | None = None,
    ) -> None:
        self.verifier_log = log
        self.told = (variables, limit_of(log) if limit is None else limit)
        first = snapshot_of(log, None, *self.told)
        self.slider = ipywidgets.IntSlider(
            value=first.step.number if first else 0,
            min=0,
            max=max(0, len(log.instructions) - 1),
            description="step",
            disabled=first is None,
        )
        self.slider.layout = WIDE
        self.slider.add_class("lab-stepper")
        self.result = ipywidgets.HTML()
        super().__init__([self.slider, self.result])
        self._show(self.slider.value)
        self.slider.observe(self._moved, "value")

    def _moved(self, change: Any) -> None:
        try:
            self._show(change.new)
        except Exception as error:  # in a callback it would only show as a badge in a log
            self.html, self.words = error_html(error), str(error)
            self.result.value = self.html

    def _show(self, step: int) -> None:
        there = len(self.verifier_log.instructions) > 0
        at = step if there else None
        self.html = step_html(self.verifier_log, at, *self.told)
        self.words = step_text(snapshot_of(self.verifier_log, at, *self.told))
        self.result.value = self.html


def stack_stepper(built: BuildReport | VerifierLog) -> StackStepper:
    """Return a slider through the steps of a report's log; it starts at the refused one."""
    if isinstance(built, VerifierLog):
        return StackStepper(built)
    variables = stack_variables(built) if built.source else None
    return StackStepper(built.verifier_log, variables, limit_of(built))
