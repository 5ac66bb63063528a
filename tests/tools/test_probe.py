"""What ./lab asks of a Python, asked of real ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import probe

PROBE = Path(probe.__file__)


def ask(python: str, *words: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-I", str(PROBE), *words], capture_output=True, text=True, **options
    )


@pytest.fixture
def python(tmp_path: Path) -> str:
    """A Python with no packages but those that a test puts into its site-packages."""
    command = [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")]
    subprocess.run(command, check=True)
    return str(tmp_path / "env/bin/python")


def put(python: str, *names: str, text: str = "") -> None:
    [site] = Path(python).parents[1].glob("lib/python3*/site-packages")
    for name in names:
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(text)


def test_a_python_without_bcc(python: str) -> None:
    assert ask(python, "bcc").returncode == 1


def test_the_real_bcc_is_known_by_its_library(python: str) -> None:
    put(python, "bcc/__init__.py", "bcc/libbcc.py")
    assert ask(python, "bcc", "--import").returncode == 0


def test_one_that_cannot_be_imported_is_found_only_by_importing(python: str) -> None:
    put(python, "bcc/__init__.py", "bcc/libbcc.py", text="raise ImportError('no libbcc.so')")
    assert ask(python, "bcc").returncode == 0
    assert ask(python, "bcc", "--import").returncode not in (0, probe.WRONG_BCC)


@pytest.mark.parametrize("name", ["bcc.py", "bcc/__init__.py", "bcc/something.py"])
def test_another_package_of_that_name_is_the_wrong_one(python: str, name: str) -> None:
    put(python, name)
    assert ask(python, "bcc").returncode == probe.WRONG_BCC


def test_the_current_folder_and_pythonpath_do_not_count(python: str, tmp_path: Path) -> None:
    (tmp_path / "bcc.py").touch()
    (tmp_path / "pandas.py").touch()
    options = {"cwd": tmp_path, "env": {"PYTHONPATH": str(tmp_path)}}
    assert ask(python, "bcc", **options).returncode == 1
    assert "pandas" in ask(python, "lacks", "run", **options).stdout.split()


def test_what_is_lacking_is_named() -> None:
    assert ask(sys.executable, "lacks", "test").stdout == "\n"


def test_a_python_like_this_one_is_new_enough_and_can_make_environments() -> None:
    assert ask(sys.executable, "new-enough").returncode == 0
    assert ask(sys.executable, "venv").returncode == 0
