"""What the bad example needs in order to be bad: take its three safeguards away, and measure.

The compiler counts only what is left after optimisation. Three defines each take one thing away
that keeps the optimiser from removing the objects: see bpf/exec_event.h.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from labkit.building.build import build
from labkit.building.report import IN_SHORT, BuildReport

if TYPE_CHECKING:
    import pandas as pd

SAFEGUARDS = {
    "NO_BARRIER": "barrier",
    "NO_ACCESSES": "accesses",
    "NO_UNROLL": "unrolling",
}


def removals() -> Iterator[tuple[str, ...]]:
    """Yield every choice of defines: none, each alone, each two, all three."""
    for count in range(len(SAFEGUARDS) + 1):
        yield from combinations(SAFEGUARDS, count)


def optimiser_table(*defines: str) -> pd.DataFrame:
    """Build the bad program without each choice of safeguards, eight builds; fold what agrees.

    ``defines`` go to every build, such as ``DATA_BYTES=32`` for a smaller event. One row per
    answer: "taken away" (the choices with that answer, or "anything else"), outcome (in the words
    of IN_SHORT), "bytes of stack" (what the verifier found in use; empty where it was not reached),
    builds (how many answered so).
    """
    import pandas as pd

    found: dict[tuple[str, str], list[str]] = {}
    for removed in removals():
        answer = _answer(build("stack", defines=(*defines, *removed)))
        found.setdefault(answer, []).append(_words(removed))
    most = max(found.values(), key=len)
    rows = [(_listed(words, most), *answer, len(words)) for answer, words in found.items()]
    columns = ["taken away", "outcome", "bytes of stack", "builds"]
    return pd.DataFrame(rows, columns=columns).set_index("taken away")


def _answer(report: BuildReport) -> tuple[str, str]:
    depth = report.stack_depth if report.accepted else None
    return IN_SHORT[report.outcome], "" if depth is None else str(depth)


def _words(removed: Iterable[str]) -> str:
    return " and ".join(SAFEGUARDS[word] for word in removed) or "nothing"


def _listed(words: list[str], most: list[str]) -> str:
    """Return the choices with one answer; the largest group of three or more is what is left."""
    if len(words) == 2 ** len(SAFEGUARDS):
        return "nothing, or any of the three"
    return "anything else, or nothing" if words is most and len(words) > 2 else "; ".join(words)
