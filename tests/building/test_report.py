"""From the worker's events to a verdict: each way a build can end is told apart."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from labkit.building import build
from labkit.building.report import BuildReport, judge, worker_error
from labkit.errors import BuildRefused
from labkit.program.variants import VARIANTS
from labkit.show import report_html, terminal

COMPILING = {"event": "compiling", "at": 10.0}
COMPILED = {"event": "compiled", "passed": True, "seconds": 0.5, "printed": "", "maps": {}}
NOT_COMPILED = {"event": "compiled", "passed": False, "seconds": 0.5}


def end(**facts: Any) -> dict[str, Any]:
    plain = {"printed": "", "signal": None, "exit_code": 0, "killed": "", "seconds": 2.0}
    return {"event": "end", "at": 10.25, **plain, **facts}


def loaded(**facts: Any) -> dict[str, Any]:
    plain = {"name": "f", "passed": True, "errno": 0, "seconds": 0.125, "log": "processed 9 insns"}
    return {"event": "loaded", **plain, **facts}


@pytest.mark.parametrize(
    ("events", "outcome", "gates"),
    [
        ([COMPILING, COMPILED, loaded(), end()], "accepted", (True, True)),
        ([COMPILING, COMPILED, end()], "compiler_refused", (False, None)),
        ([COMPILING, end(exit_code=1)], "compiler_refused", (False, None)),
        ([COMPILING, NOT_COMPILED, end()], "compiler_refused", (False, None)),
        (
            [COMPILING, COMPILED, loaded(passed=False, errno=errno.EACCES), end()],
            "verifier_refused",
            (True, False),
        ),
        (
            [COMPILING, COMPILED, loaded(passed=False, errno=errno.EPERM, log=""), end()],
            "host_refused",
            (True, None),
        ),
        ([{"event": "host_refused", "reason": "no tracefs"}, end()], "host_refused", (None, None)),
        (
            [COMPILING, NOT_COMPILED, end(printed="could not open bpf map: m, error: Denied")],
            "host_refused",
            (True, None),
        ),
        ([COMPILING, end(signal=11, exit_code=None)], "worker_died", (None, None)),
        ([COMPILING, end(signal=9, exit_code=None, killed="late")], "worker_died", (None, None)),
        ([COMPILING, end(exit_code=70)], "worker_died", (None, None)),
        ([end(exit_code=1)], "worker_died", (None, None)),
        ([COMPILING, COMPILED, loaded()], "worker_died", (True, None)),
        ([], "worker_died", (None, None)),
    ],
)
def test_outcomes(events: list[Any], outcome: str, gates: tuple[bool | None, ...]) -> None:
    verdict = judge(events)
    assert verdict.outcome == outcome
    assert (verdict.compiler.passed, verdict.verifier.passed) == gates
    said = outcome in ("host_refused", "worker_died") or COMPILED in events
    assert bool(verdict.reason) == (said and outcome not in ("accepted", "verifier_refused"))


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (end(signal=11, exit_code=None), "a signal ended it: 11"),
        ({"event": "lost", "reason": "its reply broke off"}, "its reply broke off"),
    ],
)
def test_of_a_dead_worker_is_told_what_is_known_and_what_to_do(last: Any, said: str) -> None:
    """No line was printed, so none is pointed at; that the worker died is no compiler's error."""
    died = report_of(COMPILING, last)
    told = died.explain()
    assert said in died.reason
    assert said in told.happened
    assert told.key == "silent-worker_died"
    assert "outside" not in str(told)
    assert "lines" not in told.change
    assert "once more" in told.change
    assert said in str(worker_error([COMPILING, last]))
    assert "once more" in str(worker_error([COMPILING, last]))


def test_a_build_that_took_too_long_is_told_apart() -> None:
    late = report_of(COMPILING, end(signal=9, exit_code=None, killed="late"))
    assert late.reason == "it was ended after 2 s: the time limit was over"
    told = late.explain()
    assert told.key == "silent-worker_died"
    assert late.reason in told.happened
    assert "the compiler" not in told.title + told.happened
    assert "time limit" in told.why
    assert all(word in told.change for word in ("labkit.build(..., time_limit=", "LABKIT_PATIENCE"))
    assert late.explain().line is None  # nobody printed a line


@pytest.mark.parametrize(
    ("before", "gates"),
    [
        ([COMPILING], ("gave no verdict (20.000 s)", "never reached")),
        (
            [COMPILING, {**COMPILED, "at": 10.5}],
            ("let it through (0.500 s)", "gave no verdict (19.500 s)"),
        ),
    ],
)
def test_a_gate_where_the_time_was_over_was_reached(before: Any, gates: Any) -> None:
    late = report_of(*before, end(signal=9, exit_code=None, killed="late", at=30.0))
    assert [line.partition(": ")[2] for line in terminal.gates(late)] == list(gates)
    page = report_html(late)
    assert page.count("gave no verdict") == 1
    assert page.count("never reached") == gates.count("never reached")


def test_a_death_in_the_compiler_is_timed() -> None:
    assert judge([COMPILING, end(exit_code=1)]).compiler.seconds == 0.25


def report_of(*events: dict[str, Any]) -> BuildReport:
    return build.report_of(VARIANTS["stack"], list(events), {"kernel": "6.18"})


def test_json_has_the_promised_keys() -> None:
    made = report_of(COMPILING, end(exit_code=1, printed="error: too big")).to_json()
    promised = "variant outcome gates compiler_log verifier_log insns_processed stack_depth"
    assert set(f"{promised} how_lifted versions".split()) <= set(made)
    assert made["gates"][0] == {"name": "compiler", "passed": False, "seconds": 0.25}
    assert made["compiler_log"] == "error: too big"
    assert made["stack_depth"] is None


def test_what_is_printed_after_the_compiler_is_not_the_compilers() -> None:
    compiled = {**COMPILED, "printed": "warning \\xe9"}  # a byte of Latin-1, escaped
    built = report_of(COMPILING, compiled, loaded(), end(printed="warning \\xe9bpf: later"))
    assert built.compiler_log == "warning \\xe9"


def test_refusal_raises_only_when_asked() -> None:
    refused = report_of(COMPILING, end(exit_code=1))
    assert not refused.accepted
    with pytest.raises(BuildRefused, match="stack"):
        refused.raise_for_refusal()
    fine = report_of(COMPILING, COMPILED, loaded(), end())
    assert fine.raise_for_refusal() is fine
