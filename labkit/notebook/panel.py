"""Boxes of widgets that read as text and as plain HTML too, for those who have no kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import ipywidgets
from IPython.display import publish_display_data

from labkit.notebook.background import CoalescingExecutor
from labkit.show.live import in_page_html, static_html
from labkit.show.style import page
from labkit.show.widgets import error_html, state_html

WIDE: Any = {"width": "100%", "max_width": "60em"}  # of a slider: its number is in reach anywhere

__all__ = ["WIDE", "AskingPanel", "Panel", "Shown", "error_html", "state_html"]


class Panel(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A box that knows its own ``words`` and ``html`` at every moment."""

    words = "nothing yet"
    html = ""

    def __init__(self, rows: Sequence[Any]) -> None:
        helper = ipywidgets.HTML(in_page_html())
        helper.add_class("lab-in-page")
        super().__init__([helper, *rows])
        self.box = f"lab-panel-{self.model_id}"  # its class in the page, and no other's
        self.add_class("lab-panel")
        self.add_class(self.box)

    def __repr__(self) -> str:
        return self.words

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Return the live widget and, for readers of a saved notebook, what it shows now."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return {**bundle, "text/plain": self.words, "text/html": self.html}

    def _ipython_display_(self) -> None:
        """Show the live widget, and beside it what is left where there can be none.

        Not in one output: a front end shows one kind of it, and chooses the widget even where no
        kernel is left to bring it to life.
        """
        bundle = self._repr_mimebundle_()
        copy = static_html(bundle.pop("text/html"), self.box)
        publish_display_data(bundle)  # type: ignore[no-untyped-call]
        publish_display_data({"text/html": copy})  # type: ignore[no-untyped-call]


class Shown(NamedTuple):
    """What a panel makes of an answer: the HTML, a line of text, the state, and words for that."""

    html: str
    words: str
    state: str
    said: str


class AskingPanel(Panel):
    """Controls; what they stand for is asked in the background, and the newest answer is shown.

    ``answer(question)`` does the work. A subclass says what its controls stand for (``question``),
    what is said meanwhile (``asking``) and how an answer is shown (``shown``). The first answer is
    there before the first click, so that a saved notebook shows something real.
    """

    title = ""

    def __init__(
        self, rows: Sequence[Any], controls: Sequence[Any], answer: Callable[[Any], Any]
    ) -> None:
        self.state, self.result = ipywidgets.HTML(), ipywidgets.HTML()
        self.answer: Any = None  # the one that is shown; None after a failure
        self.builds = CoalescingExecutor(answer, self._show, self._fail)
        super().__init__([*rows, self.state, self.result])
        for control in controls:
            control.observe(self._asked, "value")
        self.builds.ask_now(self.question)

    @property
    def question(self) -> Any:
        """What the controls stand for at this moment."""
        raise NotImplementedError

    def asking(self, question: Any) -> str:
        """Return what is said while the answer is not there yet."""
        raise NotImplementedError

    def shown(self, question: Any, answer: Any) -> Shown:
        """Return how an answer is shown."""
        raise NotImplementedError

    def _asked(self, _change: Any) -> None:
        self._say("building", self.asking(self.question))
        self.builds.ask(self.question)

    def _show(self, question: Any, answer: Any) -> None:
        self._put(question, self.shown(question, answer), answer)

    def _fail(self, question: Any, error: Exception) -> None:
        words = f"{self.title}: {question}: {error}"
        self._put(question, Shown(error_html(error), words, "failed", f"{question}: failed."), None)

    def _put(self, question: Any, shown: Shown, answer: Any) -> None:
        self.answer = answer
        self.html, self.words = shown.html, shown.words
        self.result.value = shown.html
        if question == self.question:  # else a later click already waits for its own answer
            self._say(shown.state, shown.said)

    def _say(self, state: str, words: str) -> None:
        self.state.value = page(state_html(state, words, data_question=self.question))
