"""One kernel, or one suite's bcc and LLVM, from the archive to its record."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labkit.errors import MachineError
from labkit.survey.facts import this_lab
from labkit.survey.records import Machine, Record
from tools.kernels import guest, packages, rooms
from tools.kernels.archive import Archive
from tools.kernels.guest import Accelerator, GuestFailed

# Every guest runs on this one, so that the compiler is the same in all: the lab's oldest.
GUESTS_SUITE = "bookworm"
DISTRIBUTIONS = {"debian-12": "bookworm", "debian-13": "trixie", "debian-forky": "forky"}
RECORD = "record.json"
CPUS = (2, 1)  # of the first try, and of the second: 6.12 once died bringing up its second CPU
Say = Callable[[str], object]


@dataclass(frozen=True)
class Tried:
    """How a record came about: where it ran, from which packages, in how many seconds."""

    name: str  # "6.1", "debian-12"
    packages: list[str] = field(default_factory=list)
    how: str = ""
    cpus: int = 0
    seconds: float = 0.0
    earlier: list[str] = field(default_factory=list)  # what went wrong with an earlier try


@dataclass(frozen=True)
class Found:
    """What came of it: a record as its file has it, and how it came about."""

    tried: Tried
    record: dict[str, Any]

    def written(self) -> str:
        """Return the file: the record, and ``tried``, which a reader of records ignores."""
        return json.dumps({**self.record, "tried": asdict(self.tried)}, indent=1) + "\n"


def nothing(tried: Tried, why: str) -> Found:
    """Return the row of what could not be had: never a silent gap."""
    lack = Record(Machine(kernel=tried.name), problem=why)
    return Found(tried, lack.to_json())


def kept(files: dict[str, bytes], folder: Path) -> dict[str, Any]:
    """Write the files that were brought back into a folder; return the record among them."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    for name, content in files.items():
        path = folder / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if RECORD not in files:
        raise GuestFailed(f"it wrote no {RECORD}: see {folder}")
    record: dict[str, Any] = json.loads(files[RECORD])
    # The checkout there is a copy without its history: which one it is, is known here.
    return {**record, "lab": asdict(this_lab())}


def command(claims: str) -> tuple[str, ...]:
    """Return what runs on each kernel, in the checkout there."""
    return ".venv/bin/python", "-m", "tools.kernels.inside", "/out", claims


@dataclass
class Kernels:
    """All that trying a kernel needs; made once, used for each."""

    archive: Archive
    cache: Path
    results: Path
    ramdisk: Path
    minutes: float
    how: Accelerator | None = None

    def try_one(self, name: str, kernel: packages.Kernel | None, say: Say) -> Found:
        """Get a kernel, boot it, bring its record back; a second try with one CPU."""
        tried, began, earlier = Tried(name), time.monotonic(), []
        if kernel is None:
            return nothing(tried, f"no suite of the archive has a kernel of {name} any more")
        try:
            bootable = packages.get(self.archive, kernel, self.cache)
        except MachineError as error:
            return nothing(tried, error.reason)
        for cpus in CPUS:
            began = time.monotonic()
            try:
                record = self._boot(name, bootable, cpus, say)
            except GuestFailed as error:
                say(f"with {cpus} CPUs: {error}")
                earlier.append(f"with {cpus} CPUs: {error}")
                continue
            tried = Tried(
                name, bootable.packages, self._how(bootable, say).told, cpus, earlier=earlier
            )
            return Found(_timed(tried, began), record)
        told = Tried(name, bootable.packages, self._how(bootable, say).told, earlier=earlier)
        return nothing(_timed(told, began), "; ".join(earlier))

    def _boot(self, name: str, bootable: packages.Bootable, cpus: int, say: Say) -> dict[str, Any]:
        folder = self.results / name
        folder.mkdir(parents=True, exist_ok=True)
        how, seconds = self._how(bootable, say), self.minutes * 60
        files = guest.run(bootable.vmlinuz, self.ramdisk, how, cpus, seconds, folder, say)
        return kept(files, folder)

    def _how(self, bootable: packages.Bootable, say: Say) -> Accelerator:
        if self.how is None:
            self.how = guest.accelerator(bootable.vmlinuz, self.ramdisk, say)
            say(self.how.told)
        return self.how


def _timed(tried: Tried, began: float) -> Tried:
    return Tried(**{**asdict(tried), "seconds": round(time.monotonic() - began, 1)})


def try_distribution(name: str, cache: Path, results: Path, claims: str, say: Say) -> Found:
    """Have a suite's own bcc, LLVM and Python make a record on this machine's kernel."""
    tried, suite = Tried(name, how="this machine's own kernel"), DISTRIBUTIONS[name]
    try:
        folder = rooms.room(suite, cache, say)
        began = time.monotonic()
        say(f"the lab in {suite}")
        files = rooms.run_in_room(folder, command(claims))
        return Found(_timed(tried, began), kept(files, results / name))
    except (MachineError, GuestFailed) as error:
        return nothing(tried, str(error))
