"""The load that the lab makes: told from other programs by its name, and nothing left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import kernel
import pytest

import labkit
from labkit.worker.load import LOAD_NAME

RATE = 200


def test_its_name_is_short_enough_for_a_task() -> None:
    assert len(LOAD_NAME) <= 15
    assert labkit.exec_storm().program == LOAD_NAME


@pytest.mark.live
def test_what_is_ours_is_told_from_what_others_start() -> None:
    class BesidesOthers:
        """The load, and meanwhile somebody else's /bin/true."""

        storm = labkit.exec_storm(rate=RATE)

        def start(self) -> None:
            self.storm.start()
            for _ in range(5):
                subprocess.run(["/bin/true"], check=True)

        def stop(self) -> None:
            self.storm.stop()

    run = labkit.collect("percpu", seconds=1.5, workload=BesidesOthers())
    ours = run.table[run.table.comm == LOAD_NAME]
    assert (ours.filename == LOAD_NAME).all()
    assert len(ours) > 20
    assert (run.table.filename == "/bin/true").sum() >= 5
    assert ours.data_ok.all()


@pytest.mark.live
def test_another_program_can_be_named() -> None:
    storm = labkit.exec_storm(rate=RATE, program="/bin/../bin/true")
    run = labkit.collect("percpu", seconds=1, workload=storm)
    assert (run.table.filename == storm.program).sum() > 5


def test_its_folder_is_gone_when_it_is_stopped() -> None:
    with labkit.exec_storm(rate=RATE) as storm:
        folder = storm.folder
        assert folder
        assert os.listdir(folder.name) == [LOAD_NAME]
    assert not os.path.exists(folder.name)


def test_its_folder_is_gone_when_its_owner_is_killed() -> None:
    code = (
        "import labkit, time; storm = labkit.exec_storm(); storm.start();"
        "print(storm.folder.name, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as owner:
        assert owner.stdout
        folder = Path(owner.stdout.readline().decode().strip())
        assert kernel.wait_until((folder / LOAD_NAME).is_symlink, 10)
        os.kill(owner.pid, signal.SIGKILL)
    assert kernel.wait_until(lambda: not folder.exists(), 10)
