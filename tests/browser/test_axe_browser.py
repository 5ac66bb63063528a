"""Each notebook, executed: nothing of ours that axe-core objects to, in either theme.

Judged are the outputs and the rendered text. JupyterLab's own shell (menus, side bars, the editor,
the marks beside a cell) is not ours and is left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
THEMES = ("JupyterLab Light", "JupyterLab Dark")
OURS = {"include": [[".jp-OutputArea-output"], [".jp-RenderedMarkdown"]]}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS], scope="module"),
]


@pytest.fixture(scope="module")
def ran(lab: Any, name: str) -> Any:
    lab.open(name)
    opened = state(lab)
    lab.run_all(400)
    lab.opened = opened
    return lab


def state(lab: Any) -> dict[str, Any]:
    """Whether JupyterLab calls the notebook changed, and what it says of trust."""
    return dict(
        lab.page.evaluate(
            """() => ({
                dirty: window.jupyterapp.shell.currentWidget.context.model.dirty,
                trust: document.querySelector('.jp-StatusItem-trust')?.title ?? '',
            })"""
        )
    )


def violations(page: Any, among: dict[str, Any] = OURS) -> list[str]:
    """A line for each element that axe-core objects to, with the reason."""
    found = Axe().run(page, context=among, options={"resultTypes": ["violations"]}).response
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:160]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def test_only_opened_it_has_nothing_to_save_and_nothing_to_distrust(ran: Any) -> None:
    assert ran.opened["dirty"] is False
    assert ran.opened["trust"].startswith("Notebook trusted")


@pytest.mark.parametrize("theme", THEMES)
def test_axe_objects_to_nothing(ran: Any, theme: str) -> None:
    ran.theme(theme)
    found = violations(ran.page)
    assert not found, "\n".join(found)


def test_axe_does_object_to_what_is_wrong(ran: Any) -> None:
    """A picture without words, put among the outputs, is found: the test can fail."""
    ran.page.evaluate(
        """() => { const area = document.querySelector('.jp-OutputArea-output');
            area.insertAdjacentHTML('beforeend', '<img id="wrong" src="data:,">'); }"""
    )
    try:
        found = violations(ran.page, {"include": [["#wrong"]]})
        assert any("image-alt" in line for line in found)
    finally:
        ran.page.evaluate("() => document.querySelector('#wrong').remove()")
