from __future__ import annotations

import pytest
from slow import Slow

from labkit import notebook
from labkit.errors import MachineError, UsageError
from labkit.notebook.prediction import Measured, Prediction, predict

QUESTION = "Who refuses it?"
CHOICES = ("nobody", "the compiler", "the verifier")


def asked(answer, **given):
    return predict(QUESTION, CHOICES, answer=answer, **given)


def click(made: Prediction, choice: object) -> None:
    next(b for b in made.buttons if b.description == str(choice)).click()
    assert made.asked.wait(20)


def everything(made: Prediction) -> str:
    """All that any reader gets to see."""
    bundle = made._repr_mimebundle_()
    texts = [bundle["text/plain"], bundle["text/html"], made.result.value, made.state.value]
    return "\n".join(texts)


def test_nothing_is_measured_and_nothing_given_away_before_a_guess():
    slow = Slow()  # which would note a call
    made = asked(lambda: slow("the verifier"))
    assert slow.asked == []
    assert made.right is None
    assert 'data-state="open"' in made.state.value
    assert made.result.value == ""
    for words in ("right:", "not quite", "measured is"):
        assert words not in everything(made)
    for choice in CHOICES:
        assert choice in repr(made)
    assert QUESTION in repr(made)


def test_a_right_guess_by_a_click():
    made = asked(lambda: "the verifier")
    click(made, "the verifier")
    assert made.right is True
    assert 'data-state="right"' in made.state.value
    assert "right: measured is the verifier" in made.result.value
    assert repr(made) == f"{QUESTION}\nright: measured is the verifier"


def test_a_wrong_guess_is_told_what_was_measured():
    made = asked(lambda: "the verifier")
    click(made, "nobody")
    assert made.right is False
    assert 'data-state="wrong"' in made.state.value
    assert "not quite: you said nobody; measured is the verifier" in repr(made)


def test_the_answer_is_measured_anew_for_each_guess():
    answers = iter(["nobody", "the compiler"])
    made = asked(lambda: next(answers))
    click(made, "nobody")
    assert "right: measured is nobody" in repr(made)
    click(made, "nobody")
    assert "you said nobody; measured is the compiler" in repr(made)


def test_without_buttons_the_guess_is_an_argument():
    made = asked(lambda: Measured("the verifier", "it said so"), said="the compiler")
    assert repr(made).splitlines() == [
        QUESTION,
        "not quite: you said the compiler; measured is the verifier",
        "it said so",
    ]


def test_the_evidence_is_shown_with_the_answer_only():
    class Evidence:
        def _repr_html_(self) -> str:
            return "<p>the whole log</p>"

    made = asked(lambda: Measured("nobody", evidence=Evidence()))
    assert "the whole log" not in everything(made)
    click(made, "nobody")
    assert "<p>the whole log</p>" in made.result.value


def test_numbers_are_choices_too():
    made = predict("How many?", [0, 1, 2], answer=lambda: 2, said=2)
    assert made.right is True
    click(made, 0)
    assert "you said 0; measured is 2" in repr(made)


def test_a_measurement_that_no_choice_foresaw_is_said():
    made = asked(lambda: "the machine", said="nobody")
    assert made.right is False
    assert "measured is the machine, which is none of the choices" in repr(made)


def test_what_cannot_be_measured_is_said_and_the_buttons_still_work():
    lacking = [MachineError("bcc is missing", "apt-get install python3-bpfcc")]

    def answer():
        if lacking:
            raise lacking.pop()
        return "nobody"

    made = asked(answer)
    click(made, "nobody")
    assert made.right is None
    assert 'data-state="failed"' in made.state.value
    assert "apt-get install python3-bpfcc" in made.result.value
    assert "apt-get install python3-bpfcc" in repr(made)
    click(made, "nobody")
    assert made.right is True


def test_of_two_fast_clicks_the_later_one_is_answered():
    slow = Slow()
    made = asked(lambda: slow("the compiler"))
    first, second = made.buttons[0], made.buttons[1]
    first.click()
    assert slow.begun.wait(20)
    second.click()
    slow.go.set()
    assert made.asked.wait(20)
    assert made.said == "the compiler"
    assert made.right is True
    assert "you said" not in repr(made)


def test_the_buttons_say_to_what_they_are_an_answer_and_which_was_chosen():
    made = asked(lambda: "nobody")
    assert [b.description for b in made.buttons] == list(CHOICES)
    assert all(b.tooltip.startswith(QUESTION) for b in made.buttons)
    click(made, "the compiler")
    assert [b.icon for b in made.buttons] == ["", "check", ""]


def test_what_is_given_is_escaped():
    made = predict("Is `a < b`?", ["<b>", "no"], answer=lambda: Measured("no", "<i>"), said="<b>")
    assert "<i>" not in made.result.value
    assert "you said <b>" not in made.result.value
    assert "<code>a &lt; b</code>" in made.html


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"said": "me"}, "'me'"),
        ({"choices": ["one"]}, "'one'"),
        ({"choices": []}, "none"),
        ({"choices": ["one", "one"]}, "'one', 'one'"),
        ({"answer": "nobody"}, "'nobody'"),
    ],
)
def test_a_question_that_cannot_be_asked(change, named):
    given = {"choices": CHOICES, "answer": lambda: "nobody", **change}
    with pytest.raises(UsageError, match=named):
        predict(QUESTION, **given)


def test_it_is_called_by_the_rooms_name_whatever_was_imported_before():
    assert notebook.predict is predict
    assert notebook.Measured is Measured
