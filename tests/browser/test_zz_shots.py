# ruff: noqa
from __future__ import annotations
import os
from pathlib import Path
import pytest

OUT = Path(os.environ["SHOTS"])
BOOKS = os.environ.get("BOOKS", "02_percpu_array.ipynb,04_claims.ipynb").split(",")
pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("book", BOOKS)
def test_shots(lab, book):
    OUT.mkdir(parents=True, exist_ok=True)
    lab.page.set_default_timeout(30_000)
    lab.open(book)
    lab.run_all(300)
    page = lab.page
    for click in os.environ.get("CLICKS", "").split("|"):
        if click:
            page.get_by_role("button", name=click, exact=True).first.click()
            page.wait_for_timeout(12000)
    for width in (1280, 1024):
        for theme in ("Light", "Dark"):
            lab.theme(f"JupyterLab {theme}")
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(500)
            h = page.evaluate(
                "() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].reduce((s,c)=>s+c.offsetHeight+8,0)"
            )
            page.set_viewport_size({"width": width, "height": int(h) + 400})
            page.wait_for_timeout(1000)
            page.screenshot(path=OUT / f"{book[:2]}-{width}-{theme}.png")
            print(book, width, theme, h)
            wider = page.evaluate("""() => [...document.querySelectorAll('.jp-OutputArea-output')]
            .filter((o) => o.scrollWidth > o.clientWidth + 2).map((o) => o.textContent.slice(0, 80) + o.scrollWidth + '/' + o.clientWidth)""")
            print("WIDER", wider)
    page.set_viewport_size({"width": 1280, "height": 900})
