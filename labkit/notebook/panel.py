"""A box of widgets that reads as text and as plain HTML too, for those who have no kernel."""

from __future__ import annotations

from typing import Any

import ipywidgets

from labkit.errors import LabError
from labkit.show.style import Html, badge, page, tag


class Panel(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A box that knows its own ``words`` and ``html`` at every moment."""

    words = "nothing yet"
    html = ""

    def __repr__(self) -> str:
        return self.words

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Return the live widget and, for readers of a saved notebook, what it shows now."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return {**bundle, "text/plain": self.words, "text/html": self.html}


def error_html(error: Exception) -> str:
    """Return what went wrong in a callback: the lab's own message, or the name of a defect."""
    words = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
    lines = [tag("p", line) for line in words.splitlines()]
    sign = tag("p", badge("bad", "this did not work", data_testid="widget-error"))
    return page(sign, *lines)


def state_html(state: str, words: object, **attributes: object) -> Html:
    """Return one line that says what a widget is doing; ``state`` is for tests to wait on."""
    return Html(
        tag("p", words, data_testid="state", data_state=state, aria_live="polite", **attributes)
    )
