"""What SECURITY.md promises to those who do not want JupyterLab to be root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from labkit import session

NOBODY = 65534
ROOT = Path(__file__).resolve().parents[1]
# The last one reads tracefs: a test must not change the machine's mount of it, as the recipe does.
CAPABILITIES = ("bpf", "perfmon", "dac_read_search")
TRY = """
import json, os, labkit
from labkit import session
def who(pid):
    lines = dict(line.split(":\\t", 1) for line in open(f"/proc/{pid}/status") if ":\\t" in line)
    return lines["Uid"].split() + [lines["CapEff"].strip()]
outcomes = {name: labkit.build(name).outcome for name in ("stack", "percpu")}
run = labkit.collect("percpu", seconds=1, workload=labkit.exec_storm(rate=50))
mine, worker = who(os.getpid()), who(session.shared().process.pid)
print(json.dumps([outcomes, run.complete, len(run.table), mine, worker]))
"""

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can give rights away"),
    pytest.mark.skipif(not shutil.which("setcap"), reason="no setcap: apt-get install libcap2-bin"),
]


def as_nobody(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
    )


@pytest.fixture
def capable_python():
    """A copy of the worker's Python that has the capabilities, outside of anybody's reach."""
    if as_nobody(sys.executable, "-c", "import labkit").returncode != 0:
        pytest.skip("other users cannot read this checkout")
    place = Path("/usr/local/lib/labkit-test-python")
    shutil.copy(os.path.realpath(session.SYSTEM_PYTHON), place)
    os.chown(place, 0, NOBODY)
    place.chmod(0o750)
    names = ",".join(f"cap_{name}" for name in CAPABILITIES)
    try:
        subprocess.run(["setcap", f"{names}=ep", str(place)], check=True)
        yield str(place)
    finally:
        place.unlink()


def test_an_ordinary_user_loads_through_a_python_that_may(capable_python: str) -> None:
    done = as_nobody(sys.executable, "-c", TRY, LABKIT_BCC_PYTHON=capable_python)
    assert done.stderr == ""
    outcomes, complete, rows, mine, worker = json.loads(done.stdout)
    assert outcomes == {"stack": "compiler_refused", "percpu": "accepted"}
    assert complete
    assert rows > 10
    assert mine == [*[str(NOBODY)] * 4, f"{0:016x}"]
    bits = sum(1 << number for number in (39, 38, 2))  # linux/capability.h
    assert worker == [*[str(NOBODY)] * 4, f"{bits:016x}"]


def test_without_that_python_the_same_user_loads_nothing() -> None:
    done = as_nobody(sys.executable, "-m", "labkit", "build", "percpu")
    assert done.returncode == 3
    assert "sudo ./lab" in done.stderr
