"""Copies for reading: nothing of widgets is left in them, and everything that they showed is."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from labkit import session
from tools import render

VERSIONS = {"kernel": "6.1.0", "machine": "x86_64", "llvm": "14", "bcc": "0.26", "python": "3.11"}
PNG = base64.b64encode(b"\x89PNG picture").decode()
HTML = (
    "<style>.lab {}\n</style><p>✔ it loads</p>"
    '<a download="a.csv" href="data:text/csv;base64,AAAA">Download CSV</a><a href="#x">kept</a>'
)


def notebook(*outputs) -> nbformat.NotebookNode:
    cell = new_code_cell(
        "labkit", id="it", outputs=list(outputs), metadata={"execution": {"at": "1"}}
    )
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "widgets": {"w": 1}}
    return new_notebook(cells=[cell], metadata=metadata)


def shown(*outputs) -> list[dict]:
    copy = render.readable(notebook(*outputs), "x.ipynb", VERSIONS)
    return [output["data"] for output in copy.cells[1].outputs if "data" in output]


def test_a_widget_becomes_what_it_showed() -> None:
    view = {render.WIDGET: {"model_id": "1"}, "text/plain": "words"}
    everything = {**view, "text/html": HTML, "image/png": PNG}
    text, image = shown(new_output("execute_result", everything, execution_count=1))
    assert text == {
        "text/plain": "words",
        "text/html": '<p>✔ it loads</p><a href="#x">kept</a>',
    }
    assert image == {"image/png": PNG}


def test_a_picture_keeps_its_words_and_stands_once() -> None:
    shown_here = f'<img src="data:image/png;base64,{PNG}" alt="3 &lt; 4">'
    figure = new_output("display_data", {"text/html": shown_here, "image/png": f"{PNG}\n"})
    panel = new_output("display_data", {"text/html": f"<p>it loads</p>{shown_here}"})
    copy = render.readable(notebook(figure, panel), "x.ipynb", VERSIONS)
    image, text = copy.cells[1].outputs
    assert image.data == {"image/png": PNG, "text/plain": "3 < 4"}
    assert image.metadata == {"image/png": {"alt": "3 < 4"}}
    assert text.data == {"text/html": "<p>it loads</p>"}


def test_a_widget_that_has_only_text_keeps_it() -> None:
    view = {render.WIDGET: {"model_id": "1"}, "text/plain": "words"}
    assert shown(new_output("display_data", view)) == [{"text/plain": "words"}]


def test_what_was_printed_stays() -> None:
    copy = render.readable(notebook(new_output("stream", text="hello")), "x.ipynb", VERSIONS)
    assert copy.cells[1].outputs[0].text == "hello"


def test_the_first_cell_names_what_decides_a_verdict() -> None:
    copy = render.readable(notebook(), "x.ipynb", VERSIONS)
    for words in ("Linux 6.1.0", "LLVM 14", "bcc 0.26", r"\d{4}-\d\d-\d\d", "notebooks/x.ipynb"):
        assert re.search(words, copy.cells[0].source), words


def test_nothing_of_the_session_stays_in_the_metadata() -> None:
    copy = render.readable(notebook(), "x.ipynb", VERSIONS)
    assert list(copy.metadata) == ["kernelspec"]
    assert [cell.metadata for cell in copy.cells] == [{}, {}]


def test_a_cell_that_fails_is_named_and_nothing_is_written(tmp_path: Path, monkeypatch) -> None:
    broken = new_notebook(cells=[new_code_cell("1 / 0")])
    (tmp_path / "broken.ipynb").write_text(nbformat.writes(broken))
    with pytest.raises(render.RenderError, match=r"broken\.ipynb(.|\n)*1 / 0(.|\n)*Division"):
        render.execute(tmp_path / "broken.ipynb")


def test_a_picture_that_is_not_there_is_missed() -> None:
    with pytest.raises(render.RenderError, match="no cell 'it'"):
        render.picture(notebook(), "it")


CELLS = {
    "build": "import labkit\nlabkit.build('stack')",
    "widget": "import ipywidgets\nipywidgets.IntSlider(description='how far')",
    "drawn": "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])",
    "printed": "print('hello')",
}


@pytest.mark.live
@pytest.mark.slow
def test_the_command_makes_copies_that_need_no_kernel(tmp_path: Path, monkeypatch) -> None:
    """Of a notebook of its own: tests/notebooks runs those of the lab."""
    cells = [new_code_cell(code, id=name) for name, code in CELLS.items()]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    source = new_notebook(cells=cells, metadata=kernel)
    (tmp_path / "03_made_up.ipynb").write_text(nbformat.writes(source))
    monkeypatch.setattr(render, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(render, "PICTURES", {"drawn.png": ("03_made_up.ipynb", "drawn")})
    said: list[str] = []
    picture, path = render.render(tmp_path / "docs", said.append)
    assert said == ["executing 03_made_up.ipynb", f"wrote {picture}", f"wrote {path}"]
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")
    text = path.read_text()
    for left_over in ("widget-view", "<style", 'href=\\"data:'):
        assert left_over not in text
    about, *codes = json.loads(text)["cells"]
    assert session.shared().versions["bcc"] in "".join(about["source"])
    assert [cell["execution_count"] for cell in codes] == [1, 2, 3, 4]
    data = [[*output["data"]] for cell in codes[:3] for output in cell["outputs"]]
    assert data == [["text/html", "text/plain"], ["text/plain"], ["image/png", "text/plain"]]
    assert codes[-1]["outputs"][0]["text"] == ["hello\n"]


def test_the_pictures_of_the_readme_are_cells_of_the_notebooks() -> None:
    for book, cell in render.PICTURES.values():
        notebook = json.loads((render.NOTEBOOKS / book).read_text())
        assert cell in [one["id"] for one in notebook["cells"]]
