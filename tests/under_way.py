"""A collection that is under way, in whichever process: its file is in use and has events."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

import kernel

from labkit.collecting import folders


def collects(before: Container[Path] = ()) -> bool:
    """Whether events come in; only of those who write into this test run's folder.

    ``before``: files that were there already. The worker of a test that is over may still end.
    """
    files = (one for one in folders.left_files() if one.path not in before)
    return any(one.in_use and one.events for one in files)


def seen(program: Path) -> int:
    """Return how many execs of a program, of a path of its own, have been written so far."""
    name = os.fsencode(program)
    return max((one.path.read_bytes().count(name) for one in folders.left_files()), default=0)


@contextmanager
def interrupts(pid: int) -> Iterator[set[int]]:
    """Send SIGINT once the first events are in. Fills a set with the programs held by then."""
    programs: set[int] = set()
    before = {one.path for one in folders.left_files()}

    def watch() -> None:
        if kernel.wait_until(lambda: collects(before), 60):
            programs.update(kernel.programs(pid))
            os.kill(pid, signal.SIGINT)

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield programs
    watcher.join()
