"""A notebook that was only opened is as JupyterLab would have it, and needs no saving."""

from __future__ import annotations

import asyncio
import json
import platform
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from labkit.contents import Contents, complete


def made(*outputs, kernel: str = "python3") -> nbformat.NotebookNode:
    cells = [new_markdown_cell("#"), new_code_cell("1", outputs=list(outputs)), new_code_cell("2")]
    return new_notebook(
        cells=cells, metadata={"kernelspec": {"name": kernel, "display_name": "mine"}}
    )


def trusted(notebook: nbformat.NotebookNode) -> list[bool]:
    return [cell.metadata.get("trusted", False) for cell in notebook.cells[1:]]


def test_it_names_this_pythons_kernel() -> None:
    notebook = made()
    complete(notebook)
    assert notebook.metadata.kernelspec["display_name"].startswith("Python 3")
    assert notebook.metadata.language_info["version"] == platform.python_version()


def test_one_for_another_kernel_stays_as_it_is() -> None:
    notebook = made(kernel="ir")
    complete(notebook)
    assert notebook.metadata == {"kernelspec": {"name": "ir", "display_name": "mine"}}


def test_only_without_outputs_there_is_nothing_to_distrust() -> None:
    empty, full = made(), made(new_output("stream", text="hello"))
    complete(empty)
    complete(full)
    assert trusted(empty) == [True, True]
    assert trusted(full) == [False, False]


def test_the_file_is_read_completed_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    nbformat.write(made(), path)
    before = path.read_bytes()
    model = asyncio.run(Contents(root_dir=str(tmp_path)).get("x.ipynb"))
    assert model["content"]["metadata"]["language_info"]["name"] == "python"
    assert path.read_bytes() == before
    assert "language_info" not in json.loads(before)["metadata"]


def test_a_folder_and_a_text_are_passed_on(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("words")
    manager = Contents(root_dir=str(tmp_path))
    assert asyncio.run(manager.get("x.txt"))["content"] == "words"
    assert asyncio.run(manager.get(""))["type"] == "directory"
    assert asyncio.run(manager.get("x.txt", content=False))["content"] is None
