"""recover(): the runs that were killed before they could hand over what they had collected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from labkit.building.report import ACCEPTED, BuildReport, Gate
from labkit.collecting.folders import closed_folders, left_files
from labkit.collecting.run import Run
from labkit.collecting.run_file import RunFile
from labkit.errors import UsageError


class Recovered(Sequence[Run]):
    """The runs found, the oldest first, each a Run like any other but for its account.

    ``labkit.export_csv(found[0])`` writes one out, ``found[0].discard_file()`` deletes its file;
    nothing else does. ``under_way`` names files that other processes have open, ``closed`` says
    which folders this user may not read.
    """

    def __init__(
        self, runs: Sequence[Run], under_way: Sequence[str] = (), closed: Sequence[str] = ()
    ) -> None:
        self.runs = tuple(runs)
        self.under_way = tuple(under_way)
        self.closed = tuple(closed)

    def __getitem__(self, index: Any) -> Any:
        return self.runs[index]

    def __len__(self) -> int:
        return len(self.runs)

    def __repr__(self) -> str:
        lines = [
            f"[{n}] {run.report.variant}: {len(run):,} events in {run.seconds:.1f} s, in {run.file}"
            for n, run in enumerate(self.runs)
        ]
        told = lines or ([] if self.closed else ["no run was left unfinished"])
        under_way = (f"under way: {one}" for one in self.under_way)
        return "\n".join([*told, *under_way, *self.closed])


def recover(path: str | Path | None = None) -> Recovered:
    """Return the runs whose collection was killed: their events are all there, as written.

    Without ``path`` it looks where the lab keeps runs' files. The account of such a run is not
    known (``complete`` is False). Nothing is deleted. Raises UsageError for a path that is not one.
    """
    if path is not None:
        return Recovered([open_run(Path(path))])
    found = left_files()
    return Recovered(
        [open_run(one.path) for one in found if not one.in_use],
        [str(one) for one in found if one.in_use],
        closed_folders(),
    )


def open_run(path: Path) -> Run:
    """Return the run in a file, as far as it was written. Raises UsageError."""
    try:
        file = RunFile(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot recover {path}: {error}") from error
    facts = file.facts
    passed = (Gate("compiler", True), Gate("verifier", True))  # it was attached, so both let it in
    report = BuildReport(
        facts["variant"],
        ACCEPTED,
        passed,
        compiler_log="",
        verifier_text="",
        how_lifted=None,
        versions=facts["versions"],
        defines=tuple(facts["defines"]),
        source=facts["source"],
        file_name=facts["file_name"],
    )
    run = Run(
        report=report,
        records=file.records(),
        counters=np.zeros(0, file.counters().dtype),
        cpus=facts["cpus"],
        clock_offset=facts["clock_offset"],
        seconds=file.seconds,
        complete=False,
        file=path,
    )
    file.close()
    return run
