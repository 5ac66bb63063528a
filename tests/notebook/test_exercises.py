from __future__ import annotations

from typing import Any

import pytest

import labkit
from labkit.machine.stack_limit import WORD
from labkit.magic import build_cell
from labkit.notebook import exercises_01 as exercises
from labkit.notebook.exercises_01 import (
    check_line,
    check_null,
    check_own,
    check_predictions,
    check_shrunk,
)
from labkit.notebook.feedback import Feedback
from labkit.program.variants import LLVM_LIMIT, STRUCTS

SIZES = (504, 512, 520)
either_kernel = pytest.mark.usefixtures("either_kernel")


def test_an_answer_reads_as_text_and_as_html():
    answer = Feedback(False, ("2 of <3>",))
    assert repr(answer) == "not yet\n  2 of <3>"
    assert "2 of &lt;3&gt;" in answer._repr_html_()
    assert "✔ right" in Feedback(True, ())._repr_html_()


def test_words_that_are_no_answer_are_not_judged():
    answer = check_predictions({504: "?"})
    assert not answer.right
    assert "neither, compiler, verifier, both" in answer.words[0]
    assert not check_null(constant_key="?", unknown_key="refused").right


@either_kernel
def test_an_unknown_size_is_not_given_away(monkeypatch):
    monkeypatch.setattr(exercises, "lets_through", lambda size, gate: gate == "verifier")
    words = "\n".join(check_predictions({512: "both"}).words)
    assert "0 of 1" in words
    assert "one gate refuses it" in words
    assert "compiler" not in words


@pytest.mark.live
def test_predictions_are_compared_with_both_gates():
    truth = {size: exercises.who_refuses(size) for size in SIZES}
    assert check_predictions(truth).right
    for size in SIZES:
        wrong = "both" if truth[size] != "both" else "neither"
        answer = check_predictions({**truth, size: wrong})
        assert not answer.right
        assert "2 of 3" in answer.words[0]
        assert str(size) in answer.words[1]


@either_kernel
@pytest.mark.live
def test_who_refuses_follows_the_limits():
    limits = {gate: labkit.notebook.largest_frame(gate).size for gate in ("compiler", "verifier")}
    for size in (8, *limits.values(), max(limits.values()) + WORD):
        refusing = [gate for gate, largest in limits.items() if size > largest]
        names = {0: "neither", 2: "both"}
        assert exercises.who_refuses(size) == names.get(len(refusing), "".join(refusing))


@pytest.mark.live
def test_shrinking_is_right_exactly_when_the_program_loads():
    for sizes in (
        {"data": 512, "buffer": 256, "values": 32},
        {"data": 64, "buffer": 64, "values": 8},
    ):
        defines = [f"{name.upper()}_BYTES={sizes[name]}" for name in ("data", "buffer")]
        report = labkit.build("stack", defines=(*defines, f"VALUES={sizes['values']}"))
        assert check_shrunk(**sizes).right == report.accepted


@either_kernel
@pytest.mark.live
def test_shrinking_too_little_says_how_much_is_left_to_go():
    answer = check_shrunk(data=512, buffer=256, values=32)
    total = sum(labkit.layout()[name]["size"] for name in STRUCTS)
    assert not answer.right
    assert f"take {total} bytes: at least {total - LLVM_LIMIT} must go" in answer.words[0]


@pytest.mark.parametrize(
    "sizes", [{"data": 8, "buffer": 64, "values": 1}, {"data": 64, "buffer": 12, "values": 1}]
)
def test_sizes_that_the_program_cannot_have_are_not_built(sizes):
    assert not check_shrunk(**sizes).right


@either_kernel
@pytest.mark.live
def test_the_puzzle_has_one_right_line():
    report = exercises.puzzle()
    lines = report.source.splitlines()
    answers = {line: check_line(line) for line in range(20, len(lines) + 1)}
    right = [line for line, answer in answers.items() if answer.right]
    assert len(right) == 1
    step = report.verifier_log.fatal_instruction
    assert step
    assert step.source
    assert lines[right[0] - 1].strip() == step.source.text.strip()
    assert answers[right[0] + 2].words == ("2 lines too far down",)


@pytest.mark.live
def test_ones_own_variant_must_load_and_have_room():
    assert not check_own(None).right
    refused = build_cell("", "int f(void *ctx)\n{\n\tretrn 0;\n}\n")
    assert not check_own(refused).right
    program = (
        "struct scratch {{ u8 bytes[{0}]; }};\nBPF_PERCPU_ARRAY(slot, struct scratch, 1);\n"
        "int f(void *ctx)\n{{\n\tu32 zero = 0;\n\tstruct scratch *scratch = slot.lookup(&zero);\n"
        "\tif (!scratch)\n\t\treturn 0;\n\tscratch->bytes[0] = 1;\n\treturn 0;\n}}\n"
    )
    small = check_own(build_cell("", program.format(900)))
    assert not small.right
    assert "100 short" in small.words[0]
    assert check_own(build_cell("", program.format(1000))).right


@pytest.mark.live
def test_the_null_check_is_asked_about_live():
    table: Any = labkit.claims.null_check().measured
    said = table[~table.checked].set_index("key").accepted.map({True: "accepted", False: "refused"})
    truth = {"constant_key": said["constant"], "unknown_key": said["variable"]}
    assert check_null(**truth).right
    turned = {"accepted": "refused", "refused": "accepted"}
    answer = check_null(**{name: turned[said] for name, said in truth.items()})
    assert not answer.right
    assert "0 of 2" in answer.words[0]
