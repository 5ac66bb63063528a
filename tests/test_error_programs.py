"""Each program of bpf/errors on the live kernel: verdict, what is printed, explanation."""

from __future__ import annotations

import pytest

from labkit.explain.messages import MESSAGES
from labkit.lessons import mistakes as errors_gallery
from labkit.lessons import raw_bpf
from labkit.report import ACCEPTED, OUTCOMES

MISTAKES = errors_gallery.mistakes()

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
    answer = mistake.answer_in(printed)
    assert answer is not None, printed[-3000:]
    explained = report.explain()
    assert explained.key == answer.reason, explained
    assert explained.happened


@pytest.mark.live
def test_the_probes_answer():
    for probe in errors_gallery.PROBES.values():
        assert probe() in (True, False)
        assert probe() == probe()


@pytest.mark.parametrize("name", MISTAKES)
def test_the_files_keep_to_the_form(name):
    mistake = MISTAKES[name]
    lines = mistake.path.read_text().splitlines()
    assert len(lines) <= 60
    assert lines[0] == "// SPDX-License-Identifier: GPL-2.0 OR MIT"
    assert mistake.expect in OUTCOMES
    assert mistake.purpose.endswith((".", ")"))
    known = {row.key for row in MESSAGES}
    for answer in mistake.answers:
        assert answer.fragments and all(answer.fragments)
        assert answer.reason in known
    assert mistake.accepted_if in (*errors_gallery.PROBES, "")


def test_every_promised_error_has_a_program():
    provoked = {answer.reason for one in MISTAKES.values() for answer in one.answers}
    assert provoked >= PROMISED


def test_a_file_that_is_not_in_the_form_is_named(tmp_path):
    path = tmp_path / "odd.c"
    path.write_text("/* What is wrong. */\n// EXPECT: accepted\n// LOG: x\n")
    with pytest.raises(ValueError, match=r"odd\.c"):
        errors_gallery.read(path)


def test_instructions_are_read_as_they_are_written():
    code = errors_gallery.instructions("/* 95 0 0 0 0 */\n18 1 1 0 MAP // x\n0 0 0 0 0\n", 7)
    assert code == bytes.fromhex("1811000007000000") + bytes(8)


def test_functions_begin_where_calls_lead():
    chain = MISTAKES["call_chain"].path.read_text()
    assert raw_bpf.functions(errors_gallery.instructions(chain)) == [0, 3]
    alone = MISTAKES["not_permitted"].path.read_text()
    assert raw_bpf.functions(errors_gallery.instructions(alone)) == [0]
