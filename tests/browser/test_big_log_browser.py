"""A log of more than 16 MB, real, in the page: it neither freezes it nor is cut in silence."""

from __future__ import annotations

import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.timeout(300)]

BIG = 16 << 20  # bytes
LONGEST_FREEZE = 1.0  # seconds for which a page may not answer because of the log
# Each coin doubles the paths, and no path ends like another, so the verifier walks them all. The
# last one, on which no coin shows heads, is the one that is refused.
COINS = 13
SOURCE = """
struct bytes { u8 at[32768]; };
BPF_PERCPU_ARRAY(slot, struct bytes, 1);
int many_paths(void *ctx)
{
	u32 zero = 0;
	struct bytes *bytes = slot.lookup(&zero);
	u64 sum = 0;
	if (!bytes)
		return 0;
#pragma unroll
	for (int i = 0; i < COINS; i++)
		if (bpf_get_prandom_u32() & 1)
			asm volatile("%0 += %1" : "+r"(sum) : "i"(1 << i));
	bytes->at[sum & 32767] = 1;
	if (sum == 0)
		*(volatile u64 *)sum = 1;
	return 0;
}
"""
CELLS = (
    f"SOURCE = {SOURCE!r}",
    f"""import hashlib, json
import labkit
from labkit import notebook
from labkit.program.variants import Variant
report = labkit.build(Variant("many_paths", SOURCE, "", defines=("COINS={COINS}",)))
whole = report.verifier_text.encode()
fatal = report.verifier_log.fatal
print(json.dumps(dict(bytes=len(whole), digest=hashlib.sha256(whole).hexdigest(),
                      lines=whole.count(b"\\n"), outcome=report.outcome, fatal=fatal.body,
                      saved=str(report.save_logs()[-1]))))""",
    "report",
    "notebook.stack_stepper(report)",
)
# Counts how long the page's own thread is busy in one go, from before the cells run; and how long
# a thread beside it, that does nothing, gets no turn, since the machine has other work too.
WATCH = """() => {
    const watch = (tell) => {
        let longest = 0, last = performance.now();
        const look = () => {
            const now = performance.now();
            if (now - last > longest)
                tell(longest = now - last);
            last = now;
            setTimeout(look, 10);
        };
        look();
    };
    window.labLongest = window.labBeside = 0;
    watch((longest) => { window.labLongest = longest; });
    const script = `(${watch})((longest) => postMessage(longest))`;
    window.labWorker = new Worker(URL.createObjectURL(new Blob([script])));
    window.labWorker.onmessage = (event) => { window.labBeside = event.data; };
}"""


@pytest.fixture(scope="module")
def facts(lab: Any, server: Any) -> dict[str, Any]:
    """The notebook, run to its end; what its kernel knows of the log, and what the page felt."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    path = server.folder / "notebooks" / "big_log.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3"}
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(book, path)
    lab.open(path.name)
    before = seconds_to_type(lab, "# a")
    lab.page.evaluate(WATCH)
    started = time.monotonic()
    lab.run_all(240)
    lab.page.locator('[data-testid="matters"]').first.wait_for(timeout=60_000)
    told = json.loads(output(lab, 1).inner_text())
    ran = time.monotonic() - started
    longest, beside = lab.page.evaluate("() => [window.labLongest / 1e3, window.labBeside / 1e3]")
    return {**told, "longest": longest, "beside": beside, "ran": ran, "typed_before": before}


def seconds_to_type(lab: Any, comment: str) -> float:
    """Write a comment behind the last cell's code; return how long it took to be there."""
    cell = lab.page.locator(".jp-CodeCell").last
    cell.locator(".cm-content").click()
    started = time.monotonic()
    lab.page.keyboard.press("End")
    lab.page.keyboard.type(comment)
    cell.get_by_text(comment).wait_for(timeout=30_000)
    return time.monotonic() - started


def output(lab: Any, number: int) -> Any:
    return lab.page.locator(".jp-CodeCell").nth(number).locator(".jp-Cell-outputArea")


def test_the_log_is_as_big_as_promised(facts: dict[str, Any]) -> None:
    assert facts["bytes"] >= BIG
    assert facts["outcome"] == "verifier_refused"


def test_the_page_never_froze(facts: dict[str, Any]) -> None:
    pauses = f"{facts['longest']:.3f} s, of a thread beside it: {facts['beside']:.3f} s"
    print(f"run all: {facts['ran']:.1f} s; the longest pause of the page: {pauses}")
    assert facts["beside"] > 0
    assert facts["longest"] - facts["beside"] < LONGEST_FREEZE


def test_it_answers_the_keyboard_at_once(lab: Any, facts: dict[str, Any]) -> None:
    assert seconds_to_type(lab, "# b") < facts["typed_before"] + LONGEST_FREEZE


def test_the_line_that_matters_is_in_sight(lab: Any, facts: dict[str, Any]) -> None:
    marked = output(lab, 2).locator('[data-testid="matters"]')
    assert facts["fatal"] in marked.inner_text()
    assert marked.is_visible()


def test_what_is_not_on_the_page_is_said_and_is_in_a_file(lab: Any, facts: dict[str, Any]) -> None:
    shown = output(lab, 2).text_content()
    assert f"{facts['lines']:,} lines" in shown
    assert f"{facts['bytes']:,} bytes" in shown
    missing = re.search(r"\[lines ([\d,]+)–([\d,]+) are not on this page", shown)
    assert missing is not None
    first, last = (int(number.replace(",", "")) for number in missing.groups())
    assert 0 < first < last < facts["lines"]
    assert "report.save_logs()" in shown
    whole = Path(facts["saved"]).read_bytes()
    assert len(whole) == facts["bytes"]
    assert hashlib.sha256(whole).hexdigest() == facts["digest"]


def test_the_page_holds_little_of_it(lab: Any, facts: dict[str, Any]) -> None:
    assert output(lab, 2).evaluate("(area) => area.innerHTML.length") < BIG / 8


def test_the_stepper_goes_through_it_by_the_arrow_keys(lab: Any, facts: dict[str, Any]) -> None:
    area = output(lab, 3)
    step = area.locator('[data-testid="step"]')
    refused = int(step.get_attribute("data-step"))
    assert refused > 50_000
    area.locator(".lab-stepper .noUi-handle, .lab-stepper [role=slider]").first.focus()
    started = time.monotonic()
    lab.page.keyboard.press("ArrowLeft")
    area.locator(f'[data-testid="step"]:not([data-step="{refused}"])').wait_for(timeout=30_000)
    assert int(step.get_attribute("data-step")) < refused
    assert time.monotonic() - started < 10
