"""./lab test: every step runs, one summary, one exit status, and an end when one has had enough."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tools import test as lab_test

PASSES, FAILS = ["-c", "print('passes')"], ["-c", "raise SystemExit(3)"]


@pytest.fixture(autouse=True)
def _signals():
    """It takes over this process's signals; the tests after this one want theirs back."""
    taken = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(sign) for sign in taken]
    yield
    for sign, handler in zip(taken, before, strict=True):
        signal.signal(sign, handler)


def test_one_failure_fails_all_but_stops_none(monkeypatch, capfd) -> None:
    steps = {"first": FAILS, "second": PASSES, "third": FAILS}
    monkeypatch.setattr(lab_test, "plan", lambda fast, options: steps)
    assert lab_test.main([]) == 1
    out, err = capfd.readouterr()
    assert out == "passes\n"
    assert err.endswith("failed: first, third\n")


def test_all_passed_is_0(monkeypatch, capfd) -> None:
    monkeypatch.setattr(lab_test, "plan", lambda fast, options: {"only": PASSES})
    assert lab_test.main([]) == 0
    assert "failed" not in capfd.readouterr().err


def pytest_words(fast: bool, *options: str) -> list[list[str]]:
    return [words for name, words in lab_test.plan(fast, options).items() if "pytest" in name]


@pytest.mark.parametrize("fast", [False, True])
def test_what_measures_runs_alone_and_each_test_runs_once(fast: bool) -> None:
    together, alone = pytest_words(fast)
    assert "-n" in together
    assert "-n" not in alone
    for markers in ({"live"}, {"browser"}, {"live", "browser"}, {"live", "slow"}, {"slow"}, set()):
        runs = [chosen(words, markers) for words in (together, alone)]
        left_out = fast and markers & {"browser", "slow"}
        assert sum(runs) == (0 if left_out else 1), markers


def chosen(words: list[str], markers: set[str]) -> bool:
    """Evaluate the -m expression as pytest does."""
    names = {name: name in markers for name in ("live", "browser", "slow")}
    return bool(eval(words[words.index("-m", 2) + 1], names))


def test_options_go_to_one_serial_run_as_they_are() -> None:
    assert pytest_words(False, "-k", "two words") == [["-m", "pytest", "-k", "two words"]]
    [words] = pytest_words(True, "tests/test_cli.py")
    assert words[-1] == "tests/test_cli.py"
    assert "-n" not in words


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_stop_it_ends_the_step_and_begins_no_other(sign: int) -> None:
    code = """if True:
        from tools import test
        wait = "import time; print('under way', flush=True); time.sleep(60)"
        test.plan = lambda fast, options: {"a": ["-c", wait], "b": ["-c", "print('second')"]}
        raise SystemExit(test.main([]))"""
    pipe = subprocess.PIPE
    environment = {**os.environ, "PYTHONPATH": str(lab_test.ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=pipe, stderr=pipe, text=True, env=environment
    ) as process:
        assert process.stdout.readline() == "under way\n"
        process.send_signal(sign)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
