"""Reading records: one file, many, and those that are published. The schema is in records.py."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from labkit.errors import UsageError
from labkit.survey.records import (
    NOT_WRITTEN,
    SCHEMA,
    BadRecord,
    Collected,
    Lab,
    Limit,
    Machine,
    Program,
    Record,
    Records,
    Told,
)

PUBLISHED = Path(__file__).resolve().parents[2] / "docs/kernels"
T = TypeVar("T")


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
    plain = {name: value for name, value in given.items() if name not in NOT_WRITTEN}
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
