"""What each picture shows, in words: from the data that was drawn, and as its image's text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import made_runs
import pandas as pd
import pytest
from made_records import made_up
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labkit import claims, plots, verifier_log
from labkit.building.frame_size import Largest
from labkit.claims.claim import TRUE, Result
from labkit.plots import alt
from labkit.plots.overview import overview_png
from labkit.program.llvm_ir import Local
from labkit.show.pictures import figure_html, styled_html, table_html
from labkit.stack.variables import StackVariables
from labkit.survey import Comparison

LOGS = Path(__file__).parents[1] / "logs"
LAYOUT: Any = {
    name: {"name": name, "size": size, "fields": [{"name": "f", "offset": 0, "size": size}]}
    for name, size in (("big_event", 544), ("extra_buffer", 768), ("local_data", 256))
}
TAKEN = StackVariables("stack", (Local("big", "struct b", 544, None, 3),), "hand", 512)
FOUND = Largest("verifier", 512, ((1024, False), (512, True)))


def run() -> Any:
    return made_runs.make_run(
        [
            made_runs.record(cpu=0, comm=b"true"),
            made_runs.record(cpu=1, timestamp=3 * made_runs.SECOND, comm=b"<sh>"),
            made_runs.record(cpu=1, timestamp=3 * made_runs.SECOND, comm=b"<sh>"),
        ],
        failed=4,
    )


def lifted() -> Any:
    return verifier_log.parse((LOGS / "linux-6.18_llvm-14_stack_lifted.log").read_bytes())


# By the name under labkit.plots: how to draw it, and what must be among its words.
PICTURES: dict[str, tuple[Callable[[Axes], Any], list[str]]] = {
    "busiest": (lambda axes: plots.busiest(run(), axes), ["<sh> 2", "true 1"]),
    "events_per_cpu": (
        lambda axes: plots.events_per_cpu(run(), axes),
        ["CPU 0 1 and 4 failed", "CPU 1 2", "7 attempted, 3 delivered, 4 failed"],
    ),
    "limit_search": (
        lambda axes: plots.limit_search(FOUND, axes=axes),
        ["the verifier", "2 builds", "1024", "at most 512 bytes"],
    ),
    "percpu_array": (
        lambda axes: plots.percpu_array(LAYOUT, (0, 1, 5), axes),
        ["3 equal slots", "big_event 544 bytes", "1568 bytes"],
    ),
    "programs_by_machine": (
        lambda axes: plots.programs_by_machine(Comparison([made_up("6.1.0"), made_up()]), axes),
        ["percpu: accepted everywhere", "verifier refused on 6.1.0; accepted on 6.12.0"],
    ),
    "rate": (lambda axes: plots.rate(run(), axes), ["2.0 seconds", "2 on average", "40 in"]),
    "stack_snapshot": (
        lambda axes: plots.stack_snapshot(lifted(), axes=axes),
        ["refused it at instruction 15", "bytes at fp-544", "invalid write to stack"],
    ),
    "stack_variables": (
        lambda axes: plots.stack_variables(TAKEN, axes),
        ["big 544 bytes", "of 512: 32 too many"],
    ),
    "struct_sizes": (
        lambda axes: plots.struct_sizes(LAYOUT, axes, 512),
        ["extra_buffer 768 bytes", "together 1568 bytes, 1056 too many"],
    ),
    "timeline": (
        lambda axes: plots.timeline(run(), axes),
        ["2.0 seconds", "1 on CPU 0", "2 on CPU 1"],
    ),
}


@pytest.mark.parametrize("name", plots.__all__)
def test_each_picture_says_what_it_shows(name: str) -> None:
    draw, fragments = PICTURES[name]
    axes = Figure().subplots()
    assert draw(axes) is axes
    words = alt.alt_text(axes.figure)
    assert [part for part in fragments if part.lower() not in words.lower()] == [], words


def test_a_picture_of_nothing_says_so() -> None:
    empty = made_runs.make_run([])
    for draw in (plots.events_per_cpu, plots.timeline, plots.busiest, plots.rate):
        axes = Figure().subplots()
        draw(empty, axes)
        assert re.search(r"\bnone\b|no events|0 on average|0 attempted", alt.alt_text(axes.figure))


def test_a_claims_picture_tells_the_verdict_and_the_figures() -> None:
    result = Result(claims.CLAIMS["value_cap"], TRUE, "it ends at 32768 bytes")
    words = alt.alt_text(result.plot(Figure().subplots()).figure)
    assert words == f"“{result.claim}”: {TRUE}. it ends at 32768 bytes"


def test_many_cpus_are_counted_and_not_listed() -> None:
    assert alt.listed(f"CPU {cpu}" for cpu in range(100)).endswith("CPU 15 and 84 more")


def test_the_overview_brings_its_words_along() -> None:
    png, words = overview_png(run())
    assert png.startswith(b"\x89PNG")
    assert "CPU 0 1 and 4 failed" in words and "2 on CPU 1" in words


def test_a_figure_becomes_an_image_with_its_words_escaped() -> None:
    axes = Figure().subplots()
    alt.describe(axes, 'a "name" <b>\n  of   strangers')
    shown = figure_html(axes.figure)
    assert shown is not None and shown.startswith('<img src="data:image/png;base64,iVBOR')
    found = re.search(r'alt="([^"]*)"', shown)
    assert found and html.unescape(found[1]) == 'a "name" <b> of strangers'


def test_a_figure_of_somebody_else_stays_as_it_is() -> None:
    assert figure_html(Figure()) is None
    plt.close("all")


def test_a_table_has_scopes_a_caption_and_no_empty_heads() -> None:
    table = pd.DataFrame({"bytes": [544]}, index=pd.Index(["big <event>"], name="object"))
    table.attrs["caption"] = "sizes & more"
    shown = table_html(table)
    assert shown is not None
    assert "<caption>sizes &amp; more</caption>" in shown
    assert not re.search(r"<th[^>]*>\s*</th>", shown)
    assert '<th scope="col">bytes</th>' in shown
    assert '<th scope="row">big &lt;event&gt;</th>' in shown


def test_a_styled_table_has_them_too() -> None:
    table = pd.DataFrame({"bytes": [544]}, index=["big_event"])
    shown = styled_html(table.style)
    assert shown is not None and "&nbsp;</th>" not in shown
    assert len(re.findall(r"<th [^>]*scope=", shown)) == len(re.findall(r"<th\b", shown)) == 2
    assert styled_html(table.style.set_caption("mine")).count("<caption>") == 1
