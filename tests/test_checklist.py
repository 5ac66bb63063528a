"""check(): each row is a thing that was tried, and each lack has its mending command."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labkit import checklist, session
from labkit.collecting.workload import exec_storm
from labkit.errors import UsageError
from labkit.machine.stack_limit import StackLimit, largest_frame


def test_each_lack_says_how_to_mend_it() -> None:
    for row in checklist.check():
        assert row.found
        assert row.ok is not False or row.mend


@pytest.mark.live
def test_memlock_is_asked_for_and_not_taken_from_an_error(monkeypatch) -> None:
    """Since Linux 5.11 the cgroup is charged; where the question fails, nothing is said."""
    [row] = [row for row in checklist.check() if row.name == "RLIMIT_MEMLOCK"]
    release = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    counts = "counts BPF maps; bcc raises it by itself"
    assert row.found == ("does not count BPF maps" if release >= (5, 11) else counts)
    monkeypatch.setattr(checklist, "_MEMLOCK_PROBE", "raise NameError")
    [row] = [row for row in checklist.check() if row.name == "RLIMIT_MEMLOCK"]
    assert "not known" in row.found


@pytest.mark.live
def test_on_a_machine_that_can_nothing_is_missing() -> None:
    found = checklist.check()
    assert found.ok
    names = {row.name for row in found}
    assert {
        "rights",
        "bpf() call",
        "ring buffer",
        "tracefs",
        "bcc",
        "CPUs",
        "kernel lockdown",
    } <= names


@pytest.mark.live
@pytest.mark.usefixtures("either_kernel")
def test_the_stack_limit_is_measured() -> None:
    found = {row.name: row.found for row in checklist.check()}
    assert found["stack limit"] == f"{largest_frame()} bytes, measured"
    assert f"socket_filter: {largest_frame('socket_filter')} bytes together" in found["call chains"]


def test_a_limit_that_is_not_known_is_not_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checklist, "measured", lambda: StackLimit(unknown="no rights"))
    (row,) = checklist.stack_limit_rows()
    assert (row.ok, row.found) == (None, "not known: no rights")


@pytest.mark.live
def test_the_ring_buffer_is_tried_not_guessed() -> None:
    """A size that is no power of two must fail, so the probe is a real call."""
    assert checklist.create_map(checklist.RINGBUF, 0, 0, os.sysconf("SC_PAGE_SIZE")) == 0
    assert checklist.create_map(checklist.RINGBUF, 0, 0, 4095) != 0


def check_with(python: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "labkit", "check"],
        env={**os.environ, "LABKIT_BCC_PYTHON": python},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A Python without packages, as `python` of a new virtual environment."""
    command = [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")]
    subprocess.run(command, check=True)
    return tmp_path / "env/bin/python"


def put_bcc(python: Path, *names: str, text: str) -> None:
    [site] = python.parents[1].glob("lib/python3*/site-packages")
    (site / "bcc").mkdir()
    for name in names:
        (site / "bcc" / name).write_text(text)


@pytest.mark.parametrize("text", ["", "import a_package_that_it_would_need"])
def test_the_wrong_bcc_is_named_as_such(python: Path, text: str) -> None:
    """The package of that name on PyPI is another one, and cannot even be imported everywhere."""
    put_bcc(python, "__init__.py", text=text)
    result = check_with(str(python))
    assert result.returncode == 3
    assert "unrelated package from PyPI" in result.stderr
    assert f"To mend it: sudo {python} -m pip uninstall bcc" in result.stderr


def test_a_bcc_that_cannot_be_imported_says_why(python: Path) -> None:
    put_bcc(python, "__init__.py", "libbcc.py", text="raise OSError('libbcc.so.0: not found')")
    result = check_with(str(python))
    assert result.returncode == 3
    assert "cannot be imported (OSError: libbcc.so.0: not found)" in result.stderr


@pytest.mark.live
def test_the_rights_are_those_of_the_process_that_loads(tmp_path: Path) -> None:
    """LABKIT_BCC_PYTHON may name a Python that has other rights than ours."""
    powerless = tmp_path / "python"
    drop = "setpriv --bounding-set=-sys_admin,-bpf,-perfmon"
    powerless.write_text(f'#!/bin/sh\nexec {drop} {session.shared().python} "$@"\n')
    powerless.chmod(0o755)
    rows = check_with(str(powerless)).stdout.splitlines()
    assert all(row.ok is not False for row in checklist.rights_rows())
    assert [row.split()[1] for row in rows if row.startswith("MISSING")][:2] == ["rights", "bpf()"]


@pytest.mark.parametrize("python", ["/nowhere/python3", "/bin/false"])
def test_a_python_that_does_not_run(python: str) -> None:
    result = check_with(python)
    assert result.returncode == 3
    assert python in result.stderr
    assert "python3-bpfcc" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_storm_on_a_cpu_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="4096"):
        exec_storm(cpus=[4096])


def test_a_storm_with_a_negative_rate() -> None:
    with pytest.raises(UsageError, match="-1"):
        exec_storm(rate=-1)
