from __future__ import annotations

import importlib
from typing import Any

import pandas as pd
import pytest
import simulated

import labkit
from labkit import claims
from labkit.building import frame_size
from labkit.building.report import BuildReport, Gate
from labkit.claims.claim import FALSE, HALF_TRUE, NOT_HERE, TRUE
from labkit.claims.stack_limit import judge_limit, judge_needed, judge_small
from labkit.machine.stack_limit import WORD, StackLimit, measured

module = importlib.import_module("labkit.claims.stack_limit")  # claims.stack_limit is the claim


def frames(compiler, tracepoint, socket_filter=None):
    rows = [
        ("compiler", "", compiler),
        ("verifier", "tracepoint", tracepoint),
        ("verifier", "socket_filter", socket_filter or tracepoint),
    ]
    return pd.DataFrame(rows, columns=["gate", "program_type", "bytes"])


@pytest.mark.parametrize(
    ("judge", "table", "expected"),
    [
        (judge_limit, frames(512, 512), TRUE),
        (judge_limit, frames(504, 512), HALF_TRUE),
        (judge_limit, frames(504, 520), FALSE),
        (judge_limit, frames(504, 2048, 512), FALSE),
        (judge_small, frames(504, 512), FALSE),
        (judge_small, frames(504, 32), HALF_TRUE),
        (judge_small, frames(32, 32), TRUE),
        (judge_needed, frames(504, 512), FALSE),
        (judge_needed, frames(504, 2048), FALSE),
        (judge_needed, frames(1560, 2048), TRUE),
    ],
)
def test_a_rule_follows_the_numbers(judge, table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


@pytest.fixture
def fresh():
    """The search, without what this process found before, and after it as before."""
    module.compiler_limit.cache_clear()
    yield
    module.compiler_limit.cache_clear()


@pytest.mark.live
def test_the_claims_say_what_this_kernel_grants(either_kernel):
    limit: Any = measured()
    assert f"verifier (tracepoint) {limit.bytes:,}" in claims.stack_limit().why
    assert f"verifier (tracepoint) {limit.bytes + WORD:,}" in claims.bytes_needed().why
    table: Any = claims.small_structs().measured
    compiler = int(table.set_index("gate").bytes["compiler"])
    for size, passed in ((compiler, True), (compiler + WORD, False)):
        assert labkit.probe_frame(size, "compiler").gates[0].passed is passed


@pytest.mark.live
def test_on_a_kernel_that_grants_more_no_sentence_says_512_of_it(monkeypatch):
    simulated.install(monkeypatch)
    result = claims.stack_limit()
    assert (result.verdict, "512" in result.why) == (FALSE, False)
    simulated.forget()


def test_a_compiler_that_did_not_look_gives_no_verdict(fresh, monkeypatch):
    gates = (Gate("compiler"), Gate("verifier"))
    died = BuildReport("x", "worker_died", gates, "", "", None, {}, reason="gone")
    monkeypatch.setattr(frame_size, "build", lambda variant: died)
    result = claims.stack_limit()
    assert result.verdict == NOT_HERE
    assert result.why.startswith("the compiler: ")


def test_a_kernel_that_may_not_be_asked_gives_no_verdict(monkeypatch):
    monkeypatch.setattr(module, "compiler_limit", lambda: (504, {}))
    monkeypatch.setattr(module, "measured", lambda: StackLimit(unknown="not root"))
    assert claims.stack_limit().why == "the verifier: not root"
