r"""A run → a CSV and, beside it, a JSON that says what the CSV does not: the account, the versions.

Names in a CSV come from strangers. A spreadsheet takes a cell that begins with ``=`` for a formula,
so such a sign is written as ``\x3d``: the same escape that records.shown() uses for what could do
harm on a page, so that reading the file back gives the very same frame.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.collecting.records import COLUMNS, raw_bytes, shown
from labkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from labkit.collecting.collection import Run

RESULTS = Path(__file__).resolve().parents[2] / "results"
TEXTS = tuple(column.name for column in COLUMNS if column.dtype == "object")
TIMES = tuple(column.name for column in COLUMNS if column.dtype.startswith("datetime"))

ESCAPES = r"\xhh is a byte, \uhhhh a character, \\ a backslash: labkit.read_csv() undoes them"

# A formula begins with one of these, the full-width ones too. Where a comma is the decimal sign,
# spreadsheets split at ";", so a cell may also begin in the midst of ours: after a separator, a
# quotation mark or a blank. Tab and carriage return, the other beginnings, shown() has escaped.
_FORMULA = re.compile(r"""(?:^|(?<=[\s,;|"']))[=+\-@＝＋－＠]""")


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula; original() gives it back."""
    return _FORMULA.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def original(cell: str) -> str:
    """Return the text that harmless() was given, as long as that came from shown()."""
    return shown(raw_bytes(cell))


def csv_text(run: Run) -> str:
    """Return the run's frame as CSV: a line an event, times in UTC with nanoseconds."""
    frame = run.frame
    utc = {name: _utc(frame[name]) for name in TIMES}
    safe = {name: frame[name].map(harmless) for name in TEXTS}
    return str(frame.assign(**utc, **safe).to_csv(index=False, lineterminator="\n"))


def _utc(times: pd.Series[Any]) -> np.ndarray[Any, Any]:
    plain = times.dt.tz_localize(None).to_numpy("datetime64[ns]")
    return np.asarray(np.datetime_as_string(plain, unit="ns", timezone="UTC"))


def about(run: Run, csv: bytes) -> dict[str, Any]:
    """Return what goes into the JSON: the account, the versions, and what the columns mean."""
    known = run.complete and run.attached
    return {
        "variant": run.report.variant,
        "outcome": run.report.outcome,
        "seconds": round(run.seconds, 3),
        "events": len(run),
        "complete": run.complete,
        "interrupted": run.interrupted,
        "balanced": run.balanced,
        "account": run.account.reset_index().to_dict("records") if known else None,
        "versions": run.report.versions,
        "defines": list(run.report.defines),
        "columns": {column.name: column.meaning for column in COLUMNS},
        "escapes": ESCAPES,
        "csv_sha256": hashlib.sha256(csv).hexdigest(),
    }


def export_csv(run: Run, path: str | Path | None = None) -> Path:
    """Write the run to a CSV, and a JSON of the same name beside it; return the CSV's path.

    Without a path the file gets a name of its own under ``results/``, which is never one that
    exists; a path that is given is written to, whatever was there. Raises UsageError where the
    file cannot be written: the run is unharmed, and can be exported again to another place.
    """
    csv = csv_text(run).encode("utf-8")
    target = Path(path) if path is not None else _free_name(RESULTS)
    if target.suffix == ".json":
        raise UsageError(f"{target}: that name is the JSON's; give the CSV one that ends in .csv")
    facts = json.dumps(about(run, csv), indent=2, ensure_ascii=True) + "\n"
    try:
        RESULTS.mkdir(exist_ok=True)
        _write(target, csv)
        if target.is_file():  # and no pipe, which has no place beside it
            _write(target.with_suffix(".json"), facts.encode("ascii"))
    except OSError as error:
        raise UsageError(
            f"cannot write {target}: {error.strerror or error}. Nothing is lost, the run is still"
            " in memory: labkit.export_csv(run, 'A/PATH/THAT/CAN/BE/WRITTEN.csv')"
        ) from error
    return target


def _free_name(folder: Path) -> Path:
    stem = time.strftime("exec_events_%Y%m%dT%H%M%SZ", time.gmtime())
    names = (folder / f"{stem}{suffix}.csv" for suffix in _suffixes())
    return next(name for name in names if not name.exists())


def _suffixes() -> Iterator[str]:
    yield ""
    yield from (f"_{number}" for number in itertools.count(2))


def _write(path: Path, data: bytes) -> None:
    """Write the whole file or nothing: an interrupt must not leave half a CSV under a good name."""
    place = path.resolve()
    if place.exists() and not place.is_file():
        place.write_bytes(data)  # a pipe or /dev/stdout: nothing to put in its place
        return
    descriptor, unfinished = tempfile.mkstemp(dir=place.parent, prefix=".unfinished-")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.chmod(unfinished, 0o644)  # mkstemp's own mode lets nobody else read
        os.replace(unfinished, place)
    except BaseException:
        os.unlink(unfinished)
        raise


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a CSV of export_csv() back into the frame that it was made of.

    Raises UsageError where there is no such file, or where it is no CSV of this lab.
    """
    import pandas as pd

    try:
        text = Path(path).read_bytes().decode("utf-8")
        return _parse(text)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, pd.errors.ParserError) as error:
        names = ", ".join(column.name for column in COLUMNS)
        raise UsageError(
            f"{path} is no CSV of this lab, with the columns {names}: {error}"
        ) from error


def _parse(text: str) -> pd.DataFrame:
    import pandas as pd

    kinds = {c.name: c.dtype if c.dtype in ("int64", "bool") else "object" for c in COLUMNS}
    cells = pd.read_csv(io.StringIO(text), dtype=kinds, keep_default_na=False)
    if list(cells.columns) != list(kinds):
        raise ValueError(f"it has {', '.join(map(str, cells.columns))}")
    columns: dict[str, Any] = {name: cells[name] for name in kinds}
    for name in TIMES:
        nanoseconds = np.array([_plain_time(cell) for cell in cells[name]], dtype="datetime64[ns]")
        columns[name] = pd.to_datetime(nanoseconds, utc=True)
    for name in TEXTS:
        columns[name] = np.array([original(cell) for cell in cells[name]], dtype=object)
    return pd.DataFrame(columns)


def _plain_time(cell: str) -> str:
    """NumPy has no time zones: it takes UTC without its Z."""
    if not cell.endswith("Z"):
        raise ValueError(f"{cell!r} is no time in UTC")
    return cell[:-1]
