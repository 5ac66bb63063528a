"""Small tables that cells and widgets show."""

from __future__ import annotations

import made_runs

from labkit.show.rows import Rows
from labkit.show.run import LONGEST_PATH, run_html


def test_rows_are_text_and_html_with_a_caption() -> None:
    rows = Rows("some <names>", ["name", "times"], [("a<b", 2)])
    assert repr(rows) == "name  times\na<b  2"
    shown = rows._repr_html_()
    assert "some &lt;names&gt;</caption>" in shown
    assert "a&lt;b</td>" in shown


def test_a_run_shows_the_time_of_day_and_cuts_a_file_name_without_end() -> None:
    made = made_runs.record(filename=b"/" + b"x" * 200)
    shown = run_html(made_runs.make_run([made]))
    assert "time (UTC)" in shown
    assert "+00:00" not in shown
    assert f">/{'x' * (LONGEST_PATH - 2)}…</span>" in shown
