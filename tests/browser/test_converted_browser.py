"""What nbconvert makes of the notebooks, read where no network answers: HTML of each, and a PDF."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHROMIUM = "/usr/bin/chromium"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.timeout(420),
]


def convert(kind: str, notebook: Path, folder: Path, **more: str) -> Path:
    """Convert as a reader would type it; return the file."""
    words = [
        "-m",
        "nbconvert",
        "--to",
        kind,
        "--execute",
        str(notebook),
        "--output-dir",
        str(folder),
    ]
    options = ["--ExecutePreprocessor.timeout=300"]
    options += ["--disable-chromium-sandbox"] if kind == "webpdf" else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    done = subprocess.run(
        [sys.executable, *words, *options], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Alternative text is missing" not in done.stderr
    (made,) = folder.glob(f"{notebook.stem}.*")
    return made


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name)
def offline(request: pytest.FixtureRequest, browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The HTML of a notebook in a page that reaches nothing."""
    made = convert("html", request.param, tmp_path)
    context = browser.new_context(viewport={"width": 1024, "height": 900}, offline=True)
    page = context.new_page()
    page.goto(made.as_uri())
    page.panels = len(re.findall(r"lab-panel-\w+-copy\"", made.read_text("utf-8")))
    yield page
    context.close()


def test_verdicts_logs_and_pictures_need_no_network(offline: Any) -> None:
    pictures = offline.evaluate(
        "() => [...document.images].map((one) => [one.alt, one.naturalWidth, one.offsetWidth])"
    )
    assert all(alt and natural and shown for alt, natural, shown in pictures), pictures
    copies = offline.get_by_test_id("not-live")
    assert copies.count() == copies.locator("visible=true").count() == offline.panels
    for kind in ("verdict", "matters", "stack", "account"):
        found = offline.locator(f'[data-testid="{kind}"], [data-copy="{kind}"]')
        hidden = [one for one in found.all() if not one.is_visible() and not folded_away(one)]
        assert not hidden, kind


def folded_away(element: Any) -> bool:
    return bool(element.evaluate("(one) => Boolean(one.closest('details:not([open])'))"))


def test_a_pdf_is_made_with_the_distributions_chromium(tmp_path: Path) -> None:
    """nbconvert asks for Playwright's own Chromium; a link in its folder stands for it."""
    small = {
        "cells": [
            cell("import labkit; labkit.plots.struct_sizes();"),
            cell("labkit.variant_switch()"),
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = tmp_path / "small.ipynb"
    path.write_text(json.dumps(small))
    wanted = browser_that_playwright_wants(tmp_path / "browsers")
    wanted.parent.mkdir(parents=True)
    wanted.symlink_to(CHROMIUM)
    folder = tmp_path / "made"
    folder.mkdir()
    made = convert("webpdf", path, folder, PLAYWRIGHT_BROWSERS_PATH=str(tmp_path / "browsers"))
    pdf = made.read_bytes()
    assert pdf.startswith(b"%PDF") and b"/Subtype /Image" in pdf


def cell(source: str) -> dict[str, Any]:
    words: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    return {**words, "id": f"c{len(source)}", "source": source}


def browser_that_playwright_wants(folder: Path) -> Path:
    """Where it looks for a headless Chromium, as it says itself when there is none."""
    script = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as p: p.chromium.launch()"
    )
    environment = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    found = re.search(r"Executable doesn't exist at (\S+)", done.stderr)
    assert found, done.stderr[-2000:]
    return Path(found[1])
