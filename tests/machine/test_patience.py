"""How much longer a machine may take: measured once, or set."""

from __future__ import annotations

import pytest

import labkit
from labkit import session
from labkit.building import build as building
from labkit.errors import UsageError
from labkit.machine import patience


def test_a_machine_of_usual_speed_gets_the_usual_limits(monkeypatch):
    monkeypatch.delenv(patience.NAME, raising=False)
    monkeypatch.setattr(patience, "_seconds", lambda: patience.USUAL / 2)
    patience.measured.cache_clear()
    assert patience.factor() == 1.0
    patience.measured.cache_clear()


def test_a_slow_machine_gets_more_and_no_hiccup_counts(monkeypatch):
    monkeypatch.delenv(patience.NAME, raising=False)
    times = iter([9.0, 20 * patience.USUAL, 9.0])
    monkeypatch.setattr(patience, "_seconds", lambda: next(times))
    patience.measured.cache_clear()
    assert patience.factor() == pytest.approx(20)
    assert building.usual_limit() == pytest.approx(20 * building.TIME_LIMIT)  # measured once
    patience.measured.cache_clear()


def test_what_is_measured_here_is_a_speed():
    patience.measured.cache_clear()
    assert 1.0 <= patience.measured() < patience.MOST


@pytest.mark.parametrize("word", ["soon", "0", "-1", "nan", "inf"])
def test_a_setting_that_is_no_factor_is_a_usage_error(word, monkeypatch):
    monkeypatch.setenv(patience.NAME, word)
    with pytest.raises(UsageError, match="LABKIT_PATIENCE.*above 0"):
        patience.factor()


def test_the_setting_makes_the_limit_of_a_build_longer(monkeypatch):
    asked = []

    def answer(request):
        asked.append(request)
        return [], {}

    monkeypatch.setattr(session, "run_to_end", answer)
    monkeypatch.setenv(patience.NAME, "3")
    labkit.build("stack")
    labkit.build("stack", time_limit=7)
    assert [request["time_limit"] for request in asked] == [90.0, 7]
