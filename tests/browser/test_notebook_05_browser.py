"""Notebook 05 as a reader uses it: before an attempt, and with each answer typed in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = [pytest.mark.live, pytest.mark.browser, pytest.mark.timeout(480)]

NOTEBOOK = "05_exercises.ipynb"
ROOT = Path(__file__).resolve().parents[2]
TYPE = """([id, text]) => {
    const notebook = window.jupyterapp.shell.currentWidget;
    const cells = [...notebook.context.model.cells];
    cells.find((cell) => cell.id === id).sharedModel.setSource(text);
}"""
WIDER = """() => [...document.querySelectorAll('.jp-OutputArea-output, .jp-RenderedMarkdown')]
    .filter((one) => one.scrollWidth > one.clientWidth + 2)
    .map((one) => one.textContent.slice(0, 80))"""


@pytest.fixture(scope="module")
def page(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook, all cells run, with its notes in a folder of the test's own."""
    lab.page.set_default_timeout(15_000)
    lab.open(NOTEBOOK)
    notes = str(tmp_path_factory.mktemp("notes"))
    lab.page.evaluate(
        """async (code) => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            await kernel.requestExecute({ code }).done;
        }""",
        f"from labkit import results; results.RESULTS = type(results.RESULTS)({notes!r})",
    )
    lab.run_all(120)
    return lab.page


def verdicts(page: Any) -> list[str]:
    return [text.strip() for text in page.get_by_test_id("answer").all_inner_texts()]


def solved(page: Any) -> list[str]:
    panels = page.get_by_test_id("progress").all()
    return [panel.get_attribute("data-solved") for panel in panels]


@pytest.fixture(params=[1024, 1280])
def wide(request: Any, page: Any) -> Any:
    page.set_viewport_size({"width": request.param, "height": 900})
    yield request.param
    page.set_viewport_size({"width": 1280, "height": 900})


def take_pictures(lab: Any, folder: Path, name: str) -> None:
    """Take a picture of each screen of the notebook, in both themes."""
    for theme in ("Light", "Dark"):
        lab.theme(f"JupyterLab {theme}")
        cells = lab.page.locator(".jp-Notebook .jp-Cell")
        for number in range(0, cells.count(), 6):
            cells.nth(number).scroll_into_view_if_needed()
            cells.nth(number).evaluate("(cell) => cell.scrollIntoView()")
            lab.page.wait_for_timeout(150)
            lab.page.screenshot(path=folder / f"05-{name}-{theme.lower()}-{number:02}.png")
    lab.theme("JupyterLab Light")


def test_before_an_attempt_nothing_is_judged(lab: Any, page: Any) -> None:
    assert None not in lab.execution_counts()
    assert verdicts(page) == ["– not tried yet"] * 10
    assert solved(page) == ["0", "0"]


def test_nothing_is_wider_than_the_page(page: Any, wide: int) -> None:
    assert page.evaluate(WIDER) == []


def test_pictures_before(lab: Any, page: Any, pictures: Path, wide: int) -> None:
    take_pictures(lab, pictures, f"before-{wide}")


def test_each_answer_typed_in_is_right(lab: Any, page: Any) -> None:
    worked = nbformat.read(ROOT / "solutions" / NOTEBOOK, as_version=4)
    for cell in worked.cells:
        if cell.cell_type == "code" and "solution" in cell.metadata.get("tags", []):
            page.evaluate(TYPE, [cell.id, cell.source])
    lab.run_all(120)
    assert verdicts(page) == ["✔ right"] * 10
    assert solved(page) == ["0", "10"]


def test_nothing_solved_is_wider_than_the_page(page: Any, wide: int) -> None:
    assert page.evaluate(WIDER) == []


def test_pictures_after(lab: Any, page: Any, pictures: Path, wide: int) -> None:
    take_pictures(lab, pictures, f"after-{wide}")
