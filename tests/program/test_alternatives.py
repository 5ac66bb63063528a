"""The ways out: the one with two halves, and those that are only told of."""

from __future__ import annotations

import pytest

import labkit
from labkit.program.alternatives import ALSO, WAYS


@pytest.mark.live
@pytest.mark.parametrize(("define", "copied"), [((), False), (("NO_RESERVE",), True)])
def test_both_halves_of_reserve_or_heap_collect_real_execs(define, copied):
    variant = WAYS["reserve_or_heap"].variant.with_defines(*define)
    assert ("heap" in labkit.build(variant).maps) == copied
    storm = labkit.exec_storm(rate=100)
    run = labkit.collect(variant, seconds=0.7, workload=storm)
    assert run.balanced
    execs = run.frame[run.frame.filename == storm.program]
    assert len(execs) > 5
    assert execs.data_ok.all()


def test_what_has_no_program_is_told_of_in_the_table():
    table = labkit.other_ways().set_index("way")
    assert set(ALSO) <= set(table.index)
    assert "libbpf newer than 1.7.0" in table.choose_when['global variable in SEC(".percpu")']
    assert table.since["BPF_F_CPU, to read a slot"] == "7.0"
