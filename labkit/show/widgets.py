"""What widgets and exercises show: their answers, what they are doing, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from labkit.building.report import BuildReport
from labkit.errors import LabError
from labkit.program.alternatives import Way
from labkit.show.report import report_html
from labkit.show.style import badge, c_code, headline, page, prose, table, tag

if TYPE_CHECKING:
    from labkit.notebook.feedback import Feedback


def error_html(error: Exception) -> str:
    """Return what went wrong in a callback: the lab's own message, or the name of a defect."""
    words = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
    lines = [tag("p", line) for line in words.splitlines()]
    sign = tag("p", badge("bad", "this did not work", data_testid="widget-error"))
    return page(sign, *lines)


def state_html(state: str, words: object, **attributes: object) -> Markup:
    """Return one line that says what a widget is doing; ``state`` is for tests to wait on.

    A screen reader reads each change aloud: see labkit.show.live.
    """
    return tag("p", words, data_testid="state", data_state=state, **attributes)


def frame_verdicts(size: int, passed: dict[str, bool]) -> tuple[str, str]:
    """Return the verdict of each gate on a frame of ``size`` bytes: as HTML, and as a line."""
    rows, words = [], []
    for gate, good in passed.items():
        kind, verdict = ("good", "lets it through") if good else ("bad", "refuses it")
        sign = badge(kind, verdict, data_testid=f"limit-{gate}", data_size=size)
        rows.append([f"the {gate}", sign])
        words.append(f"the {gate} {verdict}")
    head = f"a frame of {size} bytes"
    return page(table([], rows, head)), f"{head}: {', '.join(words)}"


def alternative_html(way: Way, report: BuildReport) -> str:
    """Return what there is to know of a way out: since when, when to choose it, file, verdict."""
    words = f"{way.title}. Since Linux {way.since}. When to choose it: {way.choose}."
    program = c_code(way.path.read_text("utf-8"))
    return page(tag("p", words), headline(way.path.name), program) + report_html(report)


def feedback_html(feedback: Feedback) -> str:
    """Return whether an answer to an exercise is right, and the words with it."""
    sign = badge("good" if feedback.right else "none", feedback.verdict, data_testid="answer")
    return page(tag("p", sign), *(tag("p", prose(line)) for line in feedback.words))
