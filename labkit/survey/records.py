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
    claims      a list: name, claim, verdict, why, figures (rows, rounds folded), seconds, problem
    collection  of real execs: events, attempted, delivered, failed, balanced, seconds, problem
    left_out    what was not tried, and why: an object of texts

``problem`` is why something cannot be told here; where it is not empty, the rest is not.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_type_hints

from labkit.errors import UsageError

SCHEMA = 1
PUBLISHED = Path(__file__).resolve().parents[2] / "docs/kernels"
VARIANT, MISTAKE = "variant", "mistake"
TRIED_HERE, TRIED_THERE, READ = "tried here", "tried there", "read"
T = TypeVar("T")
_NOT_WRITTEN = ("here", "path")  # of a record: they are about its file, and who has it


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
        """How it is known: TRIED_HERE, TRIED_THERE or READ, with its source."""
        if self.source:
            return f"{READ}: {self.source}"
        return TRIED_HERE if self.here else TRIED_THERE

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain values, as its file has them."""
        plain = {name: value for name, value in asdict(self).items() if name not in _NOT_WRITTEN}
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


def read(path: str | os.PathLike[str]) -> Record:
    """Read one record. Raises UsageError, which names the file and says what is wrong with it."""
    path = Path(path)
    try:
        given = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a file that ./lab record wrote") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON ({error}); name one that ./lab record wrote") from None
    return replace(from_json(given, str(path)), path=path)


def from_json(given: Any, where: str = "the record") -> Record:
    """Return the record that these plain values are. Raises UsageError, which names ``where``."""
    if not isinstance(given, dict) or "schema" not in given:
        raise UsageError(
            f'{where} is no record: an object with "schema" is; ./lab record makes one'
        )
    schema = given["schema"]
    if type(schema) is not int or schema < 1:
        raise UsageError(f'{where}: "schema" must be a whole number from 1 to {SCHEMA}: {schema!r}')
    if schema > SCHEMA:
        raise UsageError(
            f"{where} has schema {schema}, this lab reads up to {SCHEMA}: update the lab (git pull)"
        )
    nested: dict[str, Any] = {
        "machine": _made(Machine, given.get("machine"), f'{where}, "machine"'),
        "lab": _made(Lab, given.get("lab", {}), f'{where}, "lab"'),
    }
    for name, kind in (("programs", Program), ("limits", Limit), ("claims", Told)):
        nested[name] = tuple(_list(kind, given.get(name, []), f'{where}, "{name}"'))
    run = given.get("collection")
    nested["collection"] = run and _made(Collected, run, f'{where}, "collection"')
    plain = {name: value for name, value in given.items() if name not in _NOT_WRITTEN}
    return _made(Record, {**plain, **nested}, where)


def _list(kind: type[T], given: object, where: str) -> Iterator[T]:
    if not isinstance(given, list):
        raise UsageError(f"{where} must be a list, not {type(given).__name__}")
    for number, one in enumerate(given):
        yield _made(kind, one, f"{where}[{number}]")


def _made(kind: type[T], given: object, where: str) -> T:
    """Make a dataclass of plain values. Unknown keys are ignored, the others' types checked."""
    if not isinstance(given, dict):
        raise UsageError(f"{where} is missing, or no object")
    types = get_type_hints(kind)
    chosen: dict[str, Any] = {}
    for one in fields(kind):  # type: ignore[arg-type]
        if one.name not in given:
            continue
        value = given[one.name]
        if not _fits(value, types[one.name]):
            raise UsageError(f"{where}: {one.name!r} cannot be {value!r:.60}")
        chosen[one.name] = value
    try:
        return kind(**chosen)
    except TypeError:
        required = next(iter(fields(kind))).name  # type: ignore[arg-type]
        raise UsageError(f"{where} lacks {required!r}") from None


def _fits(value: object, hint: Any) -> bool:
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(value, bool) and hint in (int, int | None):
        return False
    plain = getattr(hint, "__origin__", hint)
    return isinstance(value, plain)


def paths_of(named: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the files that are named: a path, a folder (its ``*.json``), a glob, or several."""
    several = [named] if isinstance(named, (str, os.PathLike)) else list(named)
    found: dict[Path, None] = {}
    for one in several:
        path = Path(one)
        if path.is_dir():
            matches: Sequence[Path] = sorted(path.glob("*.json"))
        elif path.exists() or not glob.has_magic(str(one)):
            matches = [path]
        else:
            matches = [Path(name) for name in sorted(glob.glob(str(one), recursive=True))]
        found.update(dict.fromkeys(matches))
    return list(found)


def open_records(
    named: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> Records:
    """Read the records of these files, folders or globs; ``.bad`` lists those that are none.

    Raises UsageError where nothing is named, or none of the files is a record.
    """
    good, bad = [], []
    for path in paths_of(named):
        try:
            good.append(read(path))
        except UsageError as error:
            bad.append(BadRecord(path, str(error)))
    if not good:
        why = "\n  ".join(one.why for one in bad) or f"no file is there: {named}"
        raise UsageError(f"there is no record to read:\n  {why}")
    records = Records(good)
    records.bad = tuple(bad)
    return records


def published() -> Records:
    """Return the records of ``docs/kernels``; none where that folder has none."""
    return open_records(PUBLISHED) if any(PUBLISHED.glob("*.json")) else Records()
