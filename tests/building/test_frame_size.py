from __future__ import annotations

import pytest

import labkit
from labkit.building import frame_size
from labkit.building.frame_size import GATES, frame_variant, largest_frame, lets_through
from labkit.building.report import COMPILER_REFUSED, VERIFIER_REFUSED, Gate
from labkit.machine.stack_limit import WORD
from labkit.program.variants import LIFTED_LIMIT

either_kernel = pytest.mark.usefixtures("either_kernel")


@pytest.mark.parametrize("size", [0, -8, 7, 516, LIFTED_LIMIT])
def test_a_frame_that_cannot_be_is_named(size):
    with pytest.raises(labkit.UsageError, match="multiple of 8"):
        frame_variant(size, "compiler")


def test_a_gate_that_is_none_is_named():
    with pytest.raises(labkit.UsageError, match="compiler, verifier"):
        frame_variant(8, "customs")


def test_a_verdict_of_the_wrong_gate_is_no_verdict(monkeypatch):
    broken = labkit.Variant("broken", "int f(void *ctx) { retrn 0; }", "does not compile")
    monkeypatch.setattr(frame_size, "frame_variant", lambda size, gate: broken)
    monkeypatch.setattr(frame_size, "build", lambda variant: _died())
    with pytest.raises(labkit.LabError, match="gave no verdict"):
        lets_through(64, "verifier")


def _died() -> labkit.BuildReport:
    gates = (Gate("compiler", True, 0.1), Gate("verifier"))
    return labkit.BuildReport("x", "worker_died", gates, "", "", None, {}, reason="gone")


@either_kernel
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


@either_kernel
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
