from __future__ import annotations

import os
import subprocess

import pytest

from labkit.claims import minimal_elf
from labkit.collecting.workload import PROGRAM


@pytest.mark.parametrize("machine", minimal_elf.MACHINES)
def test_it_is_an_elf_file_for_its_machine(machine):
    image = minimal_elf.image(machine)
    assert image[:4] == b"\x7fELF"
    assert int.from_bytes(image[18:20], "little") == minimal_elf.MACHINES[machine][0]
    assert image.endswith(minimal_elf.MACHINES[machine][1])


def test_it_runs_and_is_gone_afterwards():
    with minimal_elf.program() as path:
        assert subprocess.run([path]).returncode == 0
    assert path == PROGRAM or not os.path.exists(path)
