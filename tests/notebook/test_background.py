"""Questions that are answered in the background: the newest wins, and nothing stops it."""

from __future__ import annotations

import threading
import time

import pytest
from slow import Slow

from labkit.notebook.background import CoalescingExecutor


def executor_that_shows(shown: list[int], answer) -> CoalescingExecutor[int, int]:
    return CoalescingExecutor(answer, lambda q, a: shown.append(a), lambda q, e: None)


def test_of_those_that_wait_the_newest_is_answered():
    slow, shown, failed = Slow(), [], []
    executor = CoalescingExecutor(
        slow, lambda q, a: shown.append((q, a)), lambda q, e: failed.append(e)
    )
    executor.ask(0)
    assert slow.begun.wait(5)
    for number in range(1, 10):
        executor.ask(number)
    slow.go.set()
    assert executor.wait(5)
    assert slow.asked == [0, 9]
    assert shown == [(0, 0), (9, 9)]
    assert slow.most_at_once == 1
    assert failed == []


def test_each_is_answered_if_there_is_time():
    shown: list[int] = []
    executor: CoalescingExecutor[int, int] = CoalescingExecutor(
        lambda q: q, lambda q, a: shown.append(a), lambda q, e: None
    )
    for number in range(5):
        executor.ask(number)
        assert executor.wait(5)
    assert shown == [0, 1, 2, 3, 4]


def test_many_who_ask_at_once_end_with_an_answer_to_the_last():
    shown: list[int] = []

    def answer(question):
        time.sleep(0.001)
        return question

    executor: CoalescingExecutor[int, int] = CoalescingExecutor(
        answer, lambda q, a: shown.append(a), lambda q, e: None
    )

    def ask():
        for number in range(200):
            executor.ask(number)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert executor.wait(10)
    assert shown[-1] == 199


def test_an_error_is_handed_on_and_the_next_question_is_answered():
    shown, failed = [], []

    def answer(question):
        return 1 / question

    executor = CoalescingExecutor(
        answer, lambda q, a: shown.append(a), lambda q, e: failed.append((q, e))
    )
    executor.ask(0)
    assert executor.wait(5)
    executor.ask(2)
    assert executor.wait(5)
    assert shown == [0.5]
    assert [(q, type(e)) for q, e in failed] == [(0, ZeroDivisionError)]


@pytest.mark.parametrize("raised", [ValueError, SystemExit])
def test_a_failure_that_cannot_be_shown_is_logged_and_the_next_question_is_answered(raised, caplog):
    shown: list[float] = []

    def fail(question, error):
        raise raised("the failure cannot be shown either")

    executor = CoalescingExecutor(lambda q: 1 / q, lambda q, a: shown.append(a), fail)
    executor.ask(0)
    assert executor.wait(5)
    assert "cannot be shown either" in caplog.text
    executor.ask(4)
    assert executor.wait(5)
    assert shown == [0.25]


def test_asked_now_the_answer_is_shown_before_it_returns():
    shown: list[int] = []
    executor_that_shows(shown, lambda q: -q).ask_now(3)
    assert shown == [-3]
