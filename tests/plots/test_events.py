"""Pictures of runs: each tells the account, none chokes on a name, an empty run says that it is."""

from __future__ import annotations

import dataclasses
import io
import warnings
from html.parser import HTMLParser
from pathlib import Path

import made_runs
import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure

from labkit.plots import events as plots
from labkit.show.run import run_html

PICTURES = [
    plots.events_per_cpu,
    plots.timeline,
    plots.busiest,
    plots.rate,
]
NASTY = [
    b"$\\alpha$",
    b"$",
    b"\\$x",
    b"a_b^c",
    b"\xff" * 15,
    "日本".encode(),
    b"<b>&",
    b"",
    b"%s{}",
]


def drawn(picture, run):
    """Draw on a figure of its own; a warning (a glyph that is missing, say) is a failure."""
    axes = Figure().subplots()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        returned = picture(run, axes)
        axes.figure.savefig(io.BytesIO(), format="png")
    assert returned is axes
    return axes


def words(axes) -> str:
    return " ".join(text.get_text() for text in axes.findobj(mpl.text.Text))


@pytest.mark.parametrize("picture", PICTURES)
def test_each_picture_carries_the_account(picture) -> None:
    axes = drawn(picture, made_runs.make_run(failed=5))
    assert "7 attempted, 2 delivered, 5 failed" in axes.get_title(loc="left")


@pytest.mark.parametrize("picture", PICTURES)
def test_an_account_that_does_not_balance_is_said(picture) -> None:
    run = made_runs.make_run(counters=made_runs.counters((9, 9, 0), (1, 1, 0)))
    assert "8 NOT ACCOUNTED FOR" in words(drawn(picture, run))


@pytest.mark.parametrize("picture", PICTURES)
def test_a_refused_run_says_so(picture) -> None:
    said = words(drawn(picture, made_runs.refused_run()))
    assert "no events" in said
    assert "nothing was attached: the compiler refused it" in said


@pytest.mark.parametrize("picture", PICTURES)
def test_a_quiet_run_says_so(picture) -> None:
    said = words(drawn(picture, made_runs.make_run([])))
    assert "no events" in said
    assert "0 attempted, 0 delivered, 0 failed" in said


@pytest.mark.parametrize("picture", PICTURES)
def test_a_dead_worker_leaves_the_account_unknown(picture) -> None:
    said = words(drawn(picture, made_runs.dead_run()))
    assert "2 delivered; attempted and failed not known" in said


@pytest.mark.parametrize("picture", PICTURES)
def test_no_name_is_too_strange(picture) -> None:
    made = [made_runs.record(comm=name, filename=name) for name in NASTY]
    drawn(picture, made_runs.make_run(made))


@pytest.mark.parametrize("name", ["$x$", "a$b", "$", "100% _^{}"])
def test_a_name_is_text_and_no_mathematics(name: str) -> None:
    assert mpl.cbook.is_math_text(plots.drawable(name)) is False
    assert plots.drawable(name).replace(r"\$", "$") == name  # as matplotlib draws it


def test_bars_are_what_was_delivered() -> None:
    run = made_runs.make_run([made_runs.record(cpu=1)] * 4, cpus=3)
    heights = [bar.get_height() for bar in drawn(plots.events_per_cpu, run).patches[:3]]
    assert heights == [0, 4, 0]


def test_failed_has_more_than_a_colour() -> None:
    axes = drawn(plots.events_per_cpu, made_runs.make_run(failed=5))
    assert [bar.get_hatch() for bar in axes.patches] == [None, None, "//", "//"]
    assert "1 and 5 failed" in words(axes)


def test_each_event_is_a_stroke_in_its_lane() -> None:
    second = made_runs.SECOND
    made = [made_runs.record(cpu=1, timestamp=second), made_runs.record(timestamp=3 * second)]
    sound, unsound = drawn(plots.timeline, made_runs.make_run(made)).lines
    assert sorted(zip(sound.get_xdata(), sound.get_ydata(), strict=True)) == [(0, 1), (2, 0)]
    assert len(unsound.get_xdata()) == 0


def test_an_event_that_failed_its_check_has_a_mark_of_its_own() -> None:
    torn = bytearray(made_runs.record())
    torn[32] ^= 1  # data[0]
    axes = drawn(plots.timeline, made_runs.make_run([bytes(torn)]))
    assert len(axes.lines[1].get_xdata()) == 1
    assert "data check FAILED" in words(axes)


def test_the_busiest_command_is_on_top() -> None:
    made = [made_runs.record(comm=b"often")] * 3 + [made_runs.record(comm=b"seldom")]
    axes = drawn(plots.busiest, made_runs.make_run(made))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["seldom", "often"]


def test_the_rate_adds_up_to_the_events() -> None:
    made = [made_runs.record(timestamp=n * made_runs.SECOND // 10) for n in range(1, 31)]
    axes = drawn(plots.rate, made_runs.make_run(made))
    values, edges, _ = axes.patches[0].get_data()
    assert sum(values * (edges[1:] - edges[:-1])) == pytest.approx(30)


def test_many_cpus_do_not_fill_the_axis_with_numbers() -> None:
    run = made_runs.make_run([made_runs.record(cpu=200)], cpus=256)
    for picture in (plots.events_per_cpu, plots.timeline):
        axes = drawn(picture, run)
        assert min(len(axes.get_xticks()), len(axes.get_yticks())) <= 16


def test_cpus_are_told_by_their_ids_where_there_are_holes() -> None:
    account = pd.DataFrame(
        {"attempted": [3, 1], "submitted": [3, 0], "failed": [0, 1], "delivered": [3, 0]},
        index=pd.Index([0, 8], name="cpu"),
    )
    frame = pd.DataFrame({"cpu": [0, 0, 0], "timestamp": [1, 2, 3], "data_ok": True})
    bars = drawn(plots.events_per_cpu, plots.Events(frame, account))
    assert [label.get_text() for label in bars.get_xticklabels()] == ["0", "8"]
    assert [bar.get_height() for bar in bars.patches] == [3, 0, 0, 1]
    lanes = drawn(plots.timeline, plots.Events(frame, account))
    assert [label.get_text() for label in lanes.get_yticklabels()] == ["0", "8"]


def test_an_event_of_a_cpu_that_the_account_does_not_know_is_drawn() -> None:
    account = pd.DataFrame(
        {"attempted": [0], "submitted": [0], "failed": [0], "delivered": [0]},
        index=pd.Index([0], name="cpu"),
    )
    frame = pd.DataFrame({"cpu": [9], "timestamp": [1], "data_ok": True})
    (stroke, _) = drawn(plots.timeline, plots.Events(frame, account)).lines
    assert list(stroke.get_ydata()) == [1]


def test_of_240_cpus_only_those_that_saw_something_are_drawn() -> None:
    made = [made_runs.record(cpu=200), made_runs.record(cpu=7)]
    axes = drawn(plots.events_per_cpu, made_runs.make_run(made, cpus=240))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["7", "200"]
    assert "238 more saw nothing" in axes.get_xlabel()


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, _attributes) -> None:
        self.tags.add(tag)

    def handle_data(self, data) -> None:
        self.text += data


def read(html: str) -> Tags:
    parser = Tags()
    parser.feed(html)
    return parser


def test_the_view_of_a_run_escapes_what_strangers_wrote() -> None:
    made = [made_runs.record(comm=b"<script>x", filename=b"/tmp/<img src=x onerror=y>&amp;")]
    page = read(run_html(made_runs.make_run(made)))
    assert not {"script", "img"} & page.tags
    assert "/tmp/<img src=x onerror=y>&amp;" in page.text


def test_the_view_of_a_run_tells_the_account() -> None:
    page = read(run_html(made_runs.make_run(failed=2)))
    assert "2 failed, each one counted" in page.text
    assert "Linux 6.1.0" in page.text


def test_the_view_of_a_refused_run_is_the_refusal() -> None:
    page = read(run_html(made_runs.refused_run()))
    assert "nothing was attached" in page.text
    assert "the compiler refused it" in page.text
    assert "error: <stack> limit" in page.text


def test_the_view_of_a_run_whose_worker_died_says_so() -> None:
    assert "the worker died" in read(run_html(made_runs.dead_run())).text


def test_the_view_of_a_run_tells_why_it_ended_early_and_where_its_events_are() -> None:
    full = read(run_html(made_runs.make_run(problem="No space left on device")))
    assert "ended before its time (No space left on device); 0 events" in full.text
    dead = read(run_html(dataclasses.replace(made_runs.dead_run(), file=Path("results/a.run"))))
    assert "the events are kept in results/a.run" in dead.text
