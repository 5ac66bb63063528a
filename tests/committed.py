"""A notebook as it is committed: its cells, its words, its links."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import executed
import nbformat

TAGS = {"core", "optional", "exercise", "solution"}
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def read(name: str) -> Any:
    return nbformat.read(executed.NOTEBOOKS / name, as_version=4)


def tagged(notebook: Any, tag: str) -> list[Any]:
    return [cell for cell in notebook.cells if tag in cell.metadata["tags"]]


def words(cells: Iterable[Any]) -> int:
    """The words of prose in these cells, as a reader counts: whatever stands between blanks."""
    return sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")


def links(notebook: Any) -> list[str]:
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return [link for text in texts for link in _LINK.findall(text)]


def dead_links(notebook: Any) -> list[str]:
    """The links to programs and headers of this checkout that are not there."""
    own = [link for link in links(notebook) if not link.endswith(".ipynb") and "://" not in link]
    return [link for link in own if not (Path(executed.NOTEBOOKS) / link).exists()]


def check(notebook: Any) -> None:
    """Assert what holds for every notebook: no outputs, stable ids, one tag for each cell."""
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]+", one) for one in ids)
    for cell in notebook.cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        assert cell.metadata.keys() == {"tags"}, cell.id
        assert len(cell.metadata["tags"]) == 1 and set(cell.metadata["tags"]) <= TAGS, cell.id
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"


def check_rhythm(notebook: Any) -> None:
    """Assert that code cells are short, and that prose stands before and after each."""
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds[0] == kinds[-1] == "markdown"
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            most = 10 if cell.source.startswith("%%bpf") else 5
            assert 1 <= len(cell.source.splitlines()) <= most, cell.id
            assert kinds[place - 1] == kinds[place + 1] == "markdown", cell.id


# What the library calls things, and figures as the machine has them: not for readers.
INTERNALS = re.compile(r"\b(?:compiler|verifier|host)_refused\b|<NA>|\bGate\(|\bNone\b|\d\.\d{6}")
_TAG = re.compile(r"<style\b.*?</style>|<script\b.*?</script>|<[^>]*>", re.S)


def internals(shown: Any) -> list[tuple[str, str]]:
    """What a reader of an executed notebook meets of the library's insides, cell by cell."""
    found = []
    for name, cell in shown.cells.items():
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            text = _TAG.sub(" ", data.get("text/html", "")) or data.get("text/plain", "")
            printed = f"{text} {output.get('text', '')}"
            found += [(name, hit) for hit in INTERNALS.findall(printed)]
    return found
