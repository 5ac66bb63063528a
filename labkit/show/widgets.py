"""What the widgets say of themselves: what they are doing, and what went wrong."""

from __future__ import annotations

from markupsafe import Markup

from labkit.errors import LabError
from labkit.show.style import badge, page, tag


def error_html(error: Exception) -> str:
    """Return what went wrong in a callback: the lab's own message, or the name of a defect."""
    words = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
    lines = [tag("p", line) for line in words.splitlines()]
    sign = tag("p", badge("bad", "this did not work", data_testid="widget-error"))
    return page(sign, *lines)


def state_html(state: str, words: object, **attributes: object) -> Markup:
    """Return one line that says what a widget is doing; ``state`` is for tests to wait on."""
    return tag("p", words, data_testid="state", data_state=state, aria_live="polite", **attributes)
