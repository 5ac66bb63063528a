"""Notebook 01 as a reader meets it: run all, click, read what the page says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import labkit
from labkit import notebook
from labkit.building.report import BuildReport
from labkit.notebook.variant_switch import chosen_variant

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.timeout(300)]

BAD, GOOD = "bad (stack)", "good (per-CPU array)"
LIFT = "lift the compiler's own check"


@pytest.fixture(scope="module")
def ran(lab: Any) -> Any:
    """The notebook, opened and run to its end."""
    lab.open("01_stack_limit.ipynb")
    lab.run_all()
    return lab


def cell_with(lab: Any, text: str) -> Any:
    """The code cell whose source has that text."""
    return lab.page.locator(".jp-CodeCell").filter(has_text=text).first


def panel_in(lab: Any, text: str) -> Any:
    """The live panel of that cell; beside it lies a copy for those who have no kernel."""
    return cell_with(lab, text).locator(".lab-panel").first


def switch(lab: Any) -> Any:
    return panel_in(lab, "labkit.variant_switch()")


def wait_for_state(lab: Any, variant: str, outcome: str) -> None:
    """Wait until the switch has built ``variant`` and says ``outcome``."""
    place = f'[data-testid="state"][data-question="{variant}"][data-state="{outcome}"]'
    switch(lab).locator(place).wait_for(timeout=60_000)


def passed(lab: Any) -> list[str | None]:
    """What the switch's report says of the two gates."""
    gates = ("compiler", "verifier")
    found = [switch(lab).locator(f'[data-testid="gate-{gate}"]') for gate in gates]
    return [gate.get_attribute("data-passed") for gate in found]


def expected(choice: str, lifted: bool) -> BuildReport:
    """Return the report of the same build, made by the library itself."""
    return labkit.build(chosen_variant(choice, lifted))


def test_run_all_reaches_the_last_cell(ran: Any) -> None:
    counts = ran.execution_counts()
    assert all(counts), counts
    assert counts == sorted(counts)
    assert ran.page.locator(".jp-OutputArea-output[data-mime-type*='stderr']").count() == 0


def test_the_check_finds_this_machine_able(ran: Any) -> None:
    check = cell_with(ran, "labkit.check()").locator('[data-testid="check"]')
    assert check.get_attribute("data-ok") == "true"


def test_the_toggle_is_in_reach_of_the_first_screen(ran: Any) -> None:
    """Of what stands above it, the source of three structs is the longest."""
    top = ran.page.locator(".jp-Notebook .jp-Cell").first.bounding_box()
    toggle = switch(ran).get_by_role("button", name=BAD, exact=True).bounding_box()
    assert top and toggle
    assert toggle["y"] - top["y"] < 2 * 900  # two screens


def test_a_question_is_answered_by_a_click_and_not_before(ran: Any) -> None:
    cell = panel_in(ran, "A frame of exactly 512")
    state = cell.locator('[data-testid="state"]')
    assert state.get_attribute("data-state") == "open"
    assert cell.locator('[data-testid="prediction"]').count() == 0
    assert "measured is" not in cell.inner_text()
    right = notebook.who_refuses(512)
    cell.get_by_role("button", name="both", exact=True).click()
    cell.locator('[data-testid="state"][data-state="wrong"]').wait_for(timeout=60_000)
    said = f"not quite: you said both; measured is {right}"
    assert said in cell.locator('[data-testid="prediction"]').inner_text()
    cell.get_by_role("button", name=right, exact=True).focus()
    ran.page.keyboard.press("Enter")
    cell.locator('[data-testid="state"][data-state="right"]').wait_for(timeout=60_000)


def test_a_guess_about_a_build_shows_the_build(ran: Any) -> None:
    cell = panel_in(ran, "1568 bytes of stack, past the compiler")
    lifted = expected("stack", True)
    cell.get_by_role("button", name=notebook.VERDICTS[0], exact=True).click()
    cell.locator('[data-testid="prediction"]').wait_for(timeout=60_000)
    verdict = cell.locator('[data-testid="verdict"]')
    assert verdict.get_attribute("data-outcome") == lifted.outcome


def test_the_toggle_from_bad_over_lifted_to_good(ran: Any) -> None:
    bad, lifted, good = expected("stack", False), expected("stack", True), expected("percpu", True)
    wait_for_state(ran, "stack", bad.outcome)
    assert passed(ran) == ["no", "never"]
    assert "BPF stack limit" in switch(ran).locator('[data-testid="matters"]').inner_text()

    switch(ran).get_by_label(LIFT).check()
    wait_for_state(ran, "stack_lifted", lifted.outcome)
    assert passed(ran) == ["yes", "no"]
    fatal = lifted.verifier_log.fatal
    assert fatal
    assert fatal.body in switch(ran).locator('[data-testid="matters"]').inner_text()

    switch(ran).get_by_role("button", name=GOOD, exact=True).click()
    wait_for_state(ran, "percpu", good.outcome)
    assert passed(ran) == ["yes", "yes"]
    assert switch(ran).locator('[data-testid="matters"]').count() == 0
    assert bad.versions["kernel"] in switch(ran).locator('[data-testid="versions"]').inner_text()


def test_ten_fast_clicks_end_with_the_last_one(ran: Any) -> None:
    bad, good = (switch(ran).get_by_role("button", name=name, exact=True) for name in (BAD, GOOD))
    for click in range(10):
        (bad, good)[click % 2].click()
    wait_for_state(ran, "percpu", expected("percpu", False).outcome)
    verdict = switch(ran).locator('[data-testid="verdict"]')
    assert verdict.inner_text().startswith("✔ percpu")
    ran.page.wait_for_timeout(1500)
    assert verdict.inner_text().startswith("✔ percpu")


def test_the_slider_asks_both_gates(ran: Any) -> None:
    cell = panel_in(ran, "notebook.limit_finder()")
    readout = cell.locator(".widget-readout")
    readout.click()
    ran.page.keyboard.press("Control+A")
    ran.page.keyboard.type("512")
    ran.page.keyboard.press("Enter")
    for gate in ("compiler", "verifier"):
        verdict = cell.locator(f'[data-testid="limit-{gate}"][data-size="512"]')
        verdict.wait_for(timeout=60_000)
        word = (
            "lets it through" if labkit.notebook.largest_frame(gate).size >= 512 else "refuses it"
        )
        assert word in verdict.inner_text()


def test_nothing_is_wider_than_the_page(ran: Any) -> None:
    wide = ran.page.evaluate(
        """() => [...document.querySelectorAll('.jp-OutputArea-output .lab')]
            .filter((part) => part.scrollWidth > part.clientWidth + 2)
            .map((part) => part.innerText.slice(0, 80))"""
    )
    assert wide == []


def test_after_a_reload_the_toggle_still_answers(ran: Any) -> None:
    ran.save_and_reload()
    before = switch(ran).locator('[data-testid="state"]').get_attribute("data-question")
    name, variant = (BAD, "stack") if before == "percpu" else (GOOD, "percpu")
    switch(ran).get_by_role("button", name=name, exact=True).click()
    if variant == "stack":
        switch(ran).get_by_label(LIFT).set_checked(False)
    wait_for_state(ran, variant, labkit.build(variant).outcome)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_pictures_in_both_themes(ran: Any, pictures: Path, theme: str) -> None:
    ran.theme(theme)
    name = theme.split()[1].lower()
    cells = {
        "structs-in-c": cell_with(ran, "struct_definitions()"),
        "switch": switch(ran),
        "check": cell_with(ran, "labkit.check()"),
        "structs": cell_with(ran, "plots.struct_sizes()"),
        "sources": cell_with(ran, 'side_by_side("stack", "percpu")'),
        "lifting": cell_with(ran, 'side_by_side("stack", "stack_lifted")'),
        "question": cell_with(ran, "A frame of exactly 512"),
        "verifier": cell_with(ran, "first_refused("),
        "frame": cell_with(ran, "stack_snapshot(refused)"),
        "slider": cell_with(ran, "notebook.limit_finder()"),
        "search": cell_with(ran, "limit_search(compiler"),
    }
    ran.page.set_viewport_size({"width": 1280, "height": 1500})
    for shot, cell in cells.items():
        path = pictures / f"01-{shot}-{name}.png"
        cell.scroll_into_view_if_needed()
        cell.screenshot(path=path)
        assert path.stat().st_size > 2000


def test_a_link_opens_the_program_it_names(ran: Any) -> None:
    ran.page.locator(".jp-RenderedMarkdown a", has_text="bpf/exec_events.c").first.click()
    try:
        line = ran.page.locator(".jp-FileEditor .cm-line", has_text="-DBAD_EXAMPLE_STACK takes")
        line.first.wait_for(timeout=60_000)
    finally:  # the other tests are about the notebook
        ran.open("01_stack_limit.ipynb")


def test_after_a_restart_everything_runs_again(ran: Any) -> None:
    ran.restart_kernel()
    ran.run_all()
    assert ran.execution_counts()[0] == 1
    assert all(ran.execution_counts())
    wait_for_state(ran, "stack", expected("stack", False).outcome)
