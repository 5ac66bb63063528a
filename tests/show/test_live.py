"""What is left of a panel where it cannot live, and what it needs of the page where it can."""

from __future__ import annotations

from typing import Any

import ipywidgets
import pytest

from labkit.notebook import panel as panels
from labkit.notebook.panel import Panel
from labkit.show.live import in_page_html, static_html
from labkit.show.widgets import state_html


def test_a_copy_is_hidden_by_its_own_panel_and_by_no_other() -> None:
    shown = static_html("<p>verdict</p>", "lab-panel-7")
    assert "<p>verdict</p>" in shown
    assert ":root:has(.lab-panel-7) .lab-panel-7-copy { display: none; }" in shown
    assert 'class="lab-panel-7-copy"' in shown
    assert "run the cell" in shown


def test_the_script_is_one_attribute() -> None:
    shown = in_page_html()
    assert shown.count("onerror=") == 1
    assert "<script" not in shown
    assert "=&gt;" in shown.split("onerror=")[1]  # escaped: no sign of it ends the tag


def test_the_state_is_no_live_region_itself() -> None:
    """It is replaced by each change; a region must be there before."""
    assert "aria-live" not in state_html("done", "words")


def test_a_panel_is_shown_live_and_as_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(panels, "publish_display_data", shown.append)
    panel = Panel([ipywidgets.HTML("x")])
    panel.html, panel.words = "<p>it loads</p>", "it loads"
    panel._ipython_display_()
    live, copy = shown
    assert set(live) == {"text/plain", "application/vnd.jupyter.widget-view+json"}
    assert live["text/plain"] == "it loads"
    assert set(copy) == {"text/html"} and "<p>it loads</p>" in copy["text/html"]
    assert panel.box in panel._dom_classes
