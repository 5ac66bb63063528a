"""What a claim is: a sentence, a function that measures, and a rule that judges the numbers.

    @claim("The sentence, as it circulates.", judge, truth="What is known of it.", files=("it",))
    def it(rounds: int = 9) -> Measured:
        \"\"\"What is done, and why it can tell.\"\"\"

The function only measures. The ruling follows from the numbers alone, by a rule that is a function
of its own, with the rule in words as its docstring: so a test can feed it other numbers. The
picture is the function of the claim's name in plots/claims.py.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec

import pandas as pd

from labkit.claims.measuring import Unmeasurable, path_of
from labkit.plots import claims as plots

if TYPE_CHECKING:
    from IPython.display import Code
    from matplotlib.axes import Axes

P = ParamSpec("P")

TRUE = "true"
FALSE = "false"
HALF_TRUE = "half true"
NOT_HERE = "cannot be told here"
VERDICTS = (TRUE, FALSE, HALF_TRUE, NOT_HERE)
NOT_MEASURED = "not measured yet"  # only in compare(), of what takes a run


class Ruling(NamedTuple):
    """One of VERDICTS, and in one or two sentences the numbers that it follows from."""

    verdict: str
    why: str


class Measured(NamedTuple):
    """A tidy table, one row per measurement, and the versions of what it was measured on."""

    table: pd.DataFrame
    versions: dict[str, str]


class Source(NamedTuple):
    """Who said a claim, and where: the address of a page that can be read."""

    who: str
    link: str


Rule = Callable[[pd.DataFrame], Ruling]
Brief = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(repr=False, eq=False)
class Claim(Generic[P]):
    """A sentence that circulates. Called like the function that measures it, it gives a Result."""

    measure: Callable[P, Measured]
    sentence: str
    judge: Rule
    truth: str  # what is known of it: read, or measured on several kernels
    files: tuple[Path, ...]  # the BPF programs that measure it
    quick: bool  # it takes seconds and no load
    said_by: Source | None  # None where it circulates, and nobody can be named
    brief: Brief  # what was measured, as few rows as tell it

    def __post_init__(self) -> None:
        functools.update_wrapper(self, self.measure)
        self.name = self.measure.__name__

    @property
    def programs(self) -> tuple[Code, ...]:
        """The BPF programs, to be shown in a cell."""
        from labkit.show.code import CSource

        return tuple(map(CSource, self.files))

    @property
    def rule(self) -> str:
        """The rule in words."""
        return " ".join((inspect.getdoc(self.judge) or "").split())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Result:
        """Measure and judge. What cannot be measured here gives a result too."""
        try:
            table, versions = self.measure(*args, **kwargs)
        except Unmeasurable as reason:
            return Result(self, NOT_HERE, " ".join(str(reason).split()))
        return Result(self, *self.judge(table), table, versions)

    def __repr__(self) -> str:
        return f"<Claim {self.name}: “{self.sentence}”>"


def folded(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its rounds folded: counts summed, times as median and quartiles."""
    if "ns_per_event" not in table:
        return table
    counts = [name for name in ("events", "stale") if name in table]
    keys = [name for name in table if name not in ("round", "ns_per_event", *counts)]
    groups = table.groupby(keys, sort=False)
    whole = groups[counts].sum(min_count=1)
    times = groups.ns_per_event
    for name, part in (("ns_per_event", 0.5), ("lower quartile", 0.25), ("upper quartile", 0.75)):
        whole[name] = times.quantile(part).round()
    return whole.reset_index()


def claim(
    sentence: str,
    judge: Rule,
    *,
    truth: str,
    files: tuple[str, ...] = (),
    quick: bool = False,
    said_by: Source | None = None,
    brief: Brief = folded,
) -> Callable[[Callable[P, Measured]], Claim[P]]:
    """Make a claim of the function that measures it; ``files`` as path_of() takes them."""
    paths = tuple(map(path_of, files))
    return lambda measure: Claim(measure, sentence, judge, truth, paths, quick, said_by, brief)


@dataclass(frozen=True)
class Result:
    """A claim, what was measured, and the verdict that follows from it by a rule.

    ``measured`` is tidy: one row per measurement, its columns told in the docstring of the claim.
    It is None if nothing could be measured; then the verdict is NOT_HERE.
    """

    of: Claim[...]
    verdict: str
    why: str
    measured: pd.DataFrame | None = None
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The claim's name."""
        return self.of.name

    @property
    def claim(self) -> str:
        """The claim's sentence."""
        return self.of.sentence

    @property
    def summary(self) -> pd.DataFrame | None:
        """What was measured, in few rows: counts summed, times as median and quartiles."""
        return None if self.measured is None else self.of.brief(self.measured)

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw what was measured; return the Axes."""
        return plots.draw(self, axes)

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values; ``measured`` as a list of rows."""
        rows = "[]" if self.measured is None else self.measured.to_json(orient="records")
        return {
            "name": self.name,
            "claim": self.claim,
            "said_by": self.of.said_by._asdict() if self.of.said_by else None,
            "verdict": self.verdict,
            "why": self.why,
            "rule": self.of.rule,
            "measured": json.loads(rows or "[]"),
            "versions": self.versions,
            "files": [path.name for path in self.of.files],
        }

    def __repr__(self) -> str:
        return f"<Result {self.name}: {self.verdict}. {self.why}>"

    def _repr_html_(self) -> str:
        from labkit.show import claims as show

        return show.result_html(self)


class Results(tuple[Result, ...]):
    """The results of several claims, in order. ``results["cost"]`` finds one by its name."""

    def __getitem__(self, key: Any) -> Any:
        return {r.name: r for r in self}[key] if isinstance(key, str) else super().__getitem__(key)

    @property
    def versions(self) -> dict[str, str]:
        """The versions of all that measured."""
        return {name: value for result in self for name, value in result.versions.items()}

    @property
    def table(self) -> pd.DataFrame:
        """One row per claim: name, claim, truth, verdict, why."""
        rows = [(r.name, r.claim, r.of.truth, r.verdict, r.why) for r in self]
        return pd.DataFrame(rows, columns=["name", "claim", "truth", "verdict", "why"])

    def to_json(self) -> list[dict[str, Any]]:
        """Return the results as plain values."""
        return [result.to_json() for result in self]

    def __repr__(self) -> str:
        from labkit.show import claims as show

        return show.results_text(self)

    def _repr_html_(self) -> str:
        from labkit.show import claims as show

        return show.results_html(self)
