"""Answers to the notebooks' questions follow from what is measured, whatever that is."""

from __future__ import annotations

import made_runs
import pandas as pd
import pytest

from labkit import claims, notebook
from labkit.claims.claim import FALSE, HALF_TRUE, NOT_HERE, TRUE, Result
from labkit.notebook.questions import OLDER, ZEROS

CHOICES = ("always", "never", "it depends")


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [(TRUE, "always"), (FALSE, "never"), (HALF_TRUE, "it depends"), (NOT_HERE, NOT_HERE)],
)
def test_a_verdict_stands_for_a_choice_or_for_itself(verdict: str, expected: str) -> None:
    result = Result(claims.null_check, verdict, "of it.")
    answer = notebook.by_verdict(lambda: result, *CHOICES)
    assert answer().value == expected
    assert answer().evidence is result


def costs(**medians: float) -> Result:
    table = pd.DataFrame(medians.items(), columns=["way", "ns_per_event"]).assign(round=0)
    return Result(claims.cost, NOT_HERE, "of it.", table)


def test_the_cheapest_is_found_among_those_asked_for() -> None:
    result = costs(nothing=1.0, percpu_array=400.0, ringbuf_reserve=300.0)
    among = ("percpu_array", "ringbuf_reserve", "task_storage")
    found = notebook.cheapest(lambda: result, among)()
    assert found.value == "ringbuf_reserve"
    assert found.why == "Median ns per event: ringbuf_reserve 300, percpu_array 400."


def test_where_nothing_was_timed_nothing_is_cheapest() -> None:
    nothing = Result(claims.cost, NOT_HERE, "no statistics here.")
    for result in (nothing, costs(nothing=1.0)):
        assert notebook.cheapest(lambda told=result: told, ("percpu_array",))().value == NOT_HERE


def test_what_is_behind_a_name_is_read_from_the_events() -> None:
    dirty = made_runs.make_run([made_runs.record(left_over=b"thon3"), made_runs.record()])
    told = notebook.behind_names(dirty)()
    assert (told.value, told.why) == (OLDER, "1 of 2 events have something there.")
    assert repr(told.evidence) == "text  events\nthon3  1"
    assert "thon3</" in told.evidence._repr_html_()
    assert notebook.behind_names(made_runs.make_run([made_runs.record()]))().value == ZEROS
