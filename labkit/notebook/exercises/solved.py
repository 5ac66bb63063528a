"""Which exercises this machine has seen solved: noted in results/, shown as a panel.

A file that cannot be read is no reason to stop: the exercises work without it, and it is begun
anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labkit import results
from labkit.notebook.feedback import Feedback

FILE = "exercises.json"
LARGEST = 1 << 16  # bytes: a larger file is none of ours
TITLES = {
    "predict": "predict who refuses",
    "shrink": "shrink until it fits",
    "line": "find the line",
    "own_scratch": "1000 bytes of scratch",
    "null_check": "without the NULL check",
    "memory": "what does it cost?",
    "loss": "lose events, but not in silence",
    "longest_gap": "the longest silence",
    "clean": "leave nothing behind",
    "direct": "no scratch at all",
}
# The names that the notebook's cells fill.
NAMES = ("frames", "keep", "puzzle", "mine", "memory", "lossy", "run", "clean", "direct")


@dataclass(frozen=True)
class Progress:
    """When each exercise was first seen solved: ``solved`` holds a text of UTC by its key."""

    solved: dict[str, str]
    problem: str = ""  # why the file tells nothing

    def rows(self) -> Iterator[tuple[int, str, str]]:
        """Yield number, title and day of each exercise; the day is empty where it is not solved."""
        for number, (key, title) in enumerate(TITLES.items(), 1):
            yield number, title, self.solved.get(key, "")[:10]

    def __str__(self) -> str:
        return f"{len(self.solved)} of {len(TITLES)} exercises solved on this machine"

    def __repr__(self) -> str:
        lines = [
            f"{'✔' if day else '–'} {number:>2} {title}{f' ({day})' if day else ''}"
            for number, title, day in self.rows()
        ]
        return "\n".join([str(self), *lines, *filter(None, [self.problem])])

    def _repr_html_(self) -> str:
        from labkit.show.exercises import progress_html

        return progress_html(self)


def _path() -> Path:
    return results.RESULTS / FILE


def progress() -> Progress:
    """Return which exercises this machine has seen solved."""
    try:
        found = _read(_path())
    except FileNotFoundError:
        return Progress({})
    except (OSError, ValueError, RecursionError) as error:
        told = f"results/{FILE} cannot be read ({error}): what was solved before is not known"
        return Progress({}, told)
    return Progress({key: found[key] for key in TITLES if key in found})


def _read(path: Path) -> dict[str, str]:
    """Return the keys of what is solved, and when. Raises OSError, ValueError."""
    with path.open("rb") as file:
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise ValueError("it is too large")
    told: Any = json.loads(raw)
    found = told.get("solved") if isinstance(told, dict) else None
    if not isinstance(found, dict) or not all(isinstance(when, str) for when in found.values()):
        raise ValueError("it has another form")
    return found


def note(key: str) -> str:
    """Note that an exercise is solved; return a sentence if that could not be written."""
    try:
        results.RESULTS.mkdir(exist_ok=True)
        with _alone(results.RESULTS):
            found = progress().solved
            if key not in found:
                _write(found | {key: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
    except OSError as error:
        return f"That it is solved could not be noted in results/{FILE}: {error.strerror}."
    return ""


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other notebooks from writing meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(found: dict[str, str]) -> None:
    """Replace the file as a whole. Raises OSError, and then leaves the old one."""
    new = _path().with_suffix(".new")
    new.write_text(json.dumps({"solved": found}, indent=2) + "\n", encoding="utf-8")
    try:
        owner = results.RESULTS.stat()
        if os.geteuid() == 0:  # what root writes into somebody's checkout is theirs
            os.chown(new, owner.st_uid, owner.st_gid)
        os.replace(new, _path())
    except OSError:
        new.unlink(missing_ok=True)
        raise


Check = Callable[..., Feedback]


def noted(key: str) -> Callable[[Check], Check]:
    """Have a check note in the file that its exercise is solved."""

    def wrap(check: Check) -> Check:
        @functools.wraps(check)
        def asked(*arguments: Any, **named: Any) -> Feedback:
            feedback = check(*arguments, **named)
            problem = note(key) if feedback.right else ""
            return replace(feedback, words=(*feedback.words, problem)) if problem else feedback

        return asked

    return wrap


def begin() -> Progress:
    """Return the panel; and give the names that the cells fill a value, where they have none.

    So a check whose cell has not been run yet says that, and not NameError.
    """
    with contextlib.suppress(ImportError):
        from IPython import get_ipython

        shell: Any = get_ipython()
        for name in NAMES if shell else ():
            shell.user_ns.setdefault(name, None)
    return progress()
