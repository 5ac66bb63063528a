"""What an experiment is: a plain function with parameters that returns a Result.

    @experiment("The claim, as it circulates.", judge_it, files=("its_program",))
    def it(rounds: int = 9) -> Observed:
        \"\"\"What is done, and why it can tell.\"\"\"

The function only measures. The verdict follows from the numbers alone, by a rule that is a function
of its own, with the rule in words as its docstring: so a test can feed it other numbers.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec

from labkit.claims.measuring import NotTold, path_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

P = ParamSpec("P")

TRUE = "true"
FALSE = "false"
HALF_TRUE = "half true"
NOT_HERE = "cannot be told here"
VERDICTS = (TRUE, FALSE, HALF_TRUE, NOT_HERE)


class Verdict(NamedTuple):
    """One of VERDICTS, and in one or two sentences the numbers that it follows from."""

    word: str
    why: str


class Observed(NamedTuple):
    """What an experiment measured: a tidy frame, and the versions of what it was measured on."""

    frame: pd.DataFrame
    versions: dict[str, str]


Rule = Callable[["pd.DataFrame"], Verdict]


@dataclass(frozen=True)
class Result:
    """A claim, what was measured, and the verdict that follows from it by a rule.

    ``measured`` is tidy: a row a measurement, its columns told in the docstring of the experiment.
    It is None if nothing could be measured; then the verdict is NOT_HERE.
    """

    name: str
    claim: str
    verdict: str
    why: str
    measured: pd.DataFrame | None
    rule: str
    versions: dict[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw what was measured; return the Axes."""
        from labkit.plots import claims as plots

        return plots.draw(self, axes)

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values; ``measured`` as a list of rows."""
        import json

        rows = "[]" if self.measured is None else self.measured.to_json(orient="records")
        return {
            "name": self.name,
            "claim": self.claim,
            "verdict": self.verdict,
            "why": self.why,
            "rule": self.rule,
            "measured": json.loads(rows or "[]"),
            "versions": self.versions,
            "files": [path.name for path in self.files],
        }

    def __repr__(self) -> str:
        return f"<Result {self.name}: {self.verdict}. {self.why}>"

    def _repr_html_(self) -> str:
        from labkit.show.style import badge, folded, page, table, tag

        shown = [] if self.measured is None else [_table_html(summary(self.measured), table)]
        return page(
            tag("p", f"“{self.claim}” ", badge(BADGES[self.verdict], self.verdict)),
            tag("p", self.why),
            *shown,
            folded("The rule that gave the verdict", tag("p", self.rule)),
            tag("p", " · ".join(f"{name} {value}" for name, value in self.versions.items())),
            data_testid="experiment",
            data_verdict=self.verdict,
        )


BADGES = {TRUE: "good", FALSE: "bad", HALF_TRUE: "none", NOT_HERE: "none"}


def _table_html(frame: pd.DataFrame, table: Callable[..., Any]) -> Any:
    rows = frame.astype(object).where(frame.notna(), "").to_numpy().tolist()
    return table([str(name).replace("_", " ") for name in frame], rows)


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its rounds folded: counts summed, times as median and quartiles."""
    if "ns_per_event" not in frame:
        return frame
    counts = [name for name in ("events", "stale") if name in frame]
    keys = [name for name in frame if name not in ("round", "ns_per_event", *counts)]
    groups = frame.groupby(keys, sort=False)
    table = groups[counts].sum(min_count=1)
    times = groups.ns_per_event
    for name, part in (("ns_per_event", 0.5), ("lower quartile", 0.25), ("upper quartile", 0.75)):
        table[name] = times.quantile(part).round()
    return table.reset_index()


class Program:
    """A BPF program's file as it stands at this moment; a cell shows its text."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return self.path.read_text("utf-8")

    def __repr__(self) -> str:
        return f"/* {self.path.name} */\n{self}"

    def _repr_html_(self) -> str:
        from labkit.show.style import log_lines, page, tag

        return page(tag("h4", self.path.name), log_lines(str(self)))


class Experiment(Generic[P]):
    """A function that measures, with its claim and its rule. Called like the function: a Result."""

    def __init__(
        self, measure: Callable[P, Observed], claim: str, judge: Rule, files: tuple[Path, ...]
    ) -> None:
        functools.update_wrapper(self, measure)
        self.measure = measure
        self.name = measure.__name__
        self.claim = claim
        self.judge = judge
        self.files = files

    @property
    def programs(self) -> tuple[Program, ...]:
        """The BPF programs, to be shown in a cell."""
        return tuple(map(Program, self.files))

    @property
    def rule(self) -> str:
        """The rule in words."""
        return " ".join((inspect.getdoc(self.judge) or "").split())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Result:
        """Measure and judge. What cannot be measured here gives a result too."""
        try:
            frame, versions = self.measure(*args, **kwargs)
        except NotTold as reason:
            return self._result(Verdict(NOT_HERE, str(reason)), None, {})
        return self._result(self.judge(frame), frame, versions)

    def _result(
        self, verdict: Verdict, frame: pd.DataFrame | None, versions: dict[str, str]
    ) -> Result:
        word, why = verdict
        return Result(self.name, self.claim, word, why, frame, self.rule, versions, self.files)


def experiment(
    claim: str, judge: Rule, files: tuple[str, ...] = ()
) -> Callable[[Callable[P, Observed]], Experiment[P]]:
    """Make an experiment of a function that measures, its claim and its rule.

    ``files`` name the programs, without ``.c``; see measuring.path_of().
    """
    paths = tuple(map(path_of, files))
    return lambda measure: Experiment(measure, claim, judge, paths)
