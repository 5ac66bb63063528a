from __future__ import annotations

import threading
import time
from typing import Any

import pytest

import labkit
from labkit.building.report import ACCEPTED, COMPILER_REFUSED, VERIFIER_REFUSED, BuildReport, Gate
from labkit.notebook.background import Latest
from labkit.notebook.limit_finder import LimitFinder, verdicts_text
from labkit.notebook.variant_switch import BAD, GOOD, VariantSwitch, chosen_variant

OUTCOMES = {"stack": COMPILER_REFUSED, "stack_lifted": VERIFIER_REFUSED, "percpu": ACCEPTED}


class Slow:
    """Answers when it is let; keeps what it was asked and how many asked at once."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.at_once = self.most_at_once = 0
        self.go = threading.Event()
        self.begun = threading.Event()
        self.lock = threading.Lock()

    def __call__(self, question: Any) -> Any:
        with self.lock:
            self.asked.append(question)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.set()
        assert self.go.wait(10)
        with self.lock:
            self.at_once -= 1
        return question


def report(name: str) -> BuildReport:
    outcome = OUTCOMES[name]
    gates = (Gate("compiler", outcome != COMPILER_REFUSED, 0.1), Gate("verifier"))
    return BuildReport(name, outcome, gates, "", "", None, {"kernel": "6.1"})


def slow_build() -> tuple[Slow, Any]:
    slow = Slow()
    return slow, lambda name: report(slow(name))


def test_of_those_that_wait_the_newest_is_answered():
    slow, shown, failed = Slow(), [], []
    latest = Latest(slow, lambda q, a: shown.append((q, a)), lambda q, e: failed.append(e))
    latest.ask(0)
    assert slow.begun.wait(5)
    for number in range(1, 10):
        latest.ask(number)
    slow.go.set()
    assert latest.wait(5)
    assert slow.asked == [0, 9]
    assert shown == [(0, 0), (9, 9)]
    assert slow.most_at_once == 1
    assert failed == []


def test_each_is_answered_if_there_is_time():
    shown: list[int] = []
    latest: Latest[int, int] = Latest(lambda q: q, lambda q, a: shown.append(a), lambda q, e: None)
    for number in range(5):
        latest.ask(number)
        assert latest.wait(5)
    assert shown == [0, 1, 2, 3, 4]


def test_many_who_ask_at_once_end_with_an_answer_to_the_last():
    shown: list[int] = []

    def answer(question):
        time.sleep(0.001)
        return question

    latest: Latest[int, int] = Latest(answer, lambda q, a: shown.append(a), lambda q, e: None)

    def ask():
        for number in range(200):
            latest.ask(number)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert latest.wait(10)
    assert shown[-1] == 199


def test_an_error_is_handed_on_and_the_next_question_is_answered():
    shown, failed = [], []

    def answer(question):
        return 1 / question

    latest = Latest(answer, lambda q, a: shown.append(a), lambda q, e: failed.append((q, e)))
    latest.ask(0)
    assert latest.wait(5)
    latest.ask(2)
    assert latest.wait(5)
    assert shown == [0.5]
    assert [(q, type(e)) for q, e in failed] == [(0, ZeroDivisionError)]


@pytest.mark.parametrize(
    ("choice", "lifted", "name"),
    [
        (BAD, False, "stack"),
        (BAD, True, "stack_lifted"),
        (GOOD, False, "percpu"),
        (GOOD, True, "percpu"),
    ],
)
def test_the_two_switches_name_a_variant(choice, lifted, name):
    assert chosen_variant(choice, lifted) == name
    assert name in labkit.VARIANTS


def test_the_first_result_is_there_before_the_first_click():
    switch = VariantSwitch(report)
    assert switch.report == report("stack")
    assert 'data-outcome="compiler_refused"' in switch.result.value
    assert 'data-state="compiler_refused" ' in switch.state.value


def test_a_reader_without_a_kernel_gets_text_and_html():
    switch = VariantSwitch(report)
    bundle = switch._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == switch.result.value
    assert bundle["text/plain"] == repr(switch)
    assert "stack: the compiler refused it" in repr(switch)


def test_ten_fast_clicks_end_with_the_last_and_build_one_at_a_time():
    slow, build = slow_build()
    slow.go.set()
    switch = VariantSwitch(build)
    slow.go.clear()
    slow.begun.clear()
    switch.choice.value = GOOD
    assert slow.begun.wait(5)
    for click in range(1, 11):
        switch.choice.value = (GOOD, BAD)[click % 2]
        assert 'data-state="building"' in switch.state.value
    slow.go.set()
    assert switch.builds.wait(5)
    assert slow.most_at_once == 1
    assert slow.asked == ["stack", "percpu", "percpu"]  # the first, the one under way, the last
    assert switch.report == report("percpu")
    assert 'data-state="accepted"' in switch.state.value


def test_a_result_that_is_no_longer_asked_for_does_not_say_it_is_the_last():
    slow, build = slow_build()
    slow.go.set()
    switch = VariantSwitch(build)
    slow.go.clear()
    states: list[str] = []
    switch.state.observe(lambda change: states.append(change.new), "value")
    slow.begun.clear()
    switch.choice.value = GOOD
    assert slow.begun.wait(5)
    switch.choice.value = BAD
    slow.go.set()
    assert switch.builds.wait(5)
    assert not any('data-state="accepted"' in state for state in states)
    assert 'data-state="compiler_refused"' in states[-1]


def test_lifting_means_nothing_to_the_good_program():
    switch = VariantSwitch(report)
    switch.choice.value = GOOD
    assert switch.lift.disabled
    switch.choice.value = BAD
    assert not switch.lift.disabled
    assert switch.builds.wait(5)


def test_an_error_in_a_build_is_shown_in_the_widget_and_the_next_click_works():
    def build(name):
        if name == "percpu":
            raise labkit.MachineError("no <bcc>", "apt-get install it")
        return report(name)

    switch = VariantSwitch(build)
    switch.choice.value = GOOD
    assert switch.builds.wait(5)
    assert "no &lt;bcc&gt;" in switch.result.value
    assert "apt-get install it" in switch.result.value
    assert 'data-state="failed"' in switch.state.value
    switch.choice.value = BAD
    assert switch.builds.wait(5)
    assert 'data-state="compiler_refused"' in switch.state.value


def test_an_error_in_the_first_build_is_shown_too():
    def build(name):
        raise labkit.MachineError("no bcc", "install it")

    assert "install it" in VariantSwitch(build).result.value


def below(edge: int) -> Any:
    return lambda size: {"compiler": size < edge, "verifier": size <= edge}


def test_the_slider_shows_what_it_stands_at():
    finder = LimitFinder(below(512))
    finder.slider.value = 512
    assert finder.probes.wait(5)
    assert finder.tried[512] == {"compiler": False, "verifier": True}
    assert 'data-testid="limit-compiler" data-size="512"' in finder.result.value
    assert "✘ refuses it" in finder.result.value
    assert "✔ lets it through" in finder.result.value
    assert repr(finder) == verdicts_text(512, finder.tried[512])
    assert 'data-state="done"' in finder.state.value


def test_a_slider_that_is_dragged_asks_one_at_a_time_and_about_the_last():
    slow = Slow()
    slow.go.set()
    finder = LimitFinder(lambda size: below(512)(slow(size)))
    slow.go.clear()
    slow.begun.clear()
    finder.slider.value = 264
    assert slow.begun.wait(5)
    for size in range(272, 1025, 8):
        finder.slider.value = size
    slow.go.set()
    assert finder.probes.wait(5)
    assert slow.asked == [256, 264, 1024]
    assert slow.most_at_once == 1


def test_an_error_of_the_slider_is_shown():
    def probe(size):
        if size > 300:
            raise labkit.LabError("lost <it>")
        return below(512)(size)

    finder = LimitFinder(probe)
    finder.slider.value = 400
    assert finder.probes.wait(5)
    assert "lost &lt;it&gt;" in finder.result.value


@pytest.mark.live
def test_ten_fast_live_clicks_end_as_a_build_of_the_last_does():
    at_once = [0, 0]  # now, at most

    def build(name):
        at_once[0] += 1
        at_once[1] = max(at_once)
        try:
            return labkit.build(name)
        finally:
            at_once[0] -= 1

    switch = VariantSwitch(build)
    for click in range(10):
        switch.choice.value = (GOOD, BAD)[click % 2]
    switch.lift.value = True
    assert switch.builds.wait(60)
    expected = labkit.build("stack_lifted")
    assert switch.report
    assert (switch.report.variant, switch.report.outcome) == ("stack_lifted", expected.outcome)
    assert expected.verifier_log.fatal
    assert expected.verifier_log.fatal.body in switch.result.value
    assert at_once[1] == 1


@pytest.mark.live
def test_the_slider_says_what_the_gates_say():
    finder = labkit.limit_finder()
    for size in (labkit.largest_frame("compiler").size, labkit.largest_frame("verifier").size + 8):
        finder.slider.value = size
        assert finder.probes.wait(60)
        report = labkit.probe_frame(size, "compiler")
        assert finder.tried[size]["compiler"] == report.gates[0].passed
        lifted = labkit.probe_frame(size, "verifier")
        assert finder.tried[size]["verifier"] == lifted.gates[1].passed
