"""Notebook 02 as a reader uses it: collect live in Chromium, toggle, and take the CSV home."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from labkit.collecting import files

pytestmark = [pytest.mark.live, pytest.mark.browser, pytest.mark.timeout(480)]

NOTEBOOK = "02_percpu_array.ipynb"
PICTURE = "img.widget-image"
COLOURS = """(place) => [getComputedStyle(place).color,
    getComputedStyle(place.closest('.jp-Notebook')).backgroundColor]"""


@pytest.fixture(scope="module")
def page(lab: Any) -> Any:
    lab.page.set_default_timeout(15_000)
    lab.open(NOTEBOOK)
    lab.run_all(240)  # as long as the same cells may take in tests/notebooks
    return lab.page


def button(page: Any, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


def panel(page: Any) -> Any:
    """The live collector, not the copy beside it, which is for readers without a kernel."""
    return page.locator(".lab-panel").filter(has=button(page, "Start"))


def wait_for_state(page: Any, *states: str, seconds: float = 30) -> Any:
    wanted = ", ".join(f'[data-testid="state"][data-state="{state}"]' for state in states)
    found = panel(page).locator(wanted)
    found.wait_for(timeout=seconds * 1000)
    return found


def events(page: Any) -> int:
    return int(panel(page).get_by_test_id("run-summary").get_attribute("data-events"))


def start(page: Any, seconds: int = 30) -> None:
    field = panel(page).get_by_role("spinbutton")
    field.fill(str(seconds))
    field.press("Enter")
    button(page, "Start").click()
    wait_for_state(page, "collecting")


def stop(page: Any) -> None:
    button(page, "Stop").click()
    wait_for_state(page, "done", seconds=10)


def test_every_cell_ran(lab: Any, page: Any) -> None:
    assert None not in lab.execution_counts()
    assert (
        page.locator('.jp-RenderedText[data-mime-type="application/vnd.jupyter.stderr"]').count()
        == 0
    )


def test_the_widget_holds_a_run_before_any_click(page: Any) -> None:
    assert events(page) > 0
    assert panel(page).locator(PICTURE).is_visible()


def test_start_a_load_and_stop(page: Any) -> None:
    start(page)
    picture = panel(page).locator(PICTURE)
    before = picture.get_attribute("src")
    button(page, "exec on CPU 0").click()
    page.wait_for_function(
        """() => /, [0-9]{2,} events/.test(
            document.querySelector('[data-state="collecting"]')?.textContent ?? '')""",
        timeout=20_000,
    )
    page.wait_for_function(
        "([img, old]) => img.src !== old", arg=[picture.element_handle(), before]
    )
    stop(page)
    assert events(page) >= 10
    assert "each one counted" in panel(page).get_by_test_id("run-summary").inner_text()


def download(page: Any, name: str, folder: Path) -> Path:
    with page.expect_download() as caught:
        panel(page).get_by_test_id("downloads").get_by_role("link", name=name).click()
    path = folder / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def in_kernel(page: Any, code: str) -> str:
    """Run code in the notebook's kernel; return what it prints."""
    return str(
        page.evaluate(
            """async (code) => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const future = kernel.requestExecute({ code });
                let printed = '';
                future.onIOPub = (message) => { printed += message.content.text ?? ''; };
                await future.done;
                return printed;
            }""",
            code,
        )
    )


def test_the_downloaded_csv_is_the_frame(page: Any, tmp_path: Path) -> None:
    path = download(page, "Download CSV", tmp_path)
    assert re.fullmatch(r"exec_events_\w+\.csv", path.name)
    frame = tmp_path / "frame.pickle"
    text = in_kernel(
        page,
        "from labkit.collecting import files; print(files.csv_text(live.run), end='');"
        f"live.run.table.to_pickle({str(frame)!r})",
    )
    assert path.read_bytes() == text.encode()
    pd.testing.assert_frame_equal(files.read_csv(path), pd.read_pickle(frame))


def test_the_account_can_be_downloaded_too(page: Any, tmp_path: Path) -> None:
    path = download(page, "and its account (JSON)", tmp_path)
    assert f'"events": {events(page)}' in path.read_text()


def test_the_run_can_be_downloaded_as_parquet(page: Any, tmp_path: Path) -> None:
    path = download(page, "or Parquet", tmp_path)
    assert re.fullmatch(r"exec_events_\w+\.parquet", path.name)
    assert len(pd.read_parquet(path)) == events(page)


def test_the_bad_variant_is_refused_and_the_good_run_comes_back(page: Any) -> None:
    had = events(page)
    button(page, "bad (stack)").click()
    wait_for_state(page, "refused")
    refused = panel(page)
    assert refused.get_by_test_id("verdict").get_attribute("data-outcome") == "compiler_refused"
    assert "BPF stack limit" in refused.inner_text()
    assert not refused.locator(PICTURE).is_visible()
    assert refused.get_by_test_id("downloads").count() == 0
    button(page, "good (per-CPU array)").click()
    wait_for_state(page, "done")
    assert events(page) == had
    assert panel(page).locator(PICTURE).is_visible()


def test_a_run_after_the_refusal_works(page: Any) -> None:
    start(page, seconds=1)
    wait_for_state(page, "done")
    assert panel(page).get_by_test_id("account").is_visible()


def test_nothing_is_wider_than_the_page(page: Any) -> None:
    wider = page.evaluate(
        """() => [...document.querySelectorAll('.jp-OutputArea-output')]
            .filter((output) => output.scrollWidth > output.clientWidth + 2)
            .map((output) => output.textContent.slice(0, 80))"""
    )
    assert wider == []


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_pictures_of_both_themes(lab: Any, page: Any, pictures: Path, theme: str) -> None:
    lab.theme(theme)
    name = theme.rsplit(maxsplit=1)[-1].lower()
    panel(page).scroll_into_view_if_needed()
    panel(page).screenshot(path=pictures / f"02-collector-{name}.png")
    button(page, "bad (stack)").click()
    wait_for_state(page, "refused")
    panel(page).screenshot(path=pictures / f"02-refused-{name}.png")
    button(page, "good (per-CPU array)").click()
    wait_for_state(page, "done")
    for place, least in (("account", 4.5), ("run-summary", 3.0)):  # WCAG: text; signs, bold
        ink, paper = panel(page).get_by_test_id(place).evaluate(COLOURS)
        assert contrast(ink, paper) >= least, (place, ink, paper)


def test_a_reload_of_the_page_leaves_the_kernel_as_it_was(lab: Any, page: Any) -> None:
    start(page, seconds=2)
    lab.open(NOTEBOOK)
    assert in_kernel(page, "print(live.live is None or live.live.elapsed >= 0)") == "True\n"
    page.wait_for_timeout(3500)
    assert in_kernel(page, "print(live.live, live.run.complete)") == "None True\n"


def contrast(ink: str, paper: str) -> float:
    """Return the WCAG contrast of two colours, each ``rgb(r, g, b)``."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted([luminance(ink), luminance(paper)], reverse=True)
    return (light + 0.05) / (dark + 0.05)
