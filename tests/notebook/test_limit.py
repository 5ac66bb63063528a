from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit
from labkit.building.report import COMPILER_REFUSED, VERIFIER_REFUSED, Gate
from labkit.claims import hearsay
from labkit.machine import chain
from labkit.machine.check import create_map
from labkit.notebook import limit, optimiser
from labkit.notebook.limit import GATES, WORD, bisect, frame_variant, largest_frame, lets_through


@given(st.integers(1, 200), st.integers(1, 16))
def test_bisection_finds_the_edge_wherever_it_is(edge, step):
    asked = []

    def passes(size):
        asked.append(size)
        return size <= edge * step

    assert bisect(passes, step, 256 * step, step) == edge * step
    assert len(asked) == len(set(asked)) <= 2 + 8
    assert all(size % step == 0 for size in asked)


@pytest.mark.parametrize(("verdict", "said"), [(True, "look further up"), (False, "no limit")])
def test_bisection_says_when_there_is_no_edge(verdict, said):
    with pytest.raises(labkit.LabError, match=said):
        bisect(lambda _: verdict, 8, 64, 8)


@pytest.mark.parametrize("size", [0, -8, 7, 516, 8192])
def test_a_frame_that_cannot_be_is_named(size):
    with pytest.raises(labkit.UsageError, match="multiple of 8"):
        frame_variant(size, "compiler")


def test_a_gate_that_is_none_is_named():
    with pytest.raises(labkit.UsageError, match="compiler, verifier"):
        frame_variant(8, "customs")


def test_a_verdict_of_the_wrong_gate_is_no_verdict(monkeypatch):
    broken = labkit.Variant("broken", "int f(void *ctx) { retrn 0; }", "does not compile")
    monkeypatch.setattr(limit, "frame_variant", lambda size, gate: broken)
    monkeypatch.setattr(limit, "build", lambda variant: _died())
    with pytest.raises(labkit.LabError, match="gave no verdict"):
        lets_through(64, "verifier")


def _died() -> labkit.BuildReport:
    gates = (Gate("compiler", True, 0.1), Gate("verifier"))
    return labkit.BuildReport("x", "worker_died", gates, "", "", None, {}, reason="gone")


@pytest.mark.live
@pytest.mark.parametrize("gate", GATES)
def test_the_largest_frame_is_the_last_that_passes(gate):
    found = largest_frame(gate)
    assert lets_through(found.size, gate)
    assert not lets_through(found.size + WORD, gate)
    assert dict(found.tries)[found.size] is True
    assert dict(found.tries)[found.size + WORD] is False
    assert len(found.tried) == len(found.tries)


@pytest.mark.live
@pytest.mark.parametrize("gate", GATES)
def test_the_frame_is_as_large_as_was_asked_for(gate):
    for size in (8, 64, 200, largest_frame(gate).size):
        assert labkit.probe_frame(size, gate).stack_depth == size


@pytest.mark.live
def test_each_gate_refuses_for_itself():
    by_compiler = labkit.probe_frame(largest_frame("compiler").size + WORD, "compiler")
    assert by_compiler.outcome == COMPILER_REFUSED
    assert "BPF stack limit" in by_compiler.compiler_log
    size = largest_frame("verifier").size + WORD
    by_verifier = labkit.probe_frame(size, "verifier")
    assert by_verifier.outcome == VERIFIER_REFUSED
    assert by_verifier.verifier_log.fatal
    assert f"off=-{size}" in by_verifier.verifier_log.fatal.body


@pytest.mark.live
def test_a_chain_of_one_stops_where_the_verifier_does():
    limit_of_one = largest_frame("verifier").size
    assert labkit.call_chain(limit_of_one).passed
    one_more = chain.call_chain(limit_of_one, WORD, program_type="socket_filter")
    assert not one_more.passed
    assert "combined stack size of 2 calls" in one_more.said
    assert one_more.said in repr(one_more)


@pytest.mark.live
def test_a_chain_inside_one_stack_passes_everywhere():
    for kind in ("tracepoint", "socket_filter"):
        assert labkit.call_chain(64, 64, 64, program_type=kind).passed


@pytest.mark.parametrize("frames", [(), (0,), (7,), (520,), (64, -8)])
def test_a_chain_that_cannot_be_is_named(frames):
    with pytest.raises(labkit.UsageError, match="multiple of 8"):
        labkit.call_chain(*frames)


def test_a_program_type_that_is_none_is_named():
    with pytest.raises(labkit.UsageError, match="socket_filter"):
        labkit.call_chain(8, program_type="poem")


@pytest.mark.live
def test_the_largest_value_is_the_last_that_the_kernel_takes():
    size = hearsay.largest_value()
    assert create_map(hearsay.PERCPU_ARRAY, 4, size, 1) == 0
    assert create_map(hearsay.PERCPU_ARRAY, 4, size + 1, 1) != 0


@pytest.mark.live
def test_the_claims_carry_what_this_machine_measured():
    table = hearsay.claims()
    measured = dict(zip(table.frame.claim, table.frame.measured, strict=True))
    assert len(table.frame) == len(hearsay.CLAIMS)
    needed = measured["On 6.x it takes 1568 bytes to trigger the limit."]
    assert f"verifier refuses from {largest_frame('verifier').size + WORD}" in needed
    assert f"{hearsay.largest_value():,}" in measured["A per-CPU array bypasses the limit."]
    assert all(row in repr(table) for row in table.frame.measured)
    assert "<table" in table._repr_html_()


@pytest.mark.live
def test_the_optimisers_table_says_what_each_build_said():
    table = optimiser.optimiser_table("DATA_BYTES=32")
    assert len(table) == 2 ** len(optimiser.SAFEGUARDS)
    by_row = table.set_index("taken away")
    for defines, name in (((), "nothing"), (("NO_BARRIER",), "barrier")):
        report = labkit.build("stack", defines=("DATA_BYTES=32", *defines))
        assert by_row.outcome[name] == report.outcome
    assert (table.frame.notna() == (table.outcome == "accepted")).all()
    assert table.frame.dropna().between(1, 512).all()


def test_no_public_name_is_also_a_module():
    """A module of the same name would take its place as soon as it is imported."""
    modules = {path.stem for path in Path(labkit.__file__).parent.iterdir()}
    assert modules.isdisjoint(labkit.__all__)
