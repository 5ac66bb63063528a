"""Answer questions one at a time, away from the notebook's own thread; the newest one wins."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class CoalescingExecutor(Generic[Q, A]):
    """Calls ``answer(question)`` in a thread of its own, one call at a time.

    One question can wait. A newer one takes its place, so that fast clicks neither pile up nor get
    lost: the last one is always answered. ``show(question, answer)`` is called for each answer,
    ``fail(question, error)`` if answering or showing raised. What ``fail`` itself raises goes to
    the log of this module; the next question is answered all the same.
    """

    def __init__(
        self,
        answer: Callable[[Q], A],
        show: Callable[[Q, A], None],
        fail: Callable[[Q, Exception], None],
    ) -> None:
        self._answer = answer
        self._show = show
        self._fail = fail
        self._lock = threading.Lock()
        self._waiting: list[Q] = []  # none or one
        self._idle = threading.Event()
        self._idle.set()

    def ask(self, question: Q) -> None:
        """Answer this as soon as the answer under way is there; return at once."""
        with self._lock:
            self._waiting = [question]
            if not self._idle.is_set():
                return
            self._idle.clear()
        threading.Thread(target=self._work, name="labkit-widget", daemon=True).start()

    def ask_now(self, question: Q) -> None:
        """Answer this in the caller's thread, and return once it is shown."""
        try:
            self._show(question, self._answer(question))
        except Exception as error:  # a callback's error would only show as a badge in a log
            self._fail(question, error)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until nothing is under way or waits; whether that came within ``seconds``."""
        return self._idle.wait(seconds)

    def _work(self) -> None:
        while waiting := self._take():
            try:
                self.ask_now(waiting[0])
            except BaseException:  # SystemExit too: a thread that ended here would stay "busy"
                logging.getLogger(__name__).exception("%r could not be shown", waiting[0])

    def _take(self) -> list[Q]:
        with self._lock:
            taken, self._waiting = self._waiting, []
            if not taken:
                self._idle.set()
            return taken
