"""The ways out of the stack limit as a table, each program a link to its file."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from labkit.show.style import page, table, tag

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "../bpf/alternatives"  # as a notebook, or its copy in docs/, sees it
COST = "ns per event"
ROOM = "min-width: 11em"  # else a browser breaks the words of a narrow column


def ways_html(ways: pd.DataFrame) -> str:
    """Return the table; ``ways`` as alternatives.other_ways() makes it."""
    head = ["way, and its program", "choose it when", "since Linux"]
    head += [COST] if "ns_per_event" in ways else []
    rows = [_row(way) for way in ways.to_dict("records")]
    return page(table(head, rows, "ways around the limit", data_testid="ways"))


def _row(way: dict[Any, Any]) -> list[object]:
    file = way["file"]
    link = tag("a", file, href=f"{FOLDER}/{file}") if file else "no program here"
    name = tag("div", tag("b", way["way"]), tag("div", link), style=ROOM)
    cells = [name, tag("div", way["choose_when"], style=ROOM), way["since"]]
    return [*cells, _cost(way)] if "ns_per_event" in way else cells


def _cost(way: dict[Any, Any]) -> str:
    """Return the median; a way without a program, or one that did not load here, has none."""
    return f"{way['ns_per_event']:.0f}" if way["ns_per_event"] >= 0 else "not measured"


def ways_text(ways: pd.DataFrame, width: int = 100) -> str:
    """Return one paragraph per way."""
    wrapper = textwrap.TextWrapper(width, subsequent_indent="    ", break_on_hyphens=False)
    lines = []
    for way in ways.to_dict("records"):
        cost = f" {_cost(way)} ns per event." if way.get("ns_per_event", -1) >= 0 else ""
        words = f"{way['way']} (Linux {way['since']}): {way['choose_when']}.{cost}"
        lines.append(wrapper.fill(words))
    return "\n".join(lines)
