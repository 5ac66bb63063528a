"""Run: what one collection brought home."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.building.report import OUTCOMES, BuildReport
from labkit.collecting import records

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass
class Run:
    """What one collection brought home.

    ``records`` are the events as the BPF program wrote them, in the order in which they left the
    ring buffer. ``counters`` are the kernel's counts and ``slots`` the per-CPU scratch at the end:
    structured arrays, one element for each id in ``cpus``.
    """

    report: BuildReport
    records: np.ndarray[Any, Any]
    counters: np.ndarray[Any, Any]
    slots: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    cpus: Sequence[int] = ()  # ids of the possible CPUs
    clock_offset: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    complete: bool = True  # False if the worker was killed: then the account is not known
    problem: str = ""  # why it ended before its time, such as a full disk
    file: Path | None = None  # where the records are kept; None once that file is deleted

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per event; the columns are labkit.collecting.records.COLUMNS."""
        return records.to_pandas(self.arrow())

    @property
    def frame(self) -> pd.DataFrame:
        """The table, by the name that pandas' users may expect."""
        return self.table

    def arrow(self) -> pa.Table:
        """Return the same table for pyarrow, made anew each time; texts are dictionary-encoded."""
        return records.to_arrow(self.records, self.clock_offset)

    @cached_property
    def account(self) -> pd.DataFrame:
        """One row per possible CPU, by its id: attempted, submitted, failed, delivered.

        Empty where it is not known, because the worker was killed.
        """
        return records.account(self.counters, self.records["cpu"], self.cpus or None)

    @property
    def attached(self) -> bool:
        """Whether the program was attached: also where the worker died after that."""
        return self.seconds > 0

    @property
    def balanced(self) -> bool:
        """Whether every attempt is accounted for, on each CPU."""
        return self.complete and records.balances(self.account)

    @property
    def ended_well(self) -> bool:
        """Whether it ended as asked for: then nothing needs to be kept for a rescue."""
        return self.complete and not self.problem

    def discard_file(self) -> None:
        """Delete the run's file. Its records stay readable for as long as this Run is there."""
        if self.file is not None:
            with contextlib.suppress(FileNotFoundError):
                self.file.unlink()
        self.file = None

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        if not self.attached:
            why = OUTCOMES[self.report.outcome]
            return f"<Run of {self.report.variant}: nothing attached; {why}>"
        if not self.complete:
            delivered = f"{len(self)} delivered, the rest is not known"
            return f"<Run of {self.report.variant}: the worker died; {delivered}>"
        total = self.account.sum()
        ended = f"; ended: {self.problem}" if self.problem else ""
        return (
            f"<Run of {self.report.variant}: {self.seconds:.1f} s, {total.attempted} attempted,"
            f" {total.delivered} delivered, {total.failed} failed{ended}>"
        )

    def _repr_html_(self) -> str:
        from labkit import show

        return show.run_html(self)
