"""What there is to see of the exercises as a whole: which are solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.show.style import badge, page, table, tag

if TYPE_CHECKING:
    from labkit.notebook.exercises.solved import Progress


def progress_html(progress: Progress) -> str:
    """Return how many exercises are solved, and a row for each."""
    rows = [
        [number, title, badge("good", f"solved {day}") if day else badge("none", "not yet")]
        for number, title, day in progress.rows()
    ]
    problem = [tag("p", progress.problem)] if progress.problem else []
    panel = table(
        ["number", "exercise", "seen solved"],
        rows,
        progress,
        data_testid="progress",
        data_solved=len(progress.solved),
    )
    return page(panel, *problem)
