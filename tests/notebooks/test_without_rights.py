"""An ordinary user reads one line a cell, with what helps; what needs no kernel works for them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit import errors

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NOBODY = "65534"
OURS = {name for name in vars(errors) if name.endswith("Error")} | {"BuildRefused"}
RUN = """
import json, sys
from executed import kernel_for
import nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
with kernel_for(notebook, allow_errors=True) as made:
    made.run_all()
code = [cell for cell in notebook.cells if cell.cell_type == "code"]
json.dump({cell.id: cell.outputs for cell in code}, sys.stdout)
"""

pytestmark = [
    pytest.mark.live,  # bcc is there; only the rights are not
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not shutil.which("setpriv"), reason="no setpriv (package util-linux)"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else"),
]


@pytest.fixture
def home() -> Iterator[str]:
    """A folder of user 65534's; not pytest's own, whose parents only root may enter."""
    with tempfile.TemporaryDirectory(prefix="lab-") as folder:
        os.chown(folder, int(NOBODY), int(NOBODY))
        yield folder


_shown: dict[str, dict[str, list[Any]]] = {}


@pytest.fixture(params=[path.name for path in NOTEBOOKS])
def outputs(request: pytest.FixtureRequest, home: str) -> dict[str, list[Any]]:
    """What each code cell shows to user 65534, by the cell's id."""
    if request.param not in _shown:
        _shown[request.param] = shown_to_nobody(ROOT / "notebooks" / request.param, home)
    return _shown[request.param]


def shown_to_nobody(notebook: Path, home: str) -> dict[str, list[Any]]:
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    own = ("HOME", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "MPLCONFIGDIR")
    environment = {**os.environ, **dict.fromkeys(own, home), "LABKIT_RUNS": home}
    environment["PYTHONPATH"] = f"{ROOT}:{ROOT / 'tests'}"
    command = [*user, sys.executable, "-c", RUN, str(notebook)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


def errors_in(outputs: dict[str, list[Any]]) -> dict[str, Any]:
    return {name: o for name, given in outputs.items() for o in given if "ename" in o}


def test_each_error_is_a_line_of_ours(outputs: dict[str, list[Any]]) -> None:
    strange = {
        name: f"{error['ename']}: {error['evalue']}"
        for name, error in errors_in(outputs).items()
        if error["ename"] not in OURS or len(error["traceback"]) != 1
    }
    assert not strange


def test_whoever_lacks_the_right_reads_what_helps(outputs: dict[str, list[Any]]) -> None:
    for name, error in errors_in(outputs).items():
        if error["ename"] == "MachineError":
            assert "sudo ./lab" in "".join(error["traceback"]), name


def test_pictures_of_what_needs_no_kernel_are_there(outputs: dict[str, list[Any]]) -> None:
    """The struct sizes come from the compiler, which needs no right."""
    drawn = [
        o["data"] for given in outputs.values() for o in given if "image/png" in o.get("data", {})
    ]
    if "structs" in outputs or "idea" in outputs:
        assert any("big_event 544 bytes" in data.get("text/html", "") for data in drawn)
