"""What holds for every claim: its parts, its result in every form, and how an interrupt ends it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import kernel
import pandas as pd
import pytest
from markupsafe import escape

import labkit
from labkit import claims
from labkit.claims import CLAIMS, VERDICTS
from labkit.claims.claim import (
    FALSE,
    NOT_HERE,
    NOT_MEASURED,
    TRUE,
    Measured,
    Result,
    Results,
    Ruling,
    Source,
    claim,
)
from labkit.claims.measuring import Unmeasurable
from labkit.errors import MachineError, UsageError
from labkit.plots import claims as pictures
from labkit.show.claims import results_text
from tools import processes


def judge_made(table: pd.DataFrame) -> Ruling:
    """Rule that is made up.

    True if the number is above 1.
    """
    return Ruling(TRUE if table.n.iloc[0] > 1 else FALSE, f"it is {table.n.iloc[0]}.")


@claim(
    "One <is> two.",
    judge_made,
    truth="False.",
    said_by=Source("<someone>", "https://example.org/1"),
)
def made(n: float = 1) -> Measured:
    """Return what it is given."""
    return Measured(pd.DataFrame({"n": [n]}), {"kernel": "6.0"})


@claim("Anything.", judge_made, truth="Not known.")
def nowhere() -> Measured:
    """Cannot."""
    raise Unmeasurable("no such <thing> here")


def test_a_claim_measures_and_judges():
    result = made()
    assert (result.name, result.verdict, result.why) == ("made", FALSE, "it is 1.")
    assert made(n=2).verdict == TRUE
    assert result.of.rule == "Rule that is made up. True if the number is above 1."
    assert result.to_json() == {
        "name": "made",
        "claim": "One <is> two.",
        "said_by": {"who": "<someone>", "link": "https://example.org/1"},
        "verdict": FALSE,
        "why": "it is 1.",
        "rule": "Rule that is made up. True if the number is above 1.",
        "measured": [{"n": 1}],
        "versions": {"kernel": "6.0"},
        "files": [],
    }
    assert "One &lt;is&gt; two." in result._repr_html_()


@pytest.mark.parametrize("width", range(40, 80))
def test_no_word_is_broken_at_its_hyphen(width):
    """A terminal's line may end anywhere; per-CPU and what else is one word is found as that."""
    why = "when all CPUs write, a run takes +4 ns per-CPU, +10 ns shared."
    text = results_text(Results([Result(claims.cost, NOT_HERE, why)]), width)
    assert why in " ".join(text.split())
    assert claims.cost.sentence in " ".join(text.split())


def test_numbers_are_shown_without_a_tail():
    assert "<td>2.5</td>" in made(n=2.5)._repr_html_()
    assert "<td>9.34</td>" in made(n=9.3356811499998)._repr_html_()
    assert "<td>402</td>" in made(n=402.0)._repr_html_()


def test_yes_and_no_are_words_and_what_is_not_known_a_dash():
    table = pd.DataFrame({"accepted": [True, False], "checked": [True, False], "n": [1.0, None]})
    shown = Result(made, TRUE, "of it.", table)._repr_html_()
    for words in ("verdict", "accepted", "refused", "yes", "no", "–"):
        assert f">{words}</" in shown
    for raw in ("True", "False", "nan", "None"):
        assert f">{raw}</td>" not in shown


def test_who_said_it_is_named_with_a_link():
    link = '<a href="https://example.org/1">&lt;someone&gt;</a>'
    assert link in made()._repr_html_() and link in Results([made()])._repr_html_()
    assert "said by: <someone>, https://example.org/1" in repr(Results([made()]))
    assert "Said by" not in nowhere()._repr_html_()


def test_sources_are_addresses_that_can_be_opened():
    named = [one.said_by for one in CLAIMS.values() if one.said_by]
    assert len(named) >= 8
    assert all(source.who and re.fullmatch(r"https://\S+", source.link) for source in named)


def test_what_cannot_be_measured_is_a_result_too():
    result = nowhere()
    assert (result.verdict, result.why) == (NOT_HERE, "no such <thing> here")
    assert result.measured is None and result.to_json()["measured"] == []
    assert result.plot().texts[0].get_text() == result.why
    assert "&lt;thing&gt;" in result._repr_html_()


@claim("Anything else.", judge_made, truth="Not known.")
def broken() -> Measured:
    """Has a defect."""
    raise KeyError("recursion_misses")


@pytest.fixture
def three(monkeypatch):
    """Three claims, the second of which has a defect."""
    mine = {"made": made, "broken": broken, "nowhere": nowhere}
    monkeypatch.setattr(claims, "CLAIMS", mine)
    return mine


def test_a_claim_with_a_defect_does_not_end_the_others(three):
    results = claims.prove()
    assert [result.name for result in results] == list(three)
    assert results["made"].verdict == FALSE
    told = results["broken"]
    assert (told.verdict, told.measured) == (NOT_HERE, None)
    assert told.why.startswith("a defect: KeyError at test_claim.py:")
    assert told.why.endswith("'recursion_misses'")
    assert claims.compare(told)["broken"] is told
    with pytest.raises(KeyError):
        claims.CLAIMS["broken"]()  # asked for alone, it ends as any other defect


def test_where_no_python_has_bcc_no_claim_is_told(three, monkeypatch):
    def without_bcc():
        raise MachineError("no bcc", "install it")

    monkeypatch.setitem(three, "broken", without_bcc)
    with pytest.raises(MachineError):
        claims.prove()


def test_every_claim_has_its_file_its_rule_its_picture_and_what_is_known():
    for name, one in CLAIMS.items():
        assert one.measure.__module__.startswith("labkit.claims.")
        assert one.sentence.endswith(".") and one.truth.endswith(".")
        assert one.rule.startswith("Rule for") and one.__doc__
        assert callable(getattr(pictures, name)) and getattr(claims, name) is one
        assert all(path.is_file() for path in one.files)


def test_programs_are_shown_as_they_stand_and_in_colour():
    (program,) = claims.loss.programs
    assert repr(program) == claims.loss.files[0].read_text("utf-8")
    shown = program._repr_html_()
    assert "loss.c" in shown and '<span class="k">' in shown


def test_an_unknown_name_is_a_usage_error_that_names_them_all():
    with pytest.raises(UsageError, match="full_speed"):
        claims.prove("perpetual motion")


@pytest.mark.live
@pytest.mark.slow  # without_jit is among what is quick; see its own test
def test_compare_measures_what_is_quick_and_keeps_what_is_given():
    given = claims.loss(calls=200)
    table = claims.compare(given)
    assert table["loss"] is given
    assert table["cost"].verdict == NOT_MEASURED and "claims.cost()" in table["cost"].why
    assert [result.name for result in table] == list(CLAIMS)
    quick = [name for name, one in CLAIMS.items() if one.quick]
    assert len(quick) >= 7 and all(table[name].verdict in VERDICTS for name in quick)
    assert list(table.table.columns) == ["name", "claim", "truth", "verdict", "why"]
    shown = table._repr_html_()
    assert all(escape(one.truth) in shown for one in CLAIMS.values())


@pytest.fixture(scope="module")
def proven():
    """All results of one run."""
    seen = []
    results = claims.prove(progress=lambda *told: seen.append(told))
    assert [told[0] for told in seen] == list(range(len(CLAIMS) + 1))
    assert seen[-1][2] == ""
    return results


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_tells_something_here(name, proven):
    result = proven[name]
    if name == "without_jit" and result.verdict == NOT_HERE:
        assert "JIT" in result.why
        return
    assert result.measured is not None and len(result.measured)
    assert result.versions["kernel"] == os.uname().release
    assert CLAIMS[name].judge(result.measured) == (result.verdict, result.why)
    assert result.plot().has_data() or result.plot().texts
    assert escape(result.claim) in result._repr_html_()


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_measured_figures_that_no_noise_can_change(proven):
    stale_events = proven["stale_bytes"].measured
    assert stale_events[stale_events.trigger == "exec"].events.min() > 0
    percpu = proven["across_cpus"].measured
    if percpu is not None:
        assert not percpu[percpu.scratch == "per-CPU"].torn.any()


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_text_and_json_tell_the_same(proven):
    text = results_text(proven, 100)
    rows = json.loads(json.dumps(proven.to_json()))
    assert [row["name"] for row in rows] == list(CLAIMS)
    assert all(row["verdict"] in VERDICTS for row in rows)
    assert all(row["name"] in text and row["verdict"].upper() in text for row in rows)
    assert max(map(len, text.splitlines()[:-1])) <= 100


# Whoever runs the tests may ignore SIGINT, as nohup does; a child inherits that.
INTERRUPTED = """
import labkit, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
try:
    labkit.claims.prove({name!r})
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("name", ["cost", "across_cpus", "stale_bytes"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupt_half_way_leaves_nothing_behind(name, how, tmp_path):
    words = [sys.executable, "-c", INTERRUPTED.format(name=name)]
    root = Path(labkit.__file__).parents[1]
    place = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(root)}
    process = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        text=True,
        env=place,
    )
    assert process.stdout.readline() == "ready\n"
    assert kernel.wait_until(lambda: len(kernel.programs(process.pid)) > 2, 30)
    ids, family = kernel.programs(process.pid), processes.tree(process.pid)
    process.send_signal(how)
    said = process.stdout.read()
    process.wait(10)
    assert how == signal.SIGKILL or said == "interrupted\n"
    assert kernel.gone(ids)
    assert kernel.wait_until(lambda: not [pid for pid in family if lives(pid)], 5)
    assert how == signal.SIGKILL or not list(tmp_path.iterdir())


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
