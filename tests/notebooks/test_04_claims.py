"""Notebook 04 on the live kernel: a verdict for each claim, and the ways out with their costs."""

from __future__ import annotations

from collections.abc import Iterator

import executed
import pytest
import words
from executed import Executed

from labkit.claims import CLAIMS, VERDICTS
from labkit.program import alternatives

NAME = "04_claims.ipynb"
MOST_SECONDS = 240  # on two cores that others use as well

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(2 * MOST_SECONDS)]

RESULTS = {
    "nest": "nested",
    "lines": "lines",
    "cost": "costs",
    "copy": "copied",
    "stale": "stale",
    "cap": "cap",
    "memory": "taken",
    "check": "unchecked",
    "chain": "chains",
    "loss": "losses",
    "speed": "fast",
}
DRAWN = {"nest", "lines", "cost", "copy", "stale", "memory", "chain", "loss"}


def test_it_links_to_the_programs_it_shows_and_to_who_said_what() -> None:
    links = words.links(NAME)
    programs = ("nesting", "contention", "zero_copy", "stale_bytes", "null_check", "loss")
    assert {f"../bpf/claims/{program}.c" for program in programs} <= {*links}
    assert {"02_percpu_array.ipynb", "05_exercises.ipynb"} <= {*links}
    said = {one.said_by.link for one in CLAIMS.values() if one.said_by}
    assert len(said & {*links}) >= 3


@pytest.fixture(scope="module")
def ran() -> Iterator[Executed]:
    """The notebook after a run of all its cells, its kernel still there to be asked."""
    with executed.executed(NAME, timeout=MOST_SECONDS) as notebook:
        yield notebook


def test_run_all_ends_by_itself_in_time(ran: Executed) -> None:
    counts = [cell.execution_count for cell in ran.cells.values() if cell.cell_type == "code"]
    assert None not in counts
    assert ran.seconds < MOST_SECONDS
    wrong = [o for o in ran.outputs() if o.output_type == "error" or o.get("name") == "stderr"]
    assert not wrong


def test_all_claims_are_named(ran: Executed) -> None:
    assert ran.text("true-names").strip().split(", ") == list(CLAIMS)


@pytest.mark.parametrize("cell", RESULTS)
def test_each_claim_has_a_verdict_and_is_in_the_last_table(ran: Executed, cell: str) -> None:
    verdict, why = ran.value(f"({RESULTS[cell]}.verdict, {RESULTS[cell]}.why)")
    assert verdict in VERDICTS
    told = " ".join(ran.shown("all").split())
    assert " ".join(f"{verdict.upper()}: {why}".split()) in told
    assert ("image/png" in ran.kinds(cell)) == (cell in DRAWN)


def test_the_last_table_tells_every_claim(ran: Executed) -> None:
    shown = ran.shown("all", "text/html")
    assert all(f">{name}</b>" in shown for name in CLAIMS)
    assert "not measured yet" not in shown


def test_of_the_sizes_that_were_tried_the_decisive_ones_are_shown(ran: Executed) -> None:
    if ran.value("cap.measured is None"):
        pytest.skip(ran.value("cap.why"))
    assert ran.shown("cap", "text/html").count("Argument list too long") <= 3
    assert ran.value("len(cap.summary)") <= 2 < ran.value("len(cap.measured)")


def test_nothing_raw_is_shown(ran: Executed) -> None:
    assert [hit for output in ran.outputs() for hit in words.raw(output)] == []


def test_the_ways_out_are_told_with_what_was_measured(ran: Executed) -> None:
    shown = ran.shown("gallery", "text/html")
    for way in alternatives.WAYS.values():
        assert f"../bpf/alternatives/{way.path.name}" in shown
    ours = ran.value("round(costs.measured.groupby('way').ns_per_event.median().percpu_array)")
    assert f"<td>{ours}</td>" in shown


def test_a_run_by_another_way_balances(ran: Executed) -> None:
    assert "none lost, each one counted" in ran.shown("gallery-collect", "text/html")


@pytest.mark.parametrize(
    ("cell", "choices"),
    [
        ("guess-within", ["no", "yes"]),
        ("guess-cost", ["percpu_array", "ringbuf_reserve", "hash_by_task"]),
    ],
)
def test_a_guess_is_answered_with_what_was_measured(
    ran: Executed, cell: str, choices: list[str]
) -> None:
    assert ran.still_asks(cell)
    ran.do(ran.cells[cell].source.replace("notebook.predict", "guessed = notebook.predict"))
    assert ran.value("list(guessed.choices)") == choices
    ran.do(f"guessed.guess({choices[0]!r})")
    assert ran.value("guessed.measured.value") in [*choices, *VERDICTS]
    assert ran.value("guessed.right") == (ran.value("guessed.measured.value") == choices[0])
