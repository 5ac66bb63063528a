"""A slider of bytes; below it, what each gate makes of a frame of that size, got live."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from labkit.building.frame_size import GATES, lets_through, searched
from labkit.machine.stack_limit import WORD
from labkit.notebook.panel import WIDE, AskingPanel, Shown
from labkit.show.widgets import frame_verdicts


def both_gates(size: int) -> dict[str, bool]:
    """Return for each gate whether it lets a frame of ``size`` bytes through."""
    return {gate: lets_through(size, gate) for gate in GATES}


class LimitFinder(AskingPanel):
    """A slider and the verdicts on the size that it stands at. ``tried`` keeps all of them."""

    title = "frame size"

    def __init__(
        self,
        probe: Callable[[int], dict[str, bool]] = both_gates,
        size: int = 256,
        widest: int | None = None,
    ) -> None:
        self.slider = ipywidgets.IntSlider(
            value=size, min=WORD, max=widest or searched(), step=WORD, description="bytes"
        )
        self.slider.layout = WIDE
        self.tried: dict[int, dict[str, bool]] = {}
        super().__init__([self.slider], [self.slider], probe)

    @property
    def question(self) -> int:
        """The size that the slider stands at, in bytes."""
        return int(self.slider.value)

    def asking(self, question: int) -> str:
        """Return what is said while both gates are asked."""
        return f"asking both gates about {question} bytes …"

    def shown(self, question: int, answer: dict[str, bool]) -> Shown:
        """Return the verdicts."""
        self.tried[question] = answer
        sizes = "size" if len(self.tried) == 1 else "sizes"
        said = f"asked about {question} bytes; {len(self.tried)} {sizes} tried so far"
        return Shown(*frame_verdicts(question, answer), "done", said)


def limit_finder() -> LimitFinder:
    """Return the slider, with a first size already tried."""
    return LimitFinder()
