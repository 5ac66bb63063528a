"""Each program of bpf/mistakes on the live kernel: verdict, what is printed, explanation."""

from __future__ import annotations

import pytest

from labkit import notebook
from labkit.building import mistakes
from labkit.building.report import ACCEPTED, HOST_REFUSED, OUTCOMES
from labkit.errors import MachineError
from labkit.explain.messages import MESSAGES
from labkit.machine import bpf_syscall, rights

MISTAKES = mistakes.mistakes()

# What the issue asks for, at the least.
PROMISED = {
    "stack-bounds",
    "stack-chain",
    "tail-call-stack",
    "null-check",
    "value-bounds",
    "leak",
    "too-long",
    "helper",
    "gpl",
    "map-too-large",
    "not-permitted",
    "compiler-stack",
    "compiler-memory-function",
    "missing-header",
}


@pytest.mark.live
@pytest.mark.parametrize("name", MISTAKES)
def test_on_the_live_kernel(name):
    mistake = MISTAKES[name]
    report = mistake.build()
    printed = "\n".join((report.compiler_log, report.verifier_text, report.reason))
    assert report.outcome == mistake.expected(), printed[-3000:]
    if report.outcome == ACCEPTED:
        assert report.explain().key == "accepted"
        return
    refusal = mistake.refusal_in(printed)
    assert refusal is not None, printed[-3000:]
    explained = report.explain()
    assert explained.key == refusal.reason, explained
    assert explained.happened


def test_capabilities_that_cannot_be_given_up_are_no_verdict(monkeypatch):
    monkeypatch.setattr(mistakes, "CAPABILITY_VERSION", 0)  # the kernel answers with EINVAL
    with pytest.raises(MachineError, match=r"capset.*Invalid argument"):
        MISTAKES["not_permitted"].build()


@pytest.mark.live
def test_only_the_thread_that_loads_loses_its_capabilities():
    report = MISTAKES["not_permitted"].build()
    assert report.outcome == HOST_REFUSED
    assert "Operation not permitted" in report.reason
    assert rights.may_load()


def test_each_probe_is_held_against_a_real_program():
    """By test_on_the_live_kernel: what the probe says is what becomes of the program."""
    assert {one.accepted_if for one in MISTAKES.values()} - {""} == set(mistakes.PROBES)


@pytest.mark.parametrize("name", MISTAKES)
def test_the_files_keep_to_the_form(name):
    mistake = MISTAKES[name]
    lines = mistake.path.read_text().splitlines()
    assert len(lines) <= 60
    assert lines[0] == "// SPDX-License-Identifier: GPL-2.0 OR MIT"
    assert mistake.expect in OUTCOMES
    assert mistake.purpose.endswith((".", ")"))
    known = {row.key for row in MESSAGES}
    for refusal in mistake.refusals:
        assert refusal.fragments and all(refusal.fragments)
        assert refusal.reason in known
    assert mistake.accepted_if in (*mistakes.PROBES, "")


def test_every_promised_error_has_a_program():
    provoked = {refusal.reason for one in MISTAKES.values() for refusal in one.refusals}
    assert provoked >= PROMISED


def test_a_file_that_is_not_in_the_form_is_named(tmp_path):
    path = tmp_path / "odd.c"
    path.write_text("/* What is wrong. */\n// EXPECT: accepted\n// LOG: x\n")
    with pytest.raises(ValueError, match=r"odd\.c"):
        mistakes.read(path)


def test_instructions_are_read_as_they_are_written():
    code = mistakes.instructions("/* 95 0 0 0 0 */\n18 1 1 0 MAP // x\n0 0 0 0 0\n", 7)
    assert code == bytes.fromhex("1811000007000000") + bytes(8)


def test_functions_begin_where_calls_lead():
    chain = MISTAKES["call_chain"].path.read_text()
    assert bpf_syscall.functions(mistakes.instructions(chain)) == [0, 3]
    alone = MISTAKES["not_permitted"].path.read_text()
    assert bpf_syscall.functions(mistakes.instructions(alone)) == [0]


def test_the_code_of_a_mistake_does_not_tell_what_is_expected():
    for mistake in MISTAKES.values():
        assert "EXPECT" not in mistake.code
        assert mistake.code.strip()
        assert mistake.path.read_text().endswith(mistake.code)


def test_the_notebooks_find_them_in_their_room():
    assert notebook.mistakes is mistakes
