"""Contenders take turns; what comes out is a table, with ratios pair by pair and what they miss.

A machine's speed drifts, so no figure stands alone: in each round every contender runs once, and a
ratio is taken of the two figures of one round.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Contender:
    """Something that is measured; ``lacks`` says what of it is missing here, if anything is."""

    name: str
    measure: Callable[[], float]
    lacks: str = ""


@dataclass(frozen=True)
class Bar:
    """What is aimed at: values, one a round, whose median is to be at most ``at_most``."""

    name: str
    values: Sequence[float]
    at_most: float

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return statistics.median(self.values) <= self.at_most


@dataclass
class Table:
    """One question, measured: figures by contender, None for who could not be measured here."""

    title: str
    how: str
    unit: str
    figures: dict[str, list[float]]
    lacking: dict[str, str] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)
    ratios: dict[str, list[float]] = field(default_factory=dict)

    def ratio(self, ours: str, theirs: str, at_most: float | None = None) -> None:
        """Add a ratio of two contenders, round by round; with a target it is a bar."""
        if ours not in self.figures or theirs not in self.figures:
            return
        pairs = zip(self.figures[ours], self.figures[theirs], strict=True)
        name, values = f"{ours} ÷ {theirs}", [a / b for a, b in pairs]
        if at_most is None:
            self.ratios[name] = values
        else:
            self.bars.append(Bar(name, values, at_most))

    def markdown(self) -> str:
        """Return the table as Markdown, ratios and targets below the figures."""
        lines = [f"## {self.title}", "", self.how, "", f"| {self.unit} | median | least to most |"]
        lines += ["|---|---:|---:|"]
        lines += [f"| {name} | {spread(values)} |" for name, values in self.figures.items()]
        lines += [f"| {name} | not measured here: {why} | |" for name, why in self.lacking.items()]
        if self.ratios or self.bars:
            lines += ["", "| | median | least to most | target |", "|---|---:|---:|---|"]
        lines += [f"| {name} | {spread(values)} | |" for name, values in self.ratios.items()]
        for bar in self.bars:
            verdict = f"at most {bar.at_most:g}: {'met' if bar.met else '**missed**'}"
            lines.append(f"| {bar.name} | {spread(bar.values)} | {verdict} |")
        return "\n".join([*lines, ""])


def spread(values: Sequence[float]) -> str:
    """Return the median and the range, as two cells of a row."""
    return f"{_short(statistics.median(values))} | {_short(min(values))} to {_short(max(values))}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def in_turn(
    contenders: Sequence[Contender], rounds: int, say: Callable[[str], object]
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Return the figures of each contender, and why the others have none.

    Each runs once more at first, for the caches, and that does not count.
    """
    here = [one for one in contenders if not one.lacks]
    for one in here:
        one.measure()
    figures: Mapping[str, list[float]] = {one.name: [] for one in here}
    for number in range(rounds):
        for one in here:
            figures[one.name].append(one.measure())
            say(f"round {number + 1}/{rounds}: {one.name}: {_short(figures[one.name][-1])}")
    return dict(figures), {one.name: one.lacks for one in contenders if one.lacks}
