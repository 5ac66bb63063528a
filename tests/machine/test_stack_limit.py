"""What the kernel grants, asked with bare instructions; and asked of a machine that may not ask."""

from __future__ import annotations

import errno
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit
from labkit.machine import stack_limit
from labkit.machine.stack_limit import (
    CEILING,
    MEASURED_TYPES,
    WORD,
    bisect,
    call_chain,
    largest_frame,
    measure,
)

pytestmark = pytest.mark.usefixtures("either_kernel")


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


@pytest.mark.live
def test_a_chain_of_one_stops_where_the_verifier_does():
    limit_of_one = largest_frame()
    assert call_chain(limit_of_one).passed
    one_more = call_chain(limit_of_one, WORD, program_type="socket_filter")
    assert not one_more.passed
    assert "combined stack size of 2 calls" in one_more.said
    assert one_more.said in repr(one_more)


@pytest.mark.live
def test_a_chain_inside_one_stack_passes_everywhere():
    for kind in ("tracepoint", "socket_filter"):
        assert call_chain(64, 64, 64, program_type=kind).passed


@pytest.mark.parametrize("frames", [(), (0,), (7,), (CEILING + 8,), (64, -8)])
def test_a_chain_that_cannot_be_is_named(frames):
    with pytest.raises(labkit.UsageError, match="multiple of 8"):
        call_chain(*frames)


def test_a_program_type_that_is_none_is_named():
    with pytest.raises(labkit.UsageError, match="socket_filter"):
        call_chain(8, program_type="poem")


@pytest.mark.live
def test_the_limit_is_the_last_size_that_passes():
    for kind in MEASURED_TYPES:
        size = largest_frame(kind)
        assert call_chain(size, program_type=kind).passed
        assert not call_chain(size + WORD, program_type=kind).passed


@pytest.mark.live
def test_it_is_measured_in_no_time():
    started = time.process_time()
    found = measure()
    assert time.process_time() - started < 0.4  # check() has half a second for all it does
    assert f"{found.bytes} bytes, measured" == repr(found)
    for kind in MEASURED_TYPES:
        size = found.by_program_type[kind]
        both = call_chain(size, size, program_type=kind)
        assert both.passed is found.has_private_stacks(kind)
        half = found.along_chain[kind] // 2
        assert call_chain(half, half, program_type=kind).passed


@pytest.mark.live
def test_a_tail_call_switches_private_stacks_off():
    size = largest_frame()
    chain = call_chain(size, size, tail_call=True)
    assert not chain.passed
    assert chain.said == f"combined stack size of 2 calls is {2 * size}. Too large"
    assert call_chain(size // 2 - 64, size // 2 - 64, tail_call=True).passed


def test_without_the_right_to_ask_it_is_not_known(monkeypatch):
    monkeypatch.setattr(stack_limit, "load", lambda instructions, kind: (errno.EPERM, ""))
    with pytest.raises(labkit.MachineError, match="did not look"):
        largest_frame()
    monkeypatch.setattr(stack_limit, "measured", stack_limit.measured.__wrapped__)
    found = stack_limit.measured()
    assert found.bytes is None
    assert "did not look" in repr(found)
    assert found.chain_rule == ""


def test_a_kernel_without_a_limit_is_not_believed(monkeypatch):
    monkeypatch.setattr(stack_limit, "load", lambda instructions, kind: (0, ""))
    with pytest.raises(labkit.LabError, match="look further up"):
        largest_frame()
