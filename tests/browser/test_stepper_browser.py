"""The stack drawn in the page: the refused write outside, the arrow keys, both themes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

import labkit
from labkit.stack.snapshot import snapshot_of
from labkit.stack.variables import stack_variables

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.timeout(300)]

CELLS = (
    "import labkit\nreport = labkit.build('stack_beyond')",
    "labkit.plots.stack_snapshot(report);",
    "labkit.notebook.stack_stepper(report)",
    "labkit.plots.stack_variables('stack');",
    "from labkit.stack.variables import stack_variables\nstack_variables('stack')",
)


@pytest.fixture(scope="module")
def ran(lab: Any, server: Any) -> Any:
    kernel = {"name": "python3", "display_name": "Python 3"}
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(book, server.folder / "notebooks" / "frame.ipynb")
    lab.open("frame.ipynb")
    lab.run_all()
    lab.page.locator('[data-testid="stack"]').wait_for(timeout=60_000)
    return lab


def output(lab: Any, number: int) -> Any:
    return lab.page.locator(".jp-CodeCell").nth(number).locator(".jp-Cell-outputArea")


@pytest.fixture(scope="module")
def refused() -> Any:
    """The refused step as the library itself finds it, in a build of its own."""
    report = labkit.build("stack_beyond")
    return snapshot_of(report.verifier_log, variables=stack_variables(report))


def test_it_starts_at_the_refused_write(ran: Any, refused: Any) -> None:
    area = output(ran, 2)
    step = area.locator('[data-testid="step"]')
    assert step.get_attribute("data-step") == str(refused.step.number)
    assert refused.fatal in step.inner_text()
    assert area.locator('[data-testid="touched"]').first.get_attribute("data-offset") == str(
        refused.access.offset
    )
    assert refused.name in area.locator('[data-testid="move"]').inner_text()
    assert area.locator('[data-testid="stack"] tr.lab-limit').count() == 1


def test_the_arrow_keys_step(ran: Any, refused: Any) -> None:
    area = output(ran, 2)
    step = area.locator('[data-testid="step"]')
    area.locator(".lab-stepper .noUi-handle").focus()
    number = refused.step.number
    for key, change in (("ArrowLeft", -1), ("ArrowLeft", -1), ("ArrowRight", 1), ("ArrowRight", 1)):
        number += change
        ran.page.keyboard.press(key)
        area.locator(f'[data-testid="step"][data-step="{number}"]').wait_for(timeout=20_000)
        shown = area.locator('[data-testid="around"] mark').inner_text()
        assert shown.split(":")[0].split()[-1] == step.get_attribute("data-insn")


def test_its_keys_do_not_move_the_notebooks_selection(ran: Any) -> None:
    handle = output(ran, 2).get_by_role("slider", name="step")
    handle.focus()
    active = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    before = ran.page.evaluate(active)
    for key in ("ArrowUp", "ArrowDown", "ArrowDown", "ArrowUp"):
        ran.page.keyboard.press(key)
    assert ran.page.evaluate(active) == before
    assert handle.evaluate("(one) => one === document.activeElement")


def test_the_slider_is_in_reach_on_a_narrow_page_and_at_200_percent(ran: Any) -> None:
    for width in (1024, 640):  # 640: what 1280 pixels show at 200 %
        ran.page.set_viewport_size({"width": width, "height": 900})
        number = output(ran, 2).get_by_role("textbox", name="step, as a number")
        number.scroll_into_view_if_needed()
        box, area = number.bounding_box(), output(ran, 2).bounding_box()
        assert box["x"] + box["width"] <= area["x"] + area["width"] + 1
        assert number.is_visible()
    ran.page.set_viewport_size({"width": 1280, "height": 900})


def test_nothing_is_wider_than_the_page(ran: Any) -> None:
    ran.page.wait_for_function(  # the page may still be at work on its new width
        """() => [...document.querySelectorAll('.jp-OutputArea-output .lab')]
            .every((part) => part.scrollWidth <= part.clientWidth + 2)"""
    )


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_pictures_in_both_themes(ran: Any, pictures: Path, theme: str) -> None:
    ran.theme(theme)
    for number, name in ((1, "frame"), (2, "stepper"), (3, "users"), (4, "table")):
        path = pictures / f"stack-{name}-{theme.split()[1].lower()}.png"
        area = output(ran, number)
        area.scroll_into_view_if_needed()
        area.screenshot(path=path)
        assert path.stat().st_size > 2000
