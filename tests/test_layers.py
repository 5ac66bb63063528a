"""Who may import whom: the contracts of pyproject.toml hold, and a wrong import breaks them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"  # it has no -m


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


def test_every_import_goes_down() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


WRONG = {
    "up": ("labkit/verifier_log/lines.py", "from labkit.building import report", "Arrows go down"),
    "up, when it is called": (
        "labkit/plots/style.py",
        "def late() -> None:\n    from labkit.notebook import panel",
        "Arrows go down",
    ),
    "around": (
        "labkit/plots/style.py",
        "from labkit.plots import events",
        "No circle within a room",
    ),
    "out of the worker": (
        "labkit/worker/versions.py",
        "from labkit import verifier_log",
        "The worker runs under bcc's Python",
    ),
    "beyond the standard library": (
        "labkit/worker/versions.py",
        "import numpy",
        "The worker runs under bcc's Python",
    ),
    "a room that is in no layer": ("labkit/odd.py", "import labkit.errors", "Arrows go down"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_import_that_goes_another_way_is_found(wrong: str, tmp_path: Path) -> None:
    file, line, broken = WRONG[wrong]
    shutil.copytree(ROOT / "labkit", tmp_path / "labkit", ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a") as added:
        added.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout
    assert any(broken in row and "BROKEN" in row for row in done.stdout.splitlines()), done.stdout


def test_the_worker_needs_bcc_and_the_standard_library_alone() -> None:
    graph = grimp.build_graph("labkit", include_external_packages=True)
    below = graph.find_upstream_modules("labkit.worker", as_package=True)
    foreign = {name for name in below if not name.startswith("labkit.")}
    assert "bcc" in foreign
    assert foreign - sys.stdlib_module_names == {"bcc"}
