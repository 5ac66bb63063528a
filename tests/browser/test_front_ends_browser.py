"""Notebook 7 and nbclassic, on the same server as JupyterLab: the toggle is clicked there too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import nbformat
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.timeout(240)]

CELLS = (
    "%load_ext labkit.magic\nimport labkit\nlabkit.variant_switch()",
    "labkit.plots.struct_sizes();",
)
FRONT_ENDS = {"Notebook 7": "notebooks", "nbclassic": "nbclassic/notebooks"}
# Whether the kernel has answered; nbclassic shows no widget whose cell ran before that.
READY = """() => window.Jupyter
    ? Boolean(window.Jupyter.notebook?.kernel?.widget_manager
        && window.Jupyter.notebook.kernel.info_reply.language_info)
    : Boolean(document.querySelector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
        && document.querySelector('.jp-CodeCell .cm-content'))"""
GOOD = "good (per-CPU array)"


@pytest.fixture(params=FRONT_ENDS)
def page(request: pytest.FixtureRequest, server: Any, browser: Any) -> Iterator[Any]:
    """The notebook in that front end, its cells run by Shift+Enter."""
    name = f"toggle-{request.param.split()[0]}.ipynb"
    folder = server.folder / "notebooks"
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    kernel = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / name
    )
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    place = f"{FRONT_ENDS[request.param]}/notebooks/{name}"
    opened.goto(f"{server.address}/{place}?token={server.token}")
    opened.wait_for_function(READY)
    opened.locator(".jp-CodeCell .cm-content, .code_cell .CodeMirror").first.click()
    for _cell in CELLS:
        opened.keyboard.press("Shift+Enter")
    yield opened
    context.close()


def state(page: Any, variant: str) -> Any:
    return page.locator(f'[data-testid="state"][data-question="{variant}"][data-state$="ed"]')


def restart(page: Any) -> None:
    """Restart the kernel as a reader does: nbclassic and Notebook 7 have a button each."""
    page.locator(
        '[data-command="notebook:restart-kernel"] button, #restart-button, '
        'button[data-jupyter-action="jupyter-notebook:confirm-restart-kernel"]'
    ).first.click()
    page.locator(".jp-Dialog button.jp-mod-accept, .modal-dialog button.btn-danger").first.click()


def test_the_toggle_builds_and_says_when_it_is_dead(page: Any) -> None:
    state(page, "stack").wait_for()
    page.get_by_role("button", name=GOOD, exact=True).click()
    state(page, "percpu").wait_for()
    assert page.get_by_test_id("verdict").locator("visible=true").count() == 1
    assert page.get_by_role("button", name=GOOD, pressed=True).count() == 1
    assert not page.get_by_test_id("not-live").is_visible()
    assert not page.get_by_test_id("dead").is_visible()
    picture = page.locator('img[alt*="Bars to scale"]')
    picture.wait_for()
    assert "big_event 544 bytes" in picture.get_attribute("alt")
    restart(page)
    page.get_by_test_id("dead").wait_for(state="visible")
    assert "Run the cell again" in page.get_by_test_id("dead").inner_text()
