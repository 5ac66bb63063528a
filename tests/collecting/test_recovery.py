"""What was collected outlives whoever is killed, and nothing stays attached."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import kernel
import pytest
import under_way
from jupyter_client.manager import start_new_kernel

import labkit
from labkit.collecting import folders, recovery
from labkit.errors import UsageError

pytestmark = pytest.mark.live
ROOT = Path(labkit.__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the runs of this test alone, and of the processes that it starts."""
    folder = tmp_path / "results"
    monkeypatch.setenv("LABKIT_RUNS", str(folder))
    return folder


def attached() -> bool:
    """Exec something; whether any exec has been seen by now."""
    subprocess.run(["/bin/true"], check=True)
    return any(one.events for one in folders.left_files())


@contextmanager
def collecting() -> Iterator[tuple]:
    """Run a collection in another process. Yield it, its server, the server's child."""
    caller = subprocess.Popen([sys.executable, "-c", "import labkit; labkit.collect('percpu')"])
    try:
        assert kernel.wait_until(attached, 60)
        [server] = [pid for pid in kernel.children(caller.pid) if kernel.children(pid)]
        [child] = kernel.children(server)
        yield caller, server, child
    finally:
        caller.kill()
        caller.wait()


def exec_some(folder: Path, count: int = 30) -> str:
    """Exec a program of a name of its own that often; return its path."""
    program = folder / "recoverme"
    program.symlink_to("/bin/true")
    for _ in range(count):
        subprocess.run([program], check=True)
    assert kernel.wait_until(lambda: under_way.seen(program) >= count, 30)
    return str(program)


@pytest.mark.parametrize(
    "victims", [("caller",), ("server",), ("child",), ("caller", "server", "child")]
)
def test_kill_9_loses_nothing_and_leaves_nothing(victims, tmp_path: Path) -> None:
    with collecting() as (caller, server, child):
        program = exec_some(tmp_path)
        programs = kernel.programs(caller.pid)
        pids = {"caller": caller.pid, "server": server, "child": child}
        for name in victims:
            os.kill(pids[name], signal.SIGKILL)
        caller.wait(30)
        assert kernel.gone(programs)
    [run] = labkit.recover()
    assert (run.table.filename == program).sum() == 30
    assert run.table.data_ok.all()
    assert run.report.accepted
    assert not run.complete
    assert f"{len(run):,} events" in repr(labkit.recover())
    assert len(labkit.read_csv(labkit.export_csv(run, tmp_path / "run.csv"))) == len(run)
    assert run.file is not None and run.file.exists(), "nothing is deleted unasked"
    run.discard_file()
    assert len(labkit.recover()) == 0
    assert len(run.table) == len(run), "still there for whoever has it"


@pytest.mark.parametrize("now", [False, True])
def test_a_restart_of_the_notebooks_kernel_loses_nothing(now, tmp_path) -> None:
    manager, client = start_new_kernel(env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        client.execute("import labkit; labkit.collect('percpu')")
        kernel_pid = manager.provisioner.pid
        assert kernel.wait_until(attached, 60)
        programs = kernel.programs(kernel_pid)
        program = exec_some(tmp_path)
        manager.restart_kernel(now=now)
        assert kernel.gone(programs)
        [run] = labkit.recover()
        assert (run.table.filename == program).sum() == 30
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_collection_under_way_is_told_apart() -> None:
    with collecting():
        found = labkit.recover()
        assert len(found) == 0
        assert len(found.under_way) == 1
        assert "under way" in repr(found)


def test_a_run_that_ended_well_leaves_no_file(results: Path) -> None:
    run = labkit.collect("percpu", seconds=1, workload=labkit.exec_storm(rate=100))
    assert list(results.iterdir()) == []
    assert len(run.table) == len(run) > 50


def test_a_refused_variant_leaves_no_file(results: Path) -> None:
    labkit.collect("stack", seconds=1)
    assert list(results.iterdir()) == []


def test_a_full_disk_ends_the_run_in_good_order(tmp_path: Path, monkeypatch) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", small], check=True)
    try:
        monkeypatch.setenv("LABKIT_RUNS", str(small))
        run = labkit.collect("percpu", seconds=60, workload=labkit.exec_storm(rate=0))
        assert run.problem == "No space left on device"
        assert run.seconds < 50
        assert run.complete
        assert "No space left" in repr(run)
        assert run.table.data_ok.all()
        assert len(run) > 500
        missing = run.account.submitted - run.account.delivered
        assert (missing >= 0).all(), "what could not be written is counted, on each CPU"
        [again] = recovery.recover(run.file)
        assert (again.records == run.records).all()
    finally:
        subprocess.run(["umount", "-l", small], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_into_somebodys_folder_is_theirs(results: Path) -> None:
    results.mkdir()
    os.chown(results, 1234, 1235)
    with collecting():
        [path] = results.glob("*.run")
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_passed_over(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "file"
    file.touch()
    other = tmp_path / "other"
    monkeypatch.setattr(folders, "folders", lambda: (file / "results", other))
    run = labkit.collect("percpu", seconds=1, workload=labkit.exec_storm(rate=50))
    assert len(run)
    assert other.is_dir()


def test_no_folder_at_all_says_what_to_do(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setattr(folders, "folders", lambda: (file / "a", file / "b"))
    with pytest.raises(labkit.MachineError, match="cannot be written into"):
        labkit.collect("percpu", seconds=1)


@pytest.mark.parametrize(
    "content", [b"", b"labkit-run 1 x y\n", b"labkit-run 2       4096       8192\n{}", b"\0" * 9000]
)
def test_a_file_that_is_no_runs_is_named(content: bytes, results: Path) -> None:
    results.mkdir()
    path = results / "odd.run"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=re.escape(str(path))):
        labkit.recover(path)
    assert list(labkit.recover()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("inner", ["", "inner"])
def test_a_folder_that_may_not_be_read_is_named(inner: str, monkeypatch) -> None:
    """No traceback, and no word that nothing was left: that is not known."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as closed:  # for its owner alone
        folder = Path(closed, inner)
        folder.mkdir(exist_ok=True)
        monkeypatch.setattr(folders, "folders", lambda: (folder,))
        os.seteuid(65534)
        try:
            told, found = folders.notice(), labkit.recover()
        finally:
            os.seteuid(0)
    assert told == f"whether runs are left in {folder} is not known: Permission denied\n"
    assert repr(found) + "\n" == told


def test_half_a_record_at_the_end_is_left_out(results: Path, tmp_path: Path) -> None:
    with collecting() as (caller, _server, _child):
        exec_some(tmp_path)
        caller.kill()
        caller.wait()
        [path] = results.glob("*.run")
        assert kernel.wait_until(lambda: not folders.left_files()[0].in_use, 5)
    whole = len(labkit.recover(path)[0])
    with path.open("ab") as file:
        file.write(b"\1" * 100)
    [run] = labkit.recover(path)
    assert len(run) == whole
    assert run.table.data_ok.all()
