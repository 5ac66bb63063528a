"""Run a reader's program under a known load: what it sent, and what it counted.

Programs of many names are started, in an order and of lengths that are others each time. The ring
buffer is small, so that it soon holds what older events left in it; it is emptied first, and then
not any more, so that some events cannot be sent.
"""

from __future__ import annotations

import contextlib
import mmap
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.building.build import layout
from labkit.building.report import BuildReport
from labkit.claims import measuring, minimal_elf
from labkit.claims.measuring import RING, Trial, Unmeasurable
from labkit.collecting import records
from labkit.collecting.folders import EVENT
from labkit.collecting.run_file import COUNTS, percpu_values
from labkit.machine.cpus import possible_cpus
from labkit.notebook.feedback import Feedback, not_yet
from labkit.program.variants import Variant

if TYPE_CHECKING:
    import pandas as pd

RING_BYTES = max(16 << 10, mmap.PAGESIZE)  # about thirty events
NAMES, TURNS, UNREAD_TURNS = 12, 240, 160  # names; execs while the ring is emptied, and while not
COMPONENT = 200  # bytes: file systems allow 255 between two slashes

_draw = random.SystemRandom()


@dataclass(frozen=True)
class Seen:
    """What came of a program under the load. ``sent`` are the events, as long as they were sent."""

    sent: list[bytes]
    counters: np.ndarray[Any, Any]  # struct counters of bpf/exec_event.h, one a possible CPU
    names: list[bytes]  # of the programs that were started
    execs: int  # how many were

    @cached_property
    def events(self) -> np.ndarray[Any, Any]:
        """The events as records; what was not sent of one is zero here."""
        dtype = records.record_dtype(layout()[EVENT])
        size = dtype.itemsize
        whole = b"".join(raw[:size].ljust(size, b"\0") for raw in self.sent)
        return np.frombuffer(whole, dtype)

    @cached_property
    def account(self) -> pd.DataFrame:
        """One row per possible CPU, as Run.account has it."""
        return records.account(self.counters, self.events["cpu"], possible_cpus())


def run(report: BuildReport) -> Seen | Feedback:
    """Run the program of a report that was accepted, and has the maps ``events`` and ``counters``.

    Raises MachineError where no Python has bcc.
    """
    program = _variant(report, f"RINGBUF_BYTES={RING_BYTES}")
    with started_names() as paths:
        read, unread = (
            Trial((0,), _load(paths, turns), drain=drain, framed=True, read=(COUNTS,))
            for turns, drain in ((TURNS, True), (UNREAD_TURNS, False))
        )
        try:
            done = measuring.measure([program], [read, unread], statistics=False)
        except Unmeasurable as error:
            return not_yet(f"it could not be run: {error}")
    described = done.readings[-1].maps[0]
    if described[RING].get("max_entries", 0) > RING_BYTES:
        return not_yet(f"keep BPF_RINGBUF_OUTPUT({RING}, RINGBUF_PAGES): the check makes it small")
    counted = percpu_values(done.readings[-1].at_end[0][COUNTS], described[COUNTS]["layout"])
    sent = [raw for reading in done.readings for raw in reading.framed(0)]
    return Seen(sent, counted, [path.encode() for path in paths], TURNS + UNREAD_TURNS)


def largest_filled(report: BuildReport, names: list[str]) -> int | Feedback:
    """Run a program; return the most bytes other than zero that one value of these arrays holds."""
    with started_names() as paths:
        trial = Trial((0,), _load(paths, NAMES), framed=True, read=tuple(names))
        try:
            done = measuring.measure([_variant(report)], [trial], statistics=False)
        except Unmeasurable as error:
            return not_yet(f"it could not be run: {error}")
    filled = [0]
    for name in names:
        stride = -(-report.maps[name]["value_size"] // 8) * 8
        raw = np.frombuffer(done.readings[0].at_end[0][name], np.uint8)
        if len(raw) % stride == 0:
            filled.append(int(np.count_nonzero(raw.reshape(-1, stride), axis=1).max()))
    return max(filled)


def _variant(report: BuildReport, *defines: str) -> Variant:
    return Variant(
        report.variant, report.source, "a reader's own", defines=(*report.defines, *defines)
    )


def _load(paths: list[str], turns: int) -> tuple[measuring.Load, ...]:
    cpus = measuring.cpus()[-2:]
    return tuple(measuring.execs(cpu, paths, turns // len(cpus)) for cpu in cpus)


@contextlib.contextmanager
def started_names() -> Iterator[list[str]]:
    """Lend paths of a program, of different lengths: one fills data[], one is short."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder, minimal_elf.program() as program:
        full = layout()[EVENT]["size"]
        lengths = _draw.sample(range(len(folder) + 20, full - 60), NAMES - 2)
        lengths += [full, len(folder) + _draw.randint(3, 8)]
        _draw.shuffle(lengths)
        paths = [_path(folder, length) for length in lengths]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(program)
        yield [str(path) for path in paths]


def _path(folder: str, length: int) -> Path:
    """Return a path of that many characters in the folder, of letters that are others each time."""
    rest = length - len(folder) - 1
    letters = "".join(_draw.choices("abcdefghijklmnopqrstuvwxyz", k=rest))
    cuts = range(COMPONENT, rest - 1, COMPONENT + 1)
    characters = list(letters)
    for cut in cuts:
        characters[cut] = "/"
    return Path(folder, "".join(characters))
