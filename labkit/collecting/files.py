r"""A run → a CSV with a JSON that says what it does not (account, clock, versions), or Parquet.

Names in a CSV come from strangers. A spreadsheet takes a cell that begins with ``=`` for a formula,
so such a sign is written as ``\x3d``: the same escape that records.shown() uses for what could do
harm on a page, so that reading the file back gives the very same frame.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import os
import platform
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.collecting.records import (
    COLUMNS,
    each_text,
    plain_texts,
    raw_bytes,
    shown,
    to_pandas,
)
from labkit.errors import UsageError
from labkit.results import RESULTS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from labkit.collecting.run import Run

AT_ONCE = 1 << 16  # rows that are made text at a time
TEXTS = tuple(column.name for column in COLUMNS if column.dtype == "str")
TIMES = tuple(column.name for column in COLUMNS if column.dtype.startswith("datetime"))

ESCAPES = (
    r"\xhh is a byte, \uhhhh or \Uhhhhhhhh a character, \\ a backslash: labkit.read_csv() undoes"
    " them"
)

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


def csv_chunks(run: Run) -> Iterator[str]:
    """Yield the run's table as CSV, piece by piece: one line per event, UTC with nanoseconds."""
    table = run.arrow()
    yield ",".join(table.column_names) + "\n"
    for start in range(0, len(table), AT_ONCE):
        rows = table.slice(start, AT_ONCE)
        seconds, nanoseconds = np.divmod(rows["time"].cast("int64").to_numpy(), 10**9)
        columns = [
            rows[name].to_numpy().tolist() for name in ("cpu", "pid", "data_ok", "timestamp")
        ]
        yield "".join(
            f"{second}.{nanosecond:09d}Z,{cpu},{pid},{comm},{filename},{data_ok},{timestamp}\n"
            for second, nanosecond, cpu, pid, data_ok, timestamp, comm, filename in zip(
                _second_texts(seconds),
                nanoseconds.tolist(),
                *columns,
                each_text(rows["comm"], _cell),
                each_text(rows["filename"], _cell),
                strict=True,
            )
        )


def _second_texts(seconds: np.ndarray[Any, Any]) -> Iterator[str]:
    different, which = np.unique(seconds, return_inverse=True)
    texts = np.datetime_as_string(different.astype("datetime64[s]")).tolist()
    return map(texts.__getitem__, which.tolist())


def _cell(name: str) -> str:
    text = harmless(name)
    return '"' + text.replace('"', '""') + '"' if set(',"') & set(text) else text


def csv_text(run: Run) -> str:
    """Return the run's table as CSV."""
    return "".join(csv_chunks(run))


def about(run: Run, **more: str) -> dict[str, Any]:
    """Return what no table tells: the account, the clock, the versions, what the columns mean."""
    known = run.complete and run.attached
    return {
        "variant": run.report.variant,
        "outcome": run.report.outcome,
        "seconds": round(run.seconds, 3),
        "events": len(run),
        "complete": run.complete,
        "interrupted": run.interrupted,
        "problem": run.problem,
        "balanced": run.balanced,
        "account": run.account.reset_index().to_dict("records") if known else None,
        "clock_offset": run.clock_offset,
        "host": platform.node(),
        "versions": run.report.versions,
        "defines": list(run.report.defines),
        "columns": {column.name: column.meaning for column in COLUMNS},
        "escapes": ESCAPES,
        **more,
    }


def export_csv(run: Run, path: str | Path | None = None) -> Path:
    """Write the run to a CSV, and a JSON of the same name beside it; return the CSV's path.

    Without a path the file gets a name of its own under ``results/``, which is never one that
    exists; a path that is given is written to, whatever was there. Raises UsageError where that
    cannot be done, or where the JSON's name is taken by a file that is not ours: the run is
    unharmed, and can be exported again to another place.
    """
    target = _target(path, ".csv")
    check_free(target)
    with _said(target, "export_csv"):
        sha256 = _write(target, (chunk.encode() for chunk in csv_chunks(run)))
        if target.is_file():  # and no pipe, which has no place beside it
            facts = json.dumps(about(run, csv_sha256=sha256), indent=2, ensure_ascii=True) + "\n"
            _write(target.with_suffix(".json"), [facts.encode("ascii")])
    return target


def check_free(csv: Path) -> None:
    """Raise UsageError if the name of the JSON beside a CSV is taken by something else."""
    beside = csv.with_suffix(".json")
    if csv == beside:
        raise UsageError(f"{csv}: that name is the JSON's; give the CSV one that ends in .csv")
    if not _ours_or_free(beside):
        raise UsageError(
            f"{beside} is there, and the lab did not write it: give the CSV another name, as the"
            " account goes into a JSON of the same one"
        )


def export_parquet(run: Run, path: str | Path | None = None) -> Path:
    """Write the run to a Parquet file and return its path, chosen as export_csv() does.

    It has the columns of the table. The account, the clock and the versions are JSON in its
    metadata, under ``labkit``: ``pyarrow.parquet.read_schema(path).metadata[b"labkit"]``. Raises
    UsageError where it cannot be written.
    """
    target = _target(path, ".parquet")
    made = parquet_bytes(run)
    with _said(target, "export_parquet"):
        _write(target, [made])
    return target


def parquet_bytes(run: Run) -> pa.Buffer:
    """Return what export_parquet() writes."""
    import pyarrow as pa
    from pyarrow import parquet

    table = plain_texts(run.arrow()).replace_schema_metadata({"labkit": json.dumps(about(run))})
    made = pa.BufferOutputStream()
    parquet.write_table(table, made)
    return made.getvalue()


@contextlib.contextmanager
def _said(target: Path, function: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot write {target}: {error.strerror or error}. Nothing is lost, the run is still"
            f" there: labkit.{function}(run, 'A/PATH/THAT/CAN/BE/WRITTEN{target.suffix}')"
        ) from error


def _target(path: str | Path | None, suffix: str) -> Path:
    """Return the path to write to: the one that is given, or a free one under results/."""
    if path is not None:
        return Path(path)
    with _said(RESULTS, f"export_{suffix[1:]}"):
        RESULTS.mkdir(exist_ok=True)
    stem = time.strftime("exec_events_%Y%m%dT%H%M%SZ", time.gmtime())
    endings = itertools.chain([""], (f"_{number}" for number in itertools.count(2)))
    names = (RESULTS / f"{stem}{ending}{suffix}" for ending in endings)
    return next(name for name in names if not name.exists())


def _ours_or_free(path: Path) -> bool:
    """Whether there is no such file, or one that about() made."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and {"csv_sha256", "columns"} <= found.keys()


def _write(path: Path, chunks: Iterable[bytes]) -> str:
    """Write the whole file or nothing: an interrupt must not leave half of one under a good name.

    Return the SHA-256 of what was written.
    """
    place = path.resolve()
    digest = hashlib.sha256()
    if place.exists() and not place.is_file():  # a pipe or /dev/stdout: nothing to put in its place
        with place.open("wb") as pipe:
            for chunk in chunks:
                pipe.write(chunk)
        return ""
    descriptor, unfinished = tempfile.mkstemp(dir=place.parent, prefix=".unfinished-")
    try:
        with open(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
        os.chmod(unfinished, 0o644)  # mkstemp's own mode lets nobody else read
        os.replace(unfinished, place)
    except BaseException:
        os.unlink(unfinished)
        raise
    return digest.hexdigest()


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
    import pyarrow as pa

    kinds = {c.name: c.dtype if c.dtype in ("int64", "bool") else "object" for c in COLUMNS}
    cells = pd.read_csv(io.StringIO(text), dtype=kinds, keep_default_na=False)
    if list(cells.columns) != list(kinds):
        raise ValueError(f"it has {', '.join(map(str, cells.columns))}")
    columns: dict[str, Any] = {name: cells[name].to_numpy() for name in kinds}
    for name in TIMES:
        plain = np.array([_plain_time(cell) for cell in cells[name]], dtype="datetime64[ns]")
        columns[name] = pa.array(plain).cast(pa.timestamp("ns", "UTC"))
    for name in TEXTS:
        which, different = pd.factorize(cells[name])
        texts = pa.array([original(cell) for cell in different], pa.large_string())
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(which, pa.int32()), texts)
    return to_pandas(pa.table(columns))


def _plain_time(cell: str) -> str:
    """NumPy has no time zones: it takes UTC without its Z."""
    if not cell.endswith("Z"):
        raise ValueError(f"{cell!r} is no time in UTC")
    return cell[:-1]
