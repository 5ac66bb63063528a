"""An answer that takes as long as a test wants it to."""

from __future__ import annotations

import threading
from typing import Any


class Slow:
    """Answers when it is let; keeps what it was asked and how many asked at once."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.at_once = self.most_at_once = 0
        self.go = threading.Event()
        self.begun = threading.Event()
        self.lock = threading.Lock()

    def __call__(self, question: Any) -> Any:
        with self.lock:
            self.asked.append(question)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.set()
        assert self.go.wait(10)
        with self.lock:
            self.at_once -= 1
        return question
