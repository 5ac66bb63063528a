"""./lab reset: it names what would go, asks, and leaves alone what is in use or not the lab's."""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import made_runs
import pytest

from labkit import cli, results
from labkit.collecting import folders
from labkit.notebook.exercises import solved
from labkit.worker import run_format


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """results/ and the folder of LABKIT_RUNS, both empty."""
    kept, runs = tmp_path / "results", tmp_path / "runs"
    kept.mkdir()
    runs.mkdir()
    monkeypatch.setattr(results, "RESULTS", kept)
    monkeypatch.setattr(folders, "RESULTS", kept)
    monkeypatch.setenv("LABKIT_RUNS", str(runs))
    return kept, runs


def left_run(folder: Path, events: int = 3) -> Path:
    """Write the file of a run that was killed."""
    layouts = {"big_event": made_runs.BIG_EVENT, "counters": made_runs.COUNTERS}
    facts = {"variant": "percpu", "started": 1_700_000_000 * 10**9, "layouts": layouts}
    head, _ = run_format.pack(facts, 48)
    path = folder / "exec_events_20260101T000000Z_abc123.run"
    path.write_bytes(head + made_runs.record() * events)
    return path


def reset(*words: str) -> int:
    return cli.main(["reset", *words])


def test_where_nothing_is_left_it_says_so(places: Any, capsys: Any) -> None:
    assert reset() == 0
    assert "nothing to delete" in capsys.readouterr().out


def test_with_yes_all_goes_and_each_file_is_named(places: Any, capsys: Any) -> None:
    kept, _ = places
    names = ["exec_events.csv", "exec_events.json", "stack-compiler.log", solved.FILE]
    for name in names:
        (kept / name).write_text("{}")
    assert reset("--yes") == 0
    told = capsys.readouterr().out
    assert all(str(kept / name) in told for name in names)
    assert "deleted 4" in told
    assert list(kept.iterdir()) == []


def test_a_run_that_nobody_recovered_goes_not_without_a_word(places: Any, capsys: Any) -> None:
    path = left_run(places[1])
    assert reset("--yes") == 0
    told = capsys.readouterr().out
    assert str(path) in told
    assert "3 events of a run that nobody has recovered" in told
    assert "labkit.recover()" in told
    assert not path.exists()


def test_a_run_under_way_stays(places: Any, capsys: Any) -> None:
    path = left_run(places[1])
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert reset("--yes") == 0
    assert path.exists()
    assert "under way" in capsys.readouterr().err


def test_what_the_lab_did_not_make_stays(places: Any, tmp_path: Path, capsys: Any) -> None:
    kept, runs = places
    (kept / "mine").mkdir()
    (kept / "mine" / "notes").write_text("mine")
    (runs / "notes.txt").write_text("mine")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (kept / "link.csv").symlink_to(elsewhere)
    (runs / "broken.run").write_bytes(b"no header")
    assert reset("--yes") == 0
    assert (kept / "mine" / "notes").exists() and (runs / "notes.txt").exists()
    assert elsewhere.exists() and not (kept / "link.csv").is_symlink()
    assert not (runs / "broken.run").exists()
    assert "only files are deleted" in capsys.readouterr().err


def test_a_results_folder_that_is_a_link_is_left_alone(
    places: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "linked"
    link.symlink_to(places[0])
    (places[0] / "a.csv").write_text("")
    monkeypatch.setattr(results, "RESULTS", link)
    assert reset("--yes") == 0
    assert (places[0] / "a.csv").exists()


def test_where_nobody_can_be_asked_nothing_goes(
    places: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    (places[0] / "a.csv").write_text("")
    with open(os.devnull) as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        assert reset() == 2
    assert "reset --yes" in capsys.readouterr().err
    assert (places[0] / "a.csv").exists()


@pytest.mark.parametrize(
    ("answer", "goes"), [("y", True), ("YES", True), ("n", False), ("", False), ("yea", False)]
)
def test_it_asks(
    places: Any, monkeypatch: pytest.MonkeyPatch, answer: str, goes: bool, capsys: Any
) -> None:
    (places[0] / "a.csv").write_text("")
    monkeypatch.setattr(sys, "stdin", _Terminal())
    monkeypatch.setattr("builtins.input", lambda _question: answer)
    assert reset() == 0
    assert (places[0] / "a.csv").exists() is not goes
    assert ("nothing was deleted" in capsys.readouterr().out) is not goes


class _Terminal:
    def isatty(self) -> bool:
        return True


def test_what_cannot_be_deleted_is_told_and_the_rest_goes(
    places: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for name in ("a.csv", "b.csv"):
        (places[0] / name).write_text("")
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.name == "a.csv":
            raise PermissionError(1, "Operation not permitted")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert reset("--yes") == 3
    assert "a.csv: Operation not permitted" in capsys.readouterr().err
    assert [path.name for path in places[0].iterdir()] == ["a.csv"]


def test_it_needs_no_package_that_is_installed_later(tmp_path: Path) -> None:
    """./lab hands it to any Python."""
    root = Path(__file__).resolve().parents[1]
    words = ["-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(root)!r});"
             "from labkit import cli; sys.exit(cli.main(['reset', '--help']))"]  # fmt: skip
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "--yes" in done.stdout


def test_on_a_terminal_the_question_can_be_answered(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / "broken.run").write_bytes(b"")
    program = (
        "import pathlib; from labkit import cli, results, reset_command;"
        f"results.RESULTS = pathlib.Path({str(tmp_path / 'results')!r});"
        "raise SystemExit(cli.main(['reset']))"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "LABKIT_RUNS": str(runs)}
    words = [sys.executable, "-c", program]
    with subprocess.Popen(words, stdin=theirs, stdout=subprocess.PIPE, env=environment) as lab:
        os.write(ours, b"y\n")
        told = lab.communicate(timeout=60)[0].decode()
    assert "deleted 1" in told
    assert not (runs / "broken.run").exists()
