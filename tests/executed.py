"""A notebook run in a kernel of its own, which still lives afterwards and can be asked."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"


class Executed:
    """A notebook, its cells by id, and the kernel that ran them."""

    def __init__(self, client: NotebookClient) -> None:
        self.client = client
        self.cells = {cell.id: cell for cell in client.nb.cells}
        self.seconds = 0.0

    @property
    def pid(self) -> int:
        return int(self.client.km.provisioner.pid)

    def run_all(self) -> None:
        started = time.monotonic()
        for number, cell in enumerate(self.client.nb.cells):
            self.client.execute_cell(cell, number)
        self.seconds = time.monotonic() - started

    def run_again(self, name: str) -> None:
        number = [cell.id for cell in self.client.nb.cells].index(name)
        self.client.execute_cell(self.cells[name], number)

    def do(self, code: str) -> Any:
        """Run code in the notebook's kernel; return its cell."""
        cell = nbformat.v4.new_code_cell(code)
        self.client.nb.cells.append(cell)
        self.client.execute_cell(cell, len(self.client.nb.cells) - 1)
        return self.client.nb.cells.pop()

    def value(self, expression: str) -> Any:
        """Return a JSON value of the notebook's kernel, whatever its cells have left there."""
        return json.loads(
            self.do(f"import json; print(json.dumps({expression}, default=str))").outputs[0].text
        )

    def text(self, name: str) -> str:
        """All that a cell printed or shows, in plain text."""
        outputs = self.cells[name].outputs
        return "\n".join(
            o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in outputs
        )

    def shown(self, name: str, kind: str = "text/plain") -> str:
        """What a cell shows in one of the kinds; all of it, where it shows several."""
        found = [o["data"][kind] for o in self.cells[name].outputs if kind in o.get("data", {})]
        assert found, f"{name} shows no {kind}"
        return "".join(map(str, found))

    def still_asks(self, name: str) -> bool:
        """Whether a question waits for a guess, and shows nothing of its answer."""
        shown = f"{self.text(name)} {self.shown(name, 'text/html')}"
        told = re.search(r"right:|not quite|measured is", shown)
        return "your guess first" in shown and told is None

    def kinds(self, name: str) -> set[str]:
        return {kind for o in self.cells[name].outputs for kind in o.get("data", {})}

    def outputs(self) -> list[Any]:
        return [o for cell in self.cells.values() for o in cell.get("outputs", [])]


@contextmanager
def kernel_for(
    notebook: nbformat.NotebookNode, env: dict[str, str] | None = None, **options: Any
) -> Iterator[Executed]:
    """Start a kernel for a notebook, of which nothing has run yet; end it."""
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    client = NotebookClient(notebook, resources=resources, **{"timeout": 120, **options})
    with client.setup_kernel(env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}):
        yield Executed(client)


@contextmanager
def executed(
    name: str, startup: str = "", env: dict[str, str] | None = None, **options: Any
) -> Iterator[Executed]:
    """Run all cells of notebooks/NAME, after ``startup`` in the same kernel; end the kernel."""
    with kernel_for(nbformat.read(NOTEBOOKS / name, as_version=4), env, **options) as made:
        if startup:
            made.do(startup)
        made.run_all()
        yield made
