"""What a notebook asks of its reader: its words by tag, its cells, where its links lead."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
TAGS = ("core", "optional", "exercise", "solution")
MOST_CORE_WORDS = 1500
FOLDED = "jp-MarkdownHeadingCollapsed"  # how JupyterLab keeps a section folded

# What is no word for a reader: a float's whole tail, pandas' own signs, an outcome's name in code.
# The 9 digits of a time stamp, and what stands in a log, are meant.
RAW = re.compile(
    r"\d\.\d{7,}(?!\d*\+00:00)|<NA>|&lt;NA&gt;|\bnan\b|\bNaN\b"
    r"|\b(?:compiler|verifier|host)_refused\b|\bworker_died\b"
)
_TAG = re.compile(r"<style\b.*?</style>|<[a-z/][^>]*>", re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def cells(name: str) -> list[dict[str, Any]]:
    """Return the cells of notebooks/NAME as they stand in git; ``source`` as one text."""
    found = json.loads((NOTEBOOKS / name).read_text("utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in found]


def words(name: str, tag: str) -> int:
    """Count the words of the Markdown cells with that tag: what stands between blanks."""
    return sum(
        len(cell["source"].split())
        for cell in cells(name)
        if cell["cell_type"] == "markdown" and tag in cell["metadata"].get("tags", [])
    )


def links(name: str) -> list[str]:
    """Return where the Markdown cells' links lead, in order."""
    prose = [cell["source"] for cell in cells(name) if cell["cell_type"] == "markdown"]
    return [target for text in prose for target in _LINK.findall(text)]


def broken_links(name: str) -> list[str]:
    """Return the links to files of this repository that are not there, as that notebook sees it."""
    here = [target for target in links(name) if not re.match(r"https://|#", target)]
    return [target for target in here if not (NOTEBOOKS / target.split("#")[0]).is_file()]


def raw(output: dict[str, Any]) -> list[str]:
    """Return what an output shows that no reader should have to read."""
    data = output.get("data", {})
    html = _TAG.sub(" ", data.get("text/html", ""))
    return RAW.findall(f"{data.get('text/plain', '')} {output.get('text', '')} {html}")
