"""A folder of Parquet files is one table: whose row is whose, and nothing read without need."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import made_runs
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labkit
from labkit.collecting import fleet
from labkit.collecting.records import COLUMNS, plain_texts

ROWS = 1000
ROW_GROUP = 250


def write(table: pa.Table, path: Path, host: str | None) -> Path:
    """Write a table as export_parquet() does: one that knows its host says it in its metadata."""
    facts = {fleet.FACTS: json.dumps({"host": host})} if host else None
    pq.write_table(table.replace_schema_metadata(facts), path, row_group_size=ROW_GROUP)
    return path


@pytest.fixture(scope="module")
def events() -> pa.Table:
    made = [
        made_runs.record(pid=n, cpu=n % 2, timestamp=n, comm=b"web" if n % 3 else b"db")
        for n in range(1, ROWS + 1)
    ]
    return plain_texts(made_runs.make_run(made).arrow())


@pytest.fixture
def runs(events: pa.Table, tmp_path: Path) -> Path:
    """Return a folder of two machines' runs."""
    for host in ("alpha", "beta"):
        write(events, tmp_path / f"run_of_{host}.parquet", host)
    return tmp_path


def spoil(path: Path, column: str, row_group: int) -> None:
    """Overwrite a column's pages in one row group: whoever reads them fails."""
    whole = pq.ParquetFile(path)
    chunk = whole.metadata.row_group(row_group).column(whole.schema_arrow.names.index(column))
    start = min(filter(None, [chunk.dictionary_page_offset, chunk.data_page_offset]))
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * chunk.total_compressed_size)


def test_two_machines_are_one_table_with_the_columns_of_a_run_and_the_host(runs: Path) -> None:
    frame = labkit.open_runs(f"{runs}/*.parquet")
    assert list(frame.columns) == [*(column.name for column in COLUMNS), "host"]
    read = frame.compute()
    assert read.groupby("host").size().to_dict() == {"alpha": ROWS, "beta": ROWS}
    plain = pq.read_table(runs / "run_of_alpha.parquet").to_pandas()
    mine = read[read.host == "alpha"].drop(columns="host").reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, plain, check_dtype=False)
    assert str(frame.dtypes["time"]) == "datetime64[ns, UTC]"


def test_an_exported_run_tells_its_machine(tmp_path: Path) -> None:
    run = made_runs.make_run()
    read = labkit.open_runs(labkit.export_parquet(run, tmp_path / "run.parquet")).compute()
    assert set(read.host) == {platform.node()}
    pd.testing.assert_frame_equal(read.drop(columns="host"), run.table, check_dtype=False)


def test_a_file_that_does_not_know_its_host_is_called_by_its_name(
    events: pa.Table, tmp_path: Path
) -> None:
    path = write(events, tmp_path / "laptop.parquet", None)
    assert set(labkit.open_runs(path).host.compute()) == {"laptop"}


@pytest.mark.parametrize(
    ("told", "host"),
    [
        ('{"host": "\\u001b[31mred"}', "\\x1b[31mred"),
        ('{"host": "\\ud800"}', "\\xed\\xa0\\x80"),
        ('{"host": ""}', "run"),
        ('{"host": 7}', "run"),
        ("[]", "run"),
        ("{", "run"),
    ],
)
def test_a_strangers_file_may_say_anything(
    events: pa.Table, tmp_path: Path, told: str, host: str
) -> None:
    path = tmp_path / "run.parquet"
    pq.write_table(events.replace_schema_metadata({fleet.FACTS: told}), path)
    assert set(labkit.open_runs(path).host.compute()) == {host}


def test_a_column_that_is_not_asked_for_is_not_read(runs: Path) -> None:
    for group in range(ROWS // ROW_GROUP):
        spoil(runs / "run_of_alpha.parquet", "filename", group)
    frame = labkit.open_runs(f"{runs}/*.parquet")
    assert frame.cpu.sum().compute() == ROWS
    assert frame.groupby("host").pid.max().compute().to_dict() == {"alpha": ROWS, "beta": ROWS}
    assert frame.pid.count().compute() == 2 * ROWS
    with pytest.raises(OSError, match="(?i)page|corrupt|thrift"):
        frame.filename.compute()


def test_row_groups_that_cannot_match_are_not_read(runs: Path) -> None:
    spoil(runs / "run_of_alpha.parquet", "pid", 0)
    late = labkit.open_runs(f"{runs}/*.parquet", filters=[("timestamp", ">", ROWS - 10)])
    assert late.npartitions == 2  # the last of each file
    assert late.pid.min().compute() == ROWS - 9
    with pytest.raises(OSError, match="(?i)page|corrupt|thrift"):
        labkit.open_runs(f"{runs}/*.parquet").pid.min().compute()


def test_a_filter_leaves_out_rows_too_and_other_hosts_altogether(runs: Path) -> None:
    spoil(runs / "run_of_beta.parquet", "comm", 1)
    filters = [("host", "==", "alpha"), ("comm", "in", ["db"])]
    frame = labkit.open_runs(f"{runs}/*.parquet", filters=filters).compute()
    assert (set(frame.host), set(frame.comm), len(frame)) == ({"alpha"}, {"db"}, ROWS // 3)


def test_a_filter_that_nothing_matches_is_an_empty_table(runs: Path) -> None:
    frame = labkit.open_runs(f"{runs}/*.parquet", filters=[("host", "==", "gamma")])
    assert len(frame.compute()) == 0
    assert "pid" in frame.columns


@pytest.mark.parametrize(
    "filters", [[("machine", "==", "a")], [("cpu", "==", "one")], [("cpu", "~", 1)], "cpu == 1"]
)
def test_a_filter_that_is_none_says_how_one_is_written(runs: Path, filters) -> None:
    with pytest.raises(labkit.UsageError, match=r"filters=.*COLUMN.*cpu, pid.*host: ."):
        labkit.open_runs(f"{runs}/*.parquet", filters=filters)


def test_a_folder_without_runs_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(labkit.UsageError, match=r"no file matches '.*nowhere.*export_parquet"):
        labkit.open_runs(tmp_path / "nowhere" / "*.parquet")


def test_a_file_of_something_else_is_named(runs: Path) -> None:
    other = runs / "other.parquet"
    pq.write_table(pa.table({"pid": [1]}), other)
    with pytest.raises(labkit.UsageError, match=r"other\.parquet is no run.*no .*comm.*cpu"):
        labkit.open_runs(runs / "*.parquet")
    other.write_text("time,cpu,pid\n")
    with pytest.raises(labkit.UsageError, match=r"other\.parquet cannot be read as Parquet"):
        labkit.open_runs(runs / "*.parquet")


def test_without_dask_the_command_that_installs_it_is_told(monkeypatch, runs: Path) -> None:
    monkeypatch.setitem(sys.modules, "dask.dataframe", None)
    with pytest.raises(labkit.MachineError, match=r"pip install 'dask\[dataframe,distributed\]'"):
        labkit.open_runs(f"{runs}/*.parquet")


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_million_events_on_two_worker_processes(tmp_path: Path) -> None:
    """Made from a real run: its rows, again and again."""
    from distributed import Client, LocalCluster

    run = labkit.collect("percpu", seconds=2, workload=labkit.exec_storm(rate=0))
    once = pq.read_table(labkit.export_parquet(run, tmp_path / "once.parquet"))
    (tmp_path / "once.parquet").unlink()
    machines, wanted = 10, 1_000_000
    repeated = pa.concat_tables([once] * -(-wanted // len(once))).slice(0, wanted)
    for number in range(machines):
        facts = {fleet.FACTS: json.dumps({"host": f"web{number}"})}
        path = tmp_path / f"{number}.parquet"
        pq.write_table(repeated.replace_schema_metadata(facts), path, row_group_size=250_000)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 500e6
    limits = {"n_workers": 2, "threads_per_worker": 1, "memory_limit": "1GB"}
    with LocalCluster(**limits, dashboard_address=None) as cluster, Client(cluster):
        frame = labkit.open_runs(f"{tmp_path}/*.parquet")
        counted = frame.groupby(["host", "cpu"]).size().compute()
        busiest = frame.comm.value_counts().compute()
        some = labkit.open_runs(f"{tmp_path}/*.parquet", filters=[("host", "==", "web3")])
        assert some.npartitions == 4
        assert some.data_ok.all().compute()
    assert counted.sum() == busiest.sum() == machines * wanted
    per_cpu = pd.Series(repeated["cpu"].to_pandas()).value_counts()
    assert all(counted[f"web{n}"].to_dict() == per_cpu.to_dict() for n in range(machines))
    assert busiest.to_dict() == {
        name: count * machines
        for name, count in repeated["comm"].to_pandas().value_counts().items()
    }


def test_duckdb_reads_the_same_files_in_one_line(runs: Path) -> None:
    import duckdb

    line = f"SELECT comm, count(*) FROM '{runs}/*.parquet' GROUP BY comm ORDER BY comm"
    assert duckdb.sql(line).fetchall() == [("db", 666), ("web", 1334)]
    from_metadata = (
        f"SELECT decode(value)::JSON->>'host' AS host, count(*) FROM"
        f" read_parquet('{runs}/*.parquet', filename='file') JOIN"
        f" parquet_kv_metadata('{runs}/*.parquet') ON file = file_name"
        " WHERE decode(key) = 'labkit' GROUP BY host ORDER BY host"
    )
    assert duckdb.sql(from_metadata).fetchall() == [("alpha", ROWS), ("beta", ROWS)]
