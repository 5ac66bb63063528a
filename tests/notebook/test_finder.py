"""The slider of bytes: it shows what it stands at, asks one at a time, and shows what fails."""

from __future__ import annotations

from typing import Any

import pytest
from slow import Slow

import labkit
from labkit import notebook
from labkit.notebook.finder import LimitFinder


def below(edge: int) -> Any:
    return lambda size: {"compiler": size < edge, "verifier": size <= edge}


def test_the_slider_shows_what_it_stands_at():
    finder = LimitFinder(below(512))
    finder.slider.value = 512
    assert finder.builds.wait(5)
    assert finder.tried[512] == {"compiler": False, "verifier": True}
    assert 'data-testid="limit-compiler" data-size="512"' in finder.result.value
    assert "✘ refuses it" in finder.result.value
    assert "✔ lets it through" in finder.result.value
    said = "a frame of 512 bytes: the compiler refuses it, the verifier lets it through"
    assert repr(finder) == said
    assert 'data-state="done"' in finder.state.value
    assert "2 sizes tried so far" in finder.state.value


def test_one_size_is_one_size():
    finder = LimitFinder(below(512))
    finder.tried.clear()
    assert "; 1 size tried so far" in finder.shown(256, {"compiler": True, "verifier": True}).said


def test_a_slider_that_is_dragged_asks_one_at_a_time_and_about_the_last():
    slow = Slow()
    slow.go.set()
    finder = LimitFinder(lambda size: below(512)(slow(size)))
    slow.go.clear()
    slow.begun.clear()
    finder.slider.value = 264
    assert slow.begun.wait(5)
    for size in range(272, 1025, 8):
        finder.slider.value = size
    slow.go.set()
    assert finder.builds.wait(5)
    assert slow.asked == [256, 264, 1024]
    assert slow.most_at_once == 1


def test_an_error_of_the_slider_is_shown():
    def probe(size):
        if size > 300:
            raise labkit.LabError("lost <it>")
        return below(512)(size)

    finder = LimitFinder(probe)
    finder.slider.value = 400
    assert finder.builds.wait(5)
    assert "lost &lt;it&gt;" in finder.result.value
    assert 'data-state="failed"' in finder.state.value
    finder.slider.value = 264
    assert finder.builds.wait(5)
    assert 'data-state="done"' in finder.state.value


@pytest.mark.live
def test_the_slider_says_what_the_gates_say():
    finder = notebook.limit_finder()
    for size in (
        notebook.largest_frame("compiler").size,
        notebook.largest_frame("verifier").size + 8,
    ):
        finder.slider.value = size
        assert finder.builds.wait(60)
        report = notebook.probe_frame(size, "compiler")
        assert finder.tried[size]["compiler"] == report.gates[0].passed
        lifted = notebook.probe_frame(size, "verifier")
        assert finder.tried[size]["verifier"] == lifted.gates[1].passed
