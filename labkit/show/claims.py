"""How a claim's result is shown: alone, several as a table, in a cell and on a terminal."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

from markupsafe import Markup

from labkit.claims.claim import FALSE, TRUE
from labkit.show.style import badge, folded, page, table, tag

if TYPE_CHECKING:
    import pandas as pd

    from labkit.claims.claim import Result, Results

BADGES = {TRUE: "good", FALSE: "bad"}  # others are neither
ONE_LINE = "white-space: nowrap"
WIDEST = 120  # columns of text


def result_html(result: Result) -> str:
    """Return the claim with its verdict, the numbers, and the rule folded away."""
    measured = result.summary
    return page(
        tag("p", f"“{result.claim}” ", _verdict(result)),
        tag("p", result.why),
        "" if measured is None else _rows(measured),
        folded("The rule that gave the verdict", tag("p", result.of.rule)),
        tag("p", _versions(result.versions)),
        data_testid="claim",
        data_verdict=result.verdict,
    )


def results_html(results: Results) -> str:
    """Return a table: what is said, what is known of it, the verdict, what was measured."""
    rows = [
        (tag("b", r.name, style=ONE_LINE), r.claim, r.of.truth, _verdict(r), r.why) for r in results
    ]
    head = ["name", "what is said", "what is known", "here", "what was measured"]
    return page(table(head, rows), tag("p", _versions(results.versions)), data_testid="claims")


def results_text(results: Results, width: int = 0) -> str:
    """Return a paragraph a claim, ``width`` columns wide (0: as wide as the terminal)."""
    width = width or min(shutil.get_terminal_size().columns, WIDEST)
    column = max([len(result.name) for result in results], default=0) + 2
    wrapper = textwrap.TextWrapper(width - column, break_on_hyphens=False)
    parts = []
    for result in results:
        verdict = f"{result.verdict.upper()}: {result.why}"
        said = (f"“{result.claim}”", verdict, f"known: {result.of.truth}")
        lines = [line for text in said for line in wrapper.wrap(text)]
        parts.append(f"{result.name:<{column}}" + f"\n{' ' * column}".join(lines))
    if results.versions:
        parts.append(f"measured on {_versions(results.versions)}")
    return "\n\n".join(parts)


def _verdict(result: Result) -> Markup:
    return badge(BADGES.get(result.verdict, "none"), result.verdict, style=ONE_LINE)


def _versions(versions: dict[str, str]) -> str:
    return " · ".join(f"{name} {value}" for name, value in versions.items())


def _rows(measured: pd.DataFrame) -> Markup:
    cells = measured.astype(object).where(measured.notna(), "").to_numpy().tolist()
    rows = [
        [f"{one:.2f}".rstrip("0").rstrip(".") if type(one) is float else one for one in row]
        for row in cells
    ]
    return table([str(name).replace("_", " ") for name in measured], rows)
