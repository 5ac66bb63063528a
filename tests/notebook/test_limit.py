from __future__ import annotations

from pathlib import Path

import pytest

import labkit
from labkit.building.frame_size import largest_frame
from labkit.building.report import (
    ACCEPTED,
    COMPILER_REFUSED,
    HOST_REFUSED,
    IN_SHORT,
    BuildReport,
)
from labkit.machine import rights, stack_limit
from labkit.machine.stack_limit import WORD
from labkit.notebook import limit, optimiser
from labkit.notebook.definitions import struct_definitions
from labkit.program.variants import BPF_TREE, STRUCTS
from labkit.show.excerpt import Excerpt

either_kernel = pytest.mark.usefixtures("either_kernel")


@pytest.mark.live
def test_the_optimisers_table_says_what_each_build_said():
    table = optimiser.optimiser_table("DATA_BYTES=32")
    assert table.builds.sum() == 2 ** len(optimiser.SAFEGUARDS)
    assert not table.reset_index().duplicated(["outcome", "bytes of stack"]).any()
    report = labkit.build("stack", defines=("DATA_BYTES=32", "NO_BARRIER"))
    row = table.loc["barrier"]
    assert row.outcome == IN_SHORT[report.outcome]
    assert row["bytes of stack"] == str(report.stack_depth)


@pytest.mark.live
def test_eight_builds_that_agree_are_one_row():
    table = optimiser.optimiser_table()
    report = labkit.build("stack")
    assert list(table.index) == ["nothing, or any of the three"]
    assert list(table.outcome) == [IN_SHORT[report.outcome]]
    assert list(table["bytes of stack"]) == [""]


def test_what_agrees_is_folded_and_what_does_not_is_named(monkeypatch):
    def build(_variant, defines):
        loads = "NO_BARRIER" in defines and "NO_UNROLL" not in defines
        text = f"processed 9 insns\nstack depth {len(defines)}\n" if loads else ""
        outcome = ACCEPTED if loads else COMPILER_REFUSED
        return BuildReport("stack", outcome, (), "", text, None, {})

    monkeypatch.setattr(optimiser, "build", build)
    assert optimiser.optimiser_table("X").reset_index().to_numpy().tolist() == [
        ["anything else, or nothing", "refused by the compiler", "", 6],
        ["barrier", "accepted", "2", 1],
        ["barrier and accesses", "accepted", "3", 1],
    ]


@pytest.mark.live
@either_kernel
def test_what_is_said_of_this_machine_follows_from_its_limit():
    size, total = stack_limit.largest_frame(), limit.total()
    assert f"the {size} that this kernel grants" in limit.outlook()
    assert ("do not fit" in limit.outlook()) == (total > size)
    lifted = limit.verdict("stack_lifted")
    assert lifted.value == limit.VERDICTS[0 if total <= size else 1]
    assert isinstance(lifted.evidence, BuildReport)
    assert lifted.evidence.stack_limit == size
    assert limit.verdict("stack_beyond").value == limit.VERDICTS[1]
    assert limit.verdict("percpu").value == limit.VERDICTS[0]


@pytest.mark.live
@either_kernel
def test_who_refuses_a_frame_is_asked_of_both_gates():
    size = stack_limit.largest_frame()
    compiler = largest_frame("compiler").size
    assert limit.who_refuses(compiler) == "nobody"
    assert limit.who_refuses(compiler + WORD) == "the compiler"
    assert limit.who_refuses(size + WORD) == "both"


def test_a_verdict_that_no_gate_gave_is_none():
    refused = BuildReport("stack_lifted", HOST_REFUSED, (), "", "", None, {}, reason="no rights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limit, "build", lambda _variant, defines: refused)
        assert limit.verdict("stack_lifted").value == IN_SHORT[HOST_REFUSED]


def test_the_structs_are_shown_as_the_file_has_them():
    shown = struct_definitions()
    lines = (BPF_TREE / "exec_event.h").read_text().splitlines()
    first, last = shown.numbers
    assert shown.text.splitlines() == lines[first - 1 : last]
    assert shown.text.startswith("struct big_event {")
    for name in STRUCTS:
        assert f"struct {name} {{" in shown.text
        assert f"sizeof(struct {name}) == " in shown.text
    assert f"exec_event.h, lines {first} to {last}" in repr(shown)
    assert "exec_event.h" in shown._repr_html_()


def test_lines_that_are_not_there_are_named():
    with pytest.raises(
        labkit.UsageError, match=r"no line of exec_event\.h from 1 on matches 'struct none'"
    ):
        _ = Excerpt(BPF_TREE / "exec_event.h", "struct none", "}").text


def test_no_public_name_is_also_a_module():
    """A module of the same name would take its place as soon as it is imported."""
    modules = {path.stem for path in Path(labkit.__file__).parent.iterdir()}
    assert modules.isdisjoint(labkit.__all__)


@pytest.mark.live
@either_kernel
def test_the_first_that_the_verifier_refused_is_found():
    reports = {name: labkit.build(name) for name in labkit.VARIANTS}
    refused = limit.first_refused(reports)
    assert refused.refused_by == "verifier"
    before = list(reports.values())[: list(reports).index(refused.variant)]
    assert "verifier" not in [report.refused_by for report in before]


def test_where_the_verifier_refused_none_it_says_what_became_of_them():
    refused = BuildReport("stack", HOST_REFUSED, (), "", "", None, {})
    with pytest.raises(labkit.MachineError, match=rf"stack: {IN_SHORT[HOST_REFUSED]}") as caught:
        limit.first_refused({"stack": refused})
    assert rights.mend() in str(caught.value)
