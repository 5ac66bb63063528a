"""A run written as CSV and read back is the same frame, whatever strangers call their programs."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
from pathlib import Path

import made_runs
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import parquet

from labkit.collecting import files
from labkit.collecting.records import shown
from labkit.errors import UsageError

# Bytes that a name may have: any but NUL. The lists lean to what goes wrong.
ODD = [
    "=",
    "+",
    "-",
    "@",
    "＝",
    ",",
    ";",
    '"',
    "'",
    "\t",
    "\r",
    "\n",
    " ",
    "\\",
    "\\x3d",
    "\xad",
    "\U000e0041",
    "\\U000e0041",
    "\x1b[31m",
]
PIECES = st.one_of(
    st.sampled_from(ODD).map(str.encode),
    st.binary(max_size=4).map(lambda raw: raw.replace(b"\0", b"")),
    st.text(max_size=3).map(lambda text: text.encode("utf-8", "ignore").replace(b"\0", b"")),
)
NAMES = st.lists(PIECES, max_size=8).map(b"".join)


def written_and_read(run, folder: Path) -> pd.DataFrame:
    return files.read_csv(files.export_csv(run, folder / "run.csv"))


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=6))
@example([(b"=cmd|' /C calc'!A0", b'/tmp/a"b,c\n;=1+1')])
@example([(b"", b""), (b"NA", b"nan"), (b"\xff\xfe", b" -1")])
def test_names_from_strangers_come_back_the_same(tmp_path_factory, names) -> None:
    made = [
        made_runs.record(pid=n, timestamp=n, comm=comm[:16], filename=name[:400])
        for n, (comm, name) in enumerate(names, 1)
    ]
    run = made_runs.make_run(made)
    read = written_and_read(run, tmp_path_factory.mktemp("csv"))
    pd.testing.assert_frame_equal(read, run.table)


@given(NAMES)
def test_no_cell_begins_a_formula(name) -> None:
    """Neither the cell nor, where a spreadsheet splits at another sign, a part of it."""
    run = made_runs.make_run([made_runs.record(comm=name[:16], filename=name[:400])])
    _head, row = csv.reader(io.StringIO(files.csv_text(run)))
    for cell in row[3:5]:
        for part in re.split(r"""[\s,;|"']""", cell):
            assert not part.startswith(tuple("=+-@＝＋－＠")), part
        assert not set(cell) & set("\t\r\n")


@given(NAMES)
def test_an_escaped_name_is_the_name(name) -> None:
    assert files.original(files.harmless(shown(name))) == shown(name)


def test_a_plain_name_stays_readable() -> None:
    run = made_runs.make_run([made_runs.record(comm=b"gcc-12", filename=b"/usr/bin/gcc-12")])
    assert ",gcc-12,/usr/bin/gcc-12," in files.csv_text(run)


def test_nanoseconds_and_the_time_zone_survive(tmp_path: Path) -> None:
    run = made_runs.make_run([made_runs.record(timestamp=123_456_789)])
    read = written_and_read(run, tmp_path)
    assert str(read.time.dtype) == "datetime64[ns, UTC]"
    assert read.time[0].nanosecond == 789
    assert "T22:13:20.123456789Z," in files.csv_text(run)


@pytest.mark.parametrize("make", [made_runs.refused_run, made_runs.dead_run, made_runs.make_run])
def test_every_kind_of_run_comes_back(make, tmp_path: Path) -> None:
    run = make()
    pd.testing.assert_frame_equal(written_and_read(run, tmp_path), run.table)


def test_the_json_tells_the_account_and_the_versions(tmp_path: Path) -> None:
    path = files.export_csv(made_runs.make_run(failed=3), tmp_path / "run.csv")
    facts = json.loads(path.with_suffix(".json").read_text())
    first = {"cpu": 0, "attempted": 4, "submitted": 1, "failed": 3, "delivered": 1}
    assert facts["account"][0] == first
    assert facts["versions"] == made_runs.VERSIONS
    assert facts["csv_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_account_that_nobody_knows_is_null(tmp_path: Path) -> None:
    path = files.export_csv(made_runs.dead_run(), tmp_path / "run.csv")
    facts = json.loads(path.with_suffix(".json").read_text())
    assert (facts["account"], facts["complete"], facts["events"]) == (None, False, 2)


def test_without_a_path_nothing_is_overwritten(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(files, "RESULTS", tmp_path / "results")
    paths = [files.export_csv(made_runs.make_run()) for _ in range(4)]
    assert len(set(paths)) == 4
    assert sorted(tmp_path.rglob("*.csv")) == sorted(paths)


def test_a_path_that_was_given_is_honoured(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("older")
    assert files.export_csv(made_runs.make_run(), str(path)) == path
    assert len(files.read_csv(path)) == 2
    assert sorted(os.listdir(tmp_path)) == ["mine.csv", "mine.json"]


@pytest.mark.parametrize("where", ["no/such/folder/run.csv", "."])
def test_a_path_that_cannot_be_written_says_what_to_do(tmp_path: Path, where: str) -> None:
    run = made_runs.make_run()
    with pytest.raises(UsageError, match=r"Nothing is lost.*export_csv") as caught:
        files.export_csv(run, tmp_path / where)
    assert str(tmp_path / where) in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert len(run.table) == 2


def test_an_interrupted_write_leaves_no_half_file(tmp_path: Path, monkeypatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.export_csv(made_runs.make_run(), tmp_path / "run.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "time,cpu\nx,y\n", "\xff"])
def test_another_file_is_named_as_such(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match=r"other\.csv is no CSV of this lab"):
        files.read_csv(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.csv: No such file"):
        files.read_csv(tmp_path / "none.csv")


def test_a_json_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "run.json"
    theirs.write_text('{"mine": true}')
    with pytest.raises(UsageError, match=r"run\.json is there, and the lab did not write it"):
        files.export_csv(made_runs.make_run(), tmp_path / "run.csv")
    assert theirs.read_text() == '{"mine": true}'
    assert not (tmp_path / "run.csv").exists()


def test_a_path_needs_no_results_folder(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(files, "RESULTS", tmp_path / "file" / "results")
    files.export_csv(made_runs.make_run(), tmp_path / "run.csv")
    files.export_parquet(made_runs.make_run(), tmp_path / "run.parquet")
    with pytest.raises(UsageError, match="Nothing is lost"):
        files.export_parquet(made_runs.make_run())


@pytest.mark.parametrize("make", [made_runs.refused_run, made_runs.dead_run, made_runs.make_run])
def test_parquet_comes_back_with_its_account(make, tmp_path: Path) -> None:
    run = make()
    path = files.export_parquet(run, tmp_path / "run.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(path), run.table)
    facts = json.loads(parquet.read_schema(path).metadata[b"labkit"])
    assert facts == json.loads(json.dumps(files.about(run)))
    assert facts["versions"] == made_runs.VERSIONS


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=6))
def test_names_from_strangers_survive_parquet(tmp_path_factory, names) -> None:
    made = [made_runs.record(comm=comm[:16], filename=name[:400]) for comm, name in names]
    run = made_runs.make_run(made)
    path = files.export_parquet(run, tmp_path_factory.mktemp("parquet") / "run.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(path), run.table)
