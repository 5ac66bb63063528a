"""The ways out: each collects real execs, and those without a program are told of."""

from __future__ import annotations

import pandas as pd
import pytest
from markupsafe import escape

import labkit
from labkit import claims
from labkit.claims.claim import TRUE, Result
from labkit.program import alternatives
from labkit.program.alternatives import other_ways


def test_programs_are_short_enough_to_be_read():
    files = list(alternatives.FOLDER.iterdir())
    assert files
    assert all(len(path.read_text("utf-8").splitlines()) <= 60 for path in files)


def test_the_table_names_a_file_for_each_way_that_has_one():
    table = other_ways().table.set_index("file")
    assert {way.path.name for way in alternatives.WAYS.values()} == set(table.index) - {""}
    assert all((alternatives.FOLDER / file).is_file() for file in table.index if file)


@pytest.mark.live
@pytest.mark.parametrize("way", alternatives.WAYS)
def test_a_way_out_collects_real_execs(way):
    variant = alternatives.WAYS[way].variant
    storm = labkit.exec_storm(rate=100)
    run = labkit.collect(variant, seconds=0.7, workload=storm)
    if way == "task_storage" and not run.report.accepted:
        assert run.report.compiler_log or run.report.verifier_text  # this kernel or bcc is older
        return
    if way == "shared_array":  # its events may be torn, their CPU included
        assert run.account.delivered.sum() == run.account.submitted.sum() > 5
        return
    assert run.balanced
    execs = run.table[run.table.filename == storm.program]
    assert len(execs) > 5
    assert execs.data_ok.all()


@pytest.mark.live
@pytest.mark.parametrize(("define", "copied"), [((), False), (("NO_RESERVE",), True)])
def test_both_halves_of_reserve_or_heap_collect_real_execs(define, copied):
    variant = alternatives.WAYS["reserve_or_heap"].variant.with_defines(*define)
    assert ("heap" in labkit.build(variant).maps) == copied
    storm = labkit.exec_storm(rate=100)
    run = labkit.collect(variant, seconds=0.7, workload=storm)
    assert run.balanced
    execs = run.table[run.table.filename == storm.program]
    assert len(execs) > 5
    assert execs.data_ok.all()


def test_the_table_is_shown_whole_and_links_each_program() -> None:
    """A plain DataFrame cuts a long text, just where it says when to choose a way."""
    ways = other_ways()
    shown, text = ways._repr_html_(), " ".join(repr(ways).split())
    for way in alternatives.WAYS.values():
        assert f'href="../bpf/alternatives/{way.path.name}"' in shown
        assert str(escape(way.choose)) in shown and way.choose in text
    assert "nan" not in shown and "not measured" not in shown
    assert all(choose in text for _, choose in alternatives.ALSO.values())


def test_a_way_that_was_not_measured_says_so() -> None:
    times = pd.DataFrame({"round": [0], "way": ["percpu_array"], "ns_per_event": [401.4]})
    ways = other_ways(Result(claims.cost, TRUE, "", times))
    shown = ways._repr_html_()
    assert "<td>401</td>" in shown
    assert shown.count("<td>not measured</td>") == len(ways.table) - 1
    assert "401 ns per event" in repr(ways)


def test_what_has_no_program_is_told_of_in_the_table():
    table = other_ways().table.set_index("way")
    assert set(alternatives.ALSO) <= set(table.index)
    assert "libbpf newer than 1.7.0" in table.choose_when['global variable in SEC(".percpu")']
    assert table.since["BPF_F_CPU, to read a slot"] == "7.0"
