"""Recording this machine; and that one failing thing never ends a record."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
from made_records import made_up

from labkit import claims
from labkit.building.report import BuildReport
from labkit.claims.claim import VERDICTS
from labkit.errors import MachineError, UsageError
from labkit.machine import rights
from labkit.machine.stack_limit import measured
from labkit.notebook import other_kernels
from labkit.program.outcomes import ACCEPTED, OUTCOMES, VERIFIER_REFUSED
from labkit.program.variants import OBJECTS, VARIANTS, declared
from labkit.survey import facts, reading, recording
from labkit.survey.recording import Step, record
from labkit.survey.records import Program, Records

FEW = ["percpu", "stack", "null_check", "not_permitted"]


@pytest.mark.live
def test_a_short_record_of_this_machine(tmp_path):
    told: list[tuple] = []
    reports: list[BuildReport] = []
    made = record(
        lambda *words: told.append(words),
        claims=["memory"],
        programs=FEW,
        built=reports.append,
        name="mine",
    )
    assert [one.name for one in made.programs] == FEW == [one.variant for one in reports]
    for one in made.programs:
        assert one.outcome in OUTCOMES
        assert one.agrees is True, one
        assert one.problem == ""
    percpu, stack, null_check, not_permitted = made.programs
    assert percpu.outcome == ACCEPTED and percpu.instructions and percpu.stack_depth
    assert (stack.gate, null_check.gate, not_permitted.gate) == ("compiler", "verifier", "machine")
    assert "map_value_or_null" in null_check.message
    assert null_check.reason == "null-check"
    assert made.limits[0].alone == measured().bytes
    [memory] = made.claims
    assert memory.verdict in VERDICTS and memory.figures
    assert made.collection.events > 0
    assert made.collection.balanced
    assert memory.asked == {}
    assert made.left_out["cost"] == "it was not asked for"
    assert made.machine.bcc and made.machine.llvm and made.when.endswith("Z")
    assert told[0] == (0, 6, "percpu") and told[-1] == (6, 6, "")
    again = reading.read(made.write(tmp_path / "mine.json"))
    assert again.to_json() == made.to_json()


@pytest.mark.live
def test_a_claim_is_asked_in_its_shorter_form():
    [contention] = record(claims=["contention"], programs=[], collect=False).claims
    assert contention.asked == {"rounds": recording.SHORTER["rounds"]}
    assert contention.verdict in VERDICTS


def test_what_is_shorter_is_shorter():
    """Each number belongs to some claim, and is below what the claim itself asks for."""
    for name, number in recording.SHORTER.items():
        parameters = [inspect.signature(one.measure).parameters for one in claims.CLAIMS.values()]
        usual = [takes[name].default for takes in parameters if name in takes]
        assert usual and number < max(usual)
        assert number <= min(usual)


@pytest.mark.live
def test_a_budget_leaves_claims_out_and_says_so():
    made = record(claims=["memory", "loss"], programs=["percpu"], budget=1e-6)
    assert [one.name for one in made.programs] == ["percpu"]
    assert made.claims == ()
    assert made.collection is None
    for name in ("memory", "loss", "collection"):
        assert "seconds that it might take were over" in made.left_out[name]


def broken(*_: object, **__: object):
    raise ZeroDivisionError("a moon was expected")


@pytest.mark.live
def test_what_raises_is_a_problem_of_its_own(monkeypatch):
    odd = replace(claims.CLAIMS["memory"], measure=broken)
    monkeypatch.setitem(claims.CLAIMS, "broken", odd)
    monkeypatch.setattr(recording, "of_mistake", broken)
    monkeypatch.setattr(recording, "collection", broken)
    made = record(claims=["broken", "memory"], programs=["null_check", "percpu"])
    assert made.programs[0].problem == "ZeroDivisionError: a moon was expected"
    assert made.programs[0].outcome == ""
    assert made.programs[1].outcome == ACCEPTED
    assert made.claims[0].problem == "ZeroDivisionError: a moon was expected"
    assert made.claims[1].verdict in VERDICTS
    assert made.collection.problem == "ZeroDivisionError: a moon was expected"


def test_an_interrupt_ends_it():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recording._tried(Step("x", interrupted, lambda why: Program("x", problem=why)))


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({"claims": ["santa"]}, "'santa'"),
        ({"claims": "santa"}, "'santa'"),
        ({"claims": "none", "programs": ["santa"]}, "'santa'"),
    ],
)
def test_what_is_not_known_is_named(words, named, monkeypatch):
    monkeypatch.setattr(rights, "may_load", lambda: True)
    with pytest.raises(UsageError, match=named):
        record(**words)


def test_without_rights_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(rights, "may_load", lambda: False)
    with pytest.raises(MachineError, match="To mend it"):
        record()


@pytest.mark.live
def test_what_is_meant_follows_the_limit(either_kernel):
    meant = {name: declared(one) for name, one in VARIANTS.items()}
    enough = (measured().bytes or 0) > OBJECTS
    assert meant["stack_lifted"] == (ACCEPTED if enough else VERIFIER_REFUSED)
    assert meant["stack_beyond"] == VERIFIER_REFUSED
    assert meant["percpu"] == ACCEPTED


def test_this_machine_is_described_without_rights():
    assert facts.this_lab().version
    assert facts.this_machine().possible_cpus


@pytest.mark.live
def test_the_notebooks_table_tries_here_what_differs_there(monkeypatch):
    others = Records([made_up("6.1.0"), made_up("7.3.0")])
    monkeypatch.setattr(other_kernels, "published", lambda: others)
    compared = other_kernels.kernels()
    here = compared.records[0]
    assert here.here
    assert [one.name for one in here.programs] == [
        *VARIANTS,
        "call_chain_tracing",
        "null_check_constant",
        "stack_unwritten",
    ]
    html = compared._repr_html_()
    assert "tried here" in html and "tried there" in html


def test_without_rights_the_notebooks_table_says_so(monkeypatch):
    monkeypatch.setattr(rights, "may_load", lambda: False)
    monkeypatch.setattr(other_kernels, "published", lambda: Records([made_up("6.1.0")]))
    compared = other_kernels.kernels()
    assert "To mend it" in compared.records[0].problem
    assert "To mend it" in compared._repr_html_()
