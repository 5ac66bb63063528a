"""Answers to the notebooks' questions, for predict(): measured when somebody has guessed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from labkit.claims.claim import FALSE, HALF_TRUE, NOT_HERE, TRUE
from labkit.notebook.map_values import left_over
from labkit.notebook.prediction import Measured
from labkit.show.rows import Rows

if TYPE_CHECKING:
    import pandas as pd

    from labkit.claims import Result
    from labkit.collecting.run import Run

ZEROS, OLDER = "zeros", "the end of an older name"


def by_verdict(
    measure: Callable[[], Result], true: str, false: str, half_true: str = HALF_TRUE
) -> Callable[[], Measured]:
    """Return an answer that measures a claim, and says for its verdict what that stands for.

    Another verdict, "cannot be told here", is the answer itself.
    """
    choices = {TRUE: true, FALSE: false, HALF_TRUE: half_true}

    def answer() -> Measured:
        result = measure()
        return Measured(choices.get(result.verdict, result.verdict), evidence=result)

    return answer


def cheapest(measure: Callable[[], Result], among: Sequence[str]) -> Callable[[], Measured]:
    """Return an answer that measures the claim "cost": the way of the lowest median among these.

    Of ways that could not be measured here, none is it; if that is so of all, nothing can be told.
    """

    def answer() -> Measured:
        result = measure()
        if result.measured is None:
            return Measured(result.verdict, evidence=result)
        medians = result.measured.groupby("way").ns_per_event.median().reindex(list(among)).dropna()
        if medians.empty:
            return Measured(NOT_HERE, evidence=result)
        told = ", ".join(f"{way} {ns:.0f}" for way, ns in medians.sort_values().items())
        return Measured(medians.idxmin(), f"Median ns per event: {told}.")

    return answer


def behind_names(run: Run) -> Callable[[], Measured]:
    """Return an answer: what a run's events hold behind the end of their names, ZEROS or OLDER."""

    def answer() -> Measured:
        texts = left_over(run)
        kept = texts[texts != ""]
        why = f"{len(kept)} of {len(run)} events have something there."
        return Measured(ZEROS, why) if kept.empty else Measured(OLDER, why, _often(kept))

    return answer


def _often(texts: pd.Series[str]) -> Rows:
    counts = texts.value_counts().head()
    return Rows("most often behind the name", ["text", "events"], list(counts.items()))
