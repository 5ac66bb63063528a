"""What the bad example needs in order to be bad: take its three safeguards away, and measure.

The compiler counts only what is left after optimisation. Three defines each take one thing away
that keeps the optimiser from removing the objects: see bpf/exec_event.h.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from labkit.building.build import build
from labkit.building.report import BuildReport

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
    """Build the bad program without each choice of safeguards; one row a build, eight in all.

    ``defines`` go to every build, such as ``DATA_BYTES=32`` for a smaller event. Column ``frame``
    has the bytes of stack that the verifier found in use, where it was reached; ``<NA>`` elsewhere.
    """
    import pandas as pd

    rows = [_row(removed, build("stack", defines=(*defines, *removed))) for removed in removals()]
    return pd.DataFrame(rows).astype({"frame": "Int64"})


def _row(removed: Iterable[str], report: BuildReport) -> dict[str, object]:
    words = " and ".join(SAFEGUARDS[word] for word in removed)
    frame = report.stack_depth if report.accepted else None
    return {"taken away": words or "nothing", "outcome": report.outcome, "frame": frame}
