"""How a claim's result is shown: alone, several as a table, in a cell and on a terminal."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

from markupsafe import Markup

from labkit.claims.claim import FALSE, TRUE
from labkit.show.style import badge, folded, join, page, table, tag

if TYPE_CHECKING:
    import pandas as pd

    from labkit.claims.claim import Result, Results

BADGES = {TRUE: "good", FALSE: "bad"}  # others are neither
ONE_LINE = "white-space: nowrap"
WIDEST = 120  # columns of text
NOT_KNOWN = "–"

VERSIONS = {"kernel": "Linux", "machine": "", "llvm": "LLVM", "bcc": "bcc", "python": "Python"}

# What a column is called, and what stands for True and False in it.
HEADS = {
    "accepted": "verdict",
    "foreign": "of others",
    "interrupts": "runs of the second",
    "mixed": "overwritten",
    "ns_per_event": "ns per event",
    "said": "what the kernel said",
    "skipped": "skipped runs",
}
WORDS = {"accepted": ("accepted", "refused")}


def result_html(result: Result) -> str:
    """Return the claim with its verdict, the numbers, and the rule folded away."""
    measured = result.summary
    return page(
        tag("p", f"“{result.claim}” ", _verdict(result)),
        _said_by(result),
        tag("p", _sentence(result.why)),
        "" if measured is None else _rows(measured),
        folded("The rule that gave the verdict", tag("p", result.of.rule)),
        tag("p", _versions(result.versions)),
        data_testid="claim",
        data_verdict=result.verdict,
    )


def results_html(results: Results) -> str:
    """Return a table: the name and the verdict; what is said, what is known, what was measured."""
    rows = [(_named(result), _told(result)) for result in results]
    head = ["claim", "said, known, measured here"]
    return page(
        table(head, rows, "what is said, and what is so here"),
        tag("p", _versions(results.versions)),
        data_testid="claims",
    )


def _named(result: Result) -> Markup:
    return join([tag("p", tag("b", result.name, style=ONE_LINE)), tag("p", _verdict(result))])


def _told(result: Result) -> Markup:
    # One below the other: the reasons have the room that they need on a narrow screen too.
    return join(
        [
            tag("p", f"“{result.claim}”"),
            _said_by(result),
            tag("p", tag("b", "Known: "), result.of.truth),
            tag("p", tag("b", "Measured: "), _sentence(result.why)),
        ]
    )


def _said_by(result: Result) -> Markup:
    source = result.of.said_by
    if source is None:
        return Markup("")
    return tag("p", "Said by: ", tag("a", source.who, href=source.link), ".")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def results_text(results: Results, width: int = 0) -> str:
    """Return one paragraph per claim, ``width`` columns wide (0: as wide as the terminal)."""
    width = width or min(shutil.get_terminal_size().columns, WIDEST)
    column = max([len(result.name) for result in results], default=0) + 2
    wrapper = textwrap.TextWrapper(width - column, break_on_hyphens=False)
    parts = []
    for result in results:
        verdict = f"{result.verdict.upper()}: {result.why}"
        source = result.of.said_by
        who = [f"said by: {source.who}, {source.link}"] if source else []
        said = (f"“{result.claim}”", *who, verdict, f"known: {result.of.truth}")
        lines = [line for text in said for line in wrapper.wrap(text)]
        parts.append(f"{result.name:<{column}}" + f"\n{' ' * column}".join(lines))
    if results.versions:
        parts.append(f"measured on {_versions(results.versions)}")
    return "\n\n".join(parts)


def _verdict(result: Result) -> Markup:
    return badge(BADGES.get(result.verdict, "none"), result.verdict, style=ONE_LINE)


def _versions(versions: dict[str, str]) -> str:
    known = {VERSIONS[name]: value for name, value in versions.items() if name in VERSIONS}
    return " · ".join(
        f"{name} {known[name]}".strip() for name in VERSIONS.values() if name in known
    )


def _rows(measured: pd.DataFrame) -> Markup:
    cells = measured.astype(object).where(measured.notna(), NOT_KNOWN)
    rows = [[_cell(name, value) for name, value in row.items()] for row in cells.to_dict("records")]
    head = [HEADS.get(str(name), str(name).replace("_", " ")) for name in measured]
    return table(head, rows, "what was measured")


def _cell(name: object, value: object) -> object:
    if isinstance(value, bool):
        word = WORDS.get(str(name), ("yes", "no"))[0 if value else 1]
        return tag("span", word, style=ONE_LINE)
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return value
