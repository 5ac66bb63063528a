"""Many runs, of many machines, as one table: a folder of Parquet files → a Dask DataFrame.

pyarrow finds the row groups that are wanted, by their statistics and by the host that a file names;
Dask reads them, one a partition, on as many cores and machines as its cluster has.
"""

from __future__ import annotations

import glob
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.collecting.records import COLUMNS, shown
from labkit.errors import MachineError, UsageError

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd
    import pyarrow as pa
    import pyarrow.dataset as ds

HOST = "host"
FACTS = b"labkit"  # the key in a Parquet file's metadata under which export_parquet() says all else
NEEDED = "dask[dataframe,distributed]"


def open_runs(
    paths: str | Path | Iterable[str | Path],
    *,
    filters: Sequence[Any] | None = None,
) -> dd.DataFrame:
    """Return the runs of those Parquet files as one Dask DataFrame: a run's columns, and ``host``.

    ``paths`` are files of export_parquet(), or a pattern such as ``"runs/*.parquet"``. Only the
    files' metadata is read now. What is computed later reads the columns that it needs, and of
    those the row groups that may hold what ``filters`` lets through, written as pandas and Dask
    write them: ``[("host", "==", "web1"), ("cpu", "in", [0, 1])]``. A partition is a row group.
    (Count rows with ``frame.pid.count()``: for ``len(frame)`` Dask reads every column.)

    ``host`` is the name of the machine, as the file's metadata tells it, else the file's own name.
    Texts are Arrow's strings, Dask's habit. The files must be where Dask's workers are, too.
    Raises MachineError where Dask is not installed; UsageError where no file matches, one is no
    run's, or a filter names no column.
    """
    dask = _dask()
    files = _found(paths)
    schema = _schema()
    wanted = _expression(filters, schema)
    runs = [_fragment(file) for file in files]
    # With nothing that matches the first is read, and empty: a frame needs a partition.
    pieces = [piece for run in runs for piece in run.split_by_row_group(wanted, schema)] or runs[:1]
    empty = schema.empty_table().to_pandas()
    frame: dd.DataFrame = dask.from_map(_read, pieces, wanted=wanted, meta=empty, label="open-runs")
    return frame


def _dask() -> Any:
    try:
        import dask.dataframe
        import distributed  # noqa: F401  a cluster is what it is for
    except ImportError as error:
        raise MachineError(
            f"many runs are opened with Dask, which is not installed here ({error})",
            f"sudo '{sys.executable}' -m pip install '{NEEDED}'",
        ) from error
    return dask.dataframe


def _found(paths: str | Path | Iterable[str | Path]) -> list[str]:
    """Return the files that the paths and patterns stand for, each once."""
    asked = [paths] if isinstance(paths, str | Path) else list(paths)
    found = dict.fromkeys(file for one in asked for file in sorted(_matching(str(one))))
    if not found:
        told = ", ".join(repr(str(one)) for one in asked) or "an empty list"
        raise UsageError(
            f"no file matches {told}: give a pattern such as 'runs/*.parquet';"
            " labkit.export_parquet(run, 'runs/NAME.parquet') writes one"
        )
    return list(found)


def _matching(one: str) -> list[str]:
    return [one] if Path(one).is_file() else glob.glob(one, recursive=True)


def _schema() -> pa.Schema:
    import pyarrow as pa

    kinds = {
        "datetime64[ns, UTC]": pa.timestamp("ns", "UTC"),
        "int64": pa.int64(),
        "bool": pa.bool_(),
    }
    fields = [(column.name, kinds.get(column.dtype, pa.large_string())) for column in COLUMNS]
    return pa.schema([*fields, (HOST, pa.large_string())])


def _fragment(path: str) -> ds.ParquetFileFragment:
    """Return one file as pyarrow reads it, with its host as what is true of all its rows."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyarrow.fs import LocalFileSystem

    parquet, here = ds.ParquetFileFormat(), LocalFileSystem()
    try:
        plain = parquet.make_fragment(path, here)
        lacking = {column.name for column in COLUMNS} - set(plain.physical_schema.names)
        told = plain.metadata.metadata or {}
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read as Parquet: {error}") from error
    if lacking:
        raise UsageError(f"{path} is no run of this lab: it has no {', '.join(sorted(lacking))}")
    known = ds.field(HOST) == pa.scalar(_host(told, path), pa.large_string())
    return parquet.make_fragment(path, here, known)


def _host(told: dict[bytes, bytes], path: str) -> str:
    """Return whose run it is. The file may come from a stranger, and so may the name in it."""
    try:
        facts = json.loads(told.get(FACTS, b"{}"))
    except ValueError:
        facts = None
    named = facts.get(HOST) if isinstance(facts, dict) else None
    host = named if named and isinstance(named, str) else Path(path).stem
    return shown(host.encode("utf-8", "surrogatepass"))


def _expression(filters: Sequence[Any] | None, schema: pa.Schema) -> Any:
    """Return the filters as an expression of pyarrow's; None where there are none."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    if not filters:
        return None
    try:
        wanted = pq.filters_to_expression(list(filters))
        ds.dataset(schema.empty_table()).to_table(filter=wanted)  # says what it cannot do
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise UsageError(
            f"filters={filters!r} do not do: write [(COLUMN, '==', VALUE), ...], with a column of"
            f" {', '.join(schema.names)}: {str(error).splitlines()[0]}"
        ) from error
    return wanted


def _read(
    piece: ds.ParquetFileFragment, columns: list[str] | None = None, wanted: Any = None
) -> pd.DataFrame:
    """Read one row group: no more than these columns of it. Dask calls this, where the work is."""
    schema = _schema()
    frame: pd.DataFrame = piece.to_table(schema, columns=columns, filter=wanted).to_pandas()
    return frame
