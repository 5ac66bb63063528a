"""What a record holds, how it is written, and how it is read again.

A record is a JSON object of schema 1. All keys but ``schema`` and ``machine`` may be missing:

    schema      1. A reader refuses a newer number; keys that it does not know it ignores.
    machine     kernel (required; ``uname -r``), build, distribution, arch, cpu, possible_cpus,
                online_cpus (as the kernel writes them, such as ``0-3``), bcc, llvm, bcc_python,
                python, virtual (none, kvm, qemu, ...), emulated (true, false, null: not known)
    when        UTC, ISO 8601: when it was begun
    lab         version and commit (empty if it is no checkout) of the lab that wrote it
    name        whose machine, if somebody said so; a label, no more
    problem     why there is nothing to tell of this machine
    source      where it was read, if nobody tried it: an address, a kernel's commit
    seconds     how long it took
    programs    a list: name, group (variant, mistake), outcome (one of
                labkit.program.outcomes.OUTCOMES), gate (compiler, verifier, machine: who refused),
                message (the decisive line), reason (the explanation's key), stack_depth (bytes),
                instructions (that the verifier walked), declared (what the file says of this
                kernel), agrees, disagreement (in what not), seconds, problem, source
    limits      a list: program_type, alone, along_chain (two equal frames, added up), in bytes;
                problem
    claims      a list: name, claim, verdict, why, asked (with which numbers it was measured, where
                they were smaller than those of ``./lab prove``), figures (rows, rounds folded),
                seconds, problem
    collection  of real execs: events, attempted, delivered, failed, balanced, seconds, problem
    left_out    what was not tried, and why: an object of texts

``problem`` is why something cannot be told here; where it is not empty, the rest is not.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from labkit.errors import UsageError

SCHEMA = 1
VARIANT, MISTAKE = "variant", "mistake"
TRIED_HERE, TRIED_THERE, READ, NOBODY = "tried here", "tried there", "read", "not tried"
NOT_WRITTEN = ("here", "path")  # of a record: they are about its file, and who has it


@dataclass(frozen=True)
class Machine:
    """What decides the verdicts of a machine. Texts are empty where it is not known."""

    kernel: str
    build: str = ""
    distribution: str = ""
    arch: str = ""
    cpu: str = ""
    possible_cpus: str = ""
    online_cpus: str = ""
    bcc: str = ""
    llvm: str = ""
    bcc_python: str = ""
    python: str = ""
    virtual: str = ""
    emulated: bool | None = None

    def __str__(self) -> str:
        cpus = f"CPUs {self.online_cpus} of {self.possible_cpus}" if self.possible_cpus else ""
        tools = {"bcc": self.bcc, "LLVM": self.llvm, "Python": self.bcc_python}
        named = (f"{name} {version}" for name, version in tools.items() if version)
        emulated = "emulated" if self.emulated else ""
        parts = (f"Linux {self.kernel}", self.arch, self.distribution, *named, cpus, emulated)
        return ", ".join(filter(None, parts))


@dataclass(frozen=True)
class Program:
    """What became of one program of bpf/."""

    name: str
    group: str = MISTAKE
    outcome: str = ""
    gate: str = ""
    message: str = ""
    reason: str = ""
    stack_depth: int | None = None
    instructions: int | None = None
    declared: str = ""
    agrees: bool | None = None
    disagreement: str = ""
    seconds: float = 0.0
    problem: str = ""
    source: str = ""


@dataclass(frozen=True)
class Limit:
    """How much stack a type of program has, in bytes."""

    program_type: str
    alone: int | None = None
    along_chain: int | None = None
    problem: str = ""

    @property
    def words(self) -> str:
        """The limit in words: of one frame, and of a chain."""
        if self.alone is None:
            return ""
        chain = self.along_chain
        if chain is None:
            return f"{self.alone} bytes"
        return f"{self.alone} bytes {'each' if chain > self.alone else 'together'}"


@dataclass(frozen=True)
class Told:
    """A claim's verdict, and the figures that it follows from."""

    name: str
    claim: str = ""
    verdict: str = ""
    why: str = ""
    asked: dict[str, float] = field(default_factory=dict)
    figures: list[Any] = field(default_factory=list)
    seconds: float = 0.0
    problem: str = ""


@dataclass(frozen=True)
class Collected:
    """A short collection of real execs."""

    events: int = 0
    attempted: int = 0
    delivered: int = 0
    failed: int = 0
    balanced: bool | None = None
    seconds: float = 0.0
    problem: str = ""


@dataclass(frozen=True)
class Lab:
    """Which lab wrote a record."""

    version: str = ""
    commit: str = ""


@dataclass(frozen=True)
class Record:
    """What was tried on one machine. ``here``: by this process; ``path``: the file it came from."""

    machine: Machine
    schema: int = SCHEMA
    when: str = ""
    lab: Lab = Lab()
    name: str = ""
    problem: str = ""
    source: str = ""
    seconds: float = 0.0
    programs: tuple[Program, ...] = ()
    limits: tuple[Limit, ...] = ()
    claims: tuple[Told, ...] = ()
    collection: Collected | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    here: bool = False
    path: Path | None = None

    @property
    def basis(self) -> str:
        """How it is known: TRIED_HERE, TRIED_THERE, READ with its source, or NOBODY tried it."""
        if self.source:
            return f"{READ}: {self.source}"
        if self.programs and all(one.source for one in self.programs):
            return READ
        if not (self.programs or self.limits or self.claims or self.collection):
            return NOBODY
        return TRIED_HERE if self.here else TRIED_THERE

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain values, as its file has them."""
        plain = {name: value for name, value in asdict(self).items() if name not in NOT_WRITTEN}
        whole: dict[str, Any] = json.loads(json.dumps(plain))  # lists, as whoever reads them gets
        return whole

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the record to a file, whole or not at all. Raises UsageError."""
        target = Path(path)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            part.write_text(json.dumps(self.to_json(), indent=1) + "\n", "utf-8")
            part.replace(target)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise UsageError(
                f"cannot write {target}: {error.strerror}; name a file in a folder of yours"
            ) from error
        return target

    def __repr__(self) -> str:
        return f"<Record of Linux {self.machine.kernel}, {self.when or 'no date'}: {self.summary}>"

    @property
    def summary(self) -> str:
        """In one line, what it holds."""
        if self.problem:
            return self.problem
        odd = [p.name for p in self.programs if p.agrees is False]
        agrees = f"not as declared: {', '.join(odd)}" if odd else "all as declared"
        return f"{len(self.programs)} programs, {agrees}; {len(self.claims)} claims"

    def __str__(self) -> str:
        from labkit.show import comparison

        return comparison.record_text(self)


class BadRecord(NamedTuple):
    """A file that is no record, and why."""

    path: Path
    why: str


class Records(tuple[Record, ...]):
    """Records in their order; ``bad`` are the files that could not be read."""

    bad: tuple[BadRecord, ...] = ()
