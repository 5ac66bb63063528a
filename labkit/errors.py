"""What labkit raises. A refused build is no exception: it is a report.

LabError
├── MachineError      this machine cannot: not root, no bcc, no tracefs; says the mending command
├── UsageError        what was asked for does not exist; names what does
├── WorkerError       the worker ended in a way that no report can tell
└── BuildRefused      only from BuildReport.raise_for_refusal()
"""

from __future__ import annotations


class LabError(Exception):
    """Anything that labkit raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """Show the message alone in a notebook: the library's insides would not help there."""
        return [f"{type(self).__name__}: {self}"]


class MachineError(LabError):
    """Something that this machine lacks.

    ``mend`` is the command, or the sentence, that says what to do about it.
    """

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(f"{reason}\n  To mend it: {mend}")
        self.reason = reason
        self.mend = mend


class UsageError(LabError, ValueError):
    """A name or a number that labkit does not know."""


class WorkerError(LabError):
    """The worker process ended before it could answer."""


class BuildRefused(LabError):
    """A build was refused and raise_for_refusal() was called."""
