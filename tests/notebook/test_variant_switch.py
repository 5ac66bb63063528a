from __future__ import annotations

from typing import Any

import pytest
from slow import Slow

import labkit
from labkit.building.report import ACCEPTED, COMPILER_REFUSED, VERIFIER_REFUSED, BuildReport, Gate
from labkit.notebook.variant_switch import BAD, GOOD, VariantSwitch, chosen_variant

OUTCOMES = {"stack": COMPILER_REFUSED, "stack_lifted": VERIFIER_REFUSED, "percpu": ACCEPTED}


def report(name: str) -> BuildReport:
    outcome = OUTCOMES[name]
    gates = (Gate("compiler", outcome != COMPILER_REFUSED, 0.1), Gate("verifier"))
    return BuildReport(name, outcome, gates, "", "", None, {"kernel": "6.1"})


def slow_build() -> tuple[Slow, Any]:
    slow = Slow()
    return slow, lambda name: report(slow(name))


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
