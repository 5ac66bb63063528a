"""A slider through the verifier's walk; below it, the stack as it was known at that instruction."""

from __future__ import annotations

from typing import Any

import ipywidgets

from labkit.building.report import BuildReport
from labkit.notebook.panel import Panel, error_html
from labkit.show.stack_snapshot import step_html, step_text
from labkit.stack.snapshot import moment_of
from labkit.stack.variables import StackUsers, stack_users
from labkit.verifier_log import VerifierLog


class FrameStepper(Panel):
    """The slider and the step that it stands at. The arrow keys move it when it has the focus."""

    def __init__(self, log: VerifierLog, users: StackUsers | None = None) -> None:
        self.verifier_log = log
        self.users = users
        first = moment_of(log, None, users)
        self.slider = ipywidgets.IntSlider(
            value=first.step.number if first else 0,
            min=0,
            max=max(0, len(log.instructions) - 1),
            description="step",
            disabled=first is None,
        )
        self.slider.layout.width = "60em"
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
        self.html = step_html(self.verifier_log, step if there else None, self.users)
        self.words = step_text(moment_of(self.verifier_log, step, self.users) if there else None)
        self.result.value = self.html


def frame_stepper(built: BuildReport | VerifierLog) -> FrameStepper:
    """Return a slider through the steps of a report's log; it starts at the refused one."""
    if isinstance(built, VerifierLog):
        return FrameStepper(built)
    return FrameStepper(built.verifier_log, stack_users(built) if built.source else None)
