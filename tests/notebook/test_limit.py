from __future__ import annotations

from pathlib import Path

import pytest

import labkit
from labkit.machine import stack_limit
from labkit.notebook import limit, optimiser

either_kernel = pytest.mark.usefixtures("either_kernel")


@pytest.mark.live
def test_the_optimisers_table_says_what_each_build_said():
    table = optimiser.optimiser_table("DATA_BYTES=32")
    assert len(table) == 2 ** len(optimiser.SAFEGUARDS)
    by_row = table.set_index("taken away")
    for defines, name in (((), "nothing"), (("NO_BARRIER",), "barrier")):
        report = labkit.build("stack", defines=("DATA_BYTES=32", *defines))
        assert by_row.outcome[name] == report.outcome
    assert (table.frame.notna() == (table.outcome == "accepted")).all()
    assert table.frame.dropna().between(1, 512).all()


@pytest.mark.live
@either_kernel
def test_what_is_said_of_this_machine_follows_from_its_limit():
    size = stack_limit.largest_frame()
    reports = {name: labkit.build(name) for name in labkit.VARIANTS}
    table = limit.fits()
    total = int(table.bytes["together"])
    assert total == sum(table.bytes[:-1])
    assert ("too many" in table["on this stack"]["together"]) == (total > size)
    assert reports["stack_lifted"].accepted == (total <= size)
    assert reports["stack_lifted"].stack_limit == size
    assert reports["stack_beyond"].refused_by == "verifier"
    said = limit.fates(reports).splitlines()
    assert len(said) == len(reports) + 2
    assert all(len(line) <= 80 for line in said)
    assert f"grants {size}" in said[-1]
    assert f"the {size} that this kernel grants" in limit.outlook()


def test_no_public_name_is_also_a_module():
    """A module of the same name would take its place as soon as it is imported."""
    modules = {path.stem for path in Path(labkit.__file__).parent.iterdir()}
    assert modules.isdisjoint(labkit.__all__)
