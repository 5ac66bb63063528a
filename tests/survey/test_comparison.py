"""Records side by side, of machines that were made up."""

from __future__ import annotations

import itertools
from dataclasses import replace

import matplotlib as mpl
import pandas as pd
import pytest
from made_records import made_up, made_up_class

from labkit.errors import UsageError
from labkit.plots.comparison import LOOKS
from labkit.show import comparison as shown
from labkit.survey import comparison
from labkit.survey.cells import NO_RECORD, NOT_TRIED, WORDS, Key
from labkit.survey.comparison import Comparison
from labkit.survey.labels import labels_of
from labkit.survey.records import BadRecord, Machine, Program, Record, Records

mpl.use("agg")
CONSTANT = Key("mistake", "null_check_constant")


def two(**others) -> Comparison:
    return Comparison([made_up("6.1.0"), made_up("7.3.0", **others)])


def test_what_differs_and_what_is_the_same():
    compared = two()
    assert {key.name for key in compared.differing} == {
        "call_chain_tracing",
        "null_check_constant",
        "stack_unwritten",
        "tracepoint",
    }
    assert sum(map(len, compared.same.values())) + len(compared.differing) == len(compared.keys)
    table = compared.table
    assert list(table.columns) == ["6.1.0", "7.3.0"]
    assert table.loc[[CONSTANT]].to_numpy().tolist()[0] == ["verifier refused", "accepted"]
    assert table.loc[("stack limit", "tracepoint"), "7.3.0"] == "512 bytes each"


def test_machines_are_never_confused():
    given = [
        made_up("6.1.0"),
        made_up("6.1.0", distribution=1),
        made_up("6.1.0", "Ann", 1),
        made_up("6.1.0"),
        made_up("7.3.0"),
        made_up("7.3.0"),
    ]
    labels = labels_of(given)
    assert len(set(labels)) == len(given)
    assert "bcc 0.31.0 LLVM 19" in labels[1]
    assert "Ann" in labels[2]
    assert labels[4:] == ("7.3.0 #1", "7.3.0 #2")


def test_labels_stay_different_when_one_is_named_like_another():
    given = [made_up("6.1.0", "a"), made_up("6.1.0", "a"), made_up("6.1.0", "a #1")]
    labels = labels_of(given)
    assert len(set(labels)) == 3


def test_this_machine_says_so():
    compared = Comparison([made_up("6.1.0", here=True), made_up("6.1.0")])
    assert compared.labels[0].startswith("this machine")
    assert compared.cell(CONSTANT, 0).basis == "tried here"
    assert compared.cell(CONSTANT, 1).basis == "tried there"


def test_what_was_read_is_told_apart():
    read = Program("null_check_constant", outcome="accepted", source="commit d2102f2f5d75")
    compared = Comparison([made_up("6.1.0"), Record(Machine("6.14"), programs=(read,))])
    assert compared.cell(CONSTANT, 1).basis == "read: commit d2102f2f5d75"
    assert compared.records[1].basis == "read"
    for told in (compared.to_text(), compared.to_markdown(), compared._repr_html_()):
        assert "read: commit d2102f2f5d75" in told
        assert "tried there" in told
    assert "read: commit d2102f2f5d75" in set(compared.long().basis)


def test_a_machine_without_a_record_says_why():
    absent = Record(Machine("6.16"), problem="could not be had: no suite has it")
    compared = Comparison([made_up("6.1.0"), absent])
    assert set(compared.table["6.16"]) == {NO_RECORD}
    assert compared.records[1].basis == "not tried"  # and not "tried there"
    assert set(compared.basis["6.16"]) == {"not tried"}
    assert compared.differing == ()  # who says nothing does not disagree
    for told in (compared.to_text(300), compared.to_markdown(), compared._repr_html_()):
        assert "no suite has it" in told


def test_what_was_not_tried_is_no_disagreement():
    partly = replace(made_up("6.1.0"), programs=made_up("6.1.0").programs[:4], claims=())
    compared = Comparison([made_up("6.1.0"), partly])
    assert compared.differing == ()
    assert compared.cell(CONSTANT, 1).word == NOT_TRIED
    assert "tried on 1 of 2 machines" in compared.to_text(200)


def test_what_was_left_out_says_why():
    partly = replace(made_up("6.1.0"), claims=(), left_out={"memory": "it was not asked for"})
    compared = Comparison([made_up("6.1.0"), partly])
    assert compared.cell(Key("claim", "memory"), 1).detail == "it was not asked for"


def test_not_as_declared_is_told():
    compared = Comparison(made_up_class())
    [(label, key, cell)] = compared.odd
    assert "seat 4" in label
    assert (key.name, cell.word) == ("percpu", "build died")
    assert "meant to be accepted" in compared.to_text()
    assert "meant to be accepted" in compared.to_markdown()


def test_csv_has_a_row_a_cell_with_its_basis(tmp_path):
    compared = two()
    table = pd.read_csv(compared.to_csv(tmp_path / "two.csv"))
    assert len(table) == 2 * len(compared.keys)
    assert table.basis.notna().all()
    [cell] = table[(table.name == "null_check_constant") & (table.kernel == "7.3.0")].outcome
    assert cell == "accepted"
    with pytest.raises(UsageError, match="cannot write /proc"):
        compared.to_csv("/proc/x.csv")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_text_keeps_to_its_width(width):
    lines = Comparison(made_up_class()).to_text(width).splitlines()
    longest = max(map(len, " ".join(lines).split()))
    assert max(map(len, lines)) <= max(width, longest + 8)


def test_a_class_of_thirty_folds_into_few_columns():
    compared = Comparison(made_up_class(30))
    columns = compared.columns
    assert sum(column.count for column in columns) == 30
    assert len(columns) < 12
    assert {len(column.label) > 0 for column in columns} == {True}


def test_folded_machines_agree_in_every_cell():
    compared = Comparison(made_up_class(30))
    for column in compared.columns:
        label = compared.labels[column.number]
        alike = compared.table.eq(compared.table[label], axis="index").all()
        assert alike.sum() >= column.count


def test_machines_of_two_kernels_are_never_folded():
    """They agree in all that was tried; yet a kernel is what the table is about."""
    compared = Comparison([made_up("6.14.0"), made_up("6.17.0")])
    assert compared.differing == ()
    assert len(compared.columns) == 2


def test_the_picture_has_each_row_and_column():
    compared = Comparison(made_up_class(30))
    axes = compared.plot()
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [r.label for r in compared.rows]
    assert len(axes.get_xticklabels()) == len(compared.columns)
    drawn = [text.get_text() for text in axes.texts]
    assert "✗ died !" in drawn and "✓ loads" in drawn
    assert len(drawn) == len(compared.rows) * len(compared.columns)


def test_folded_rows_count_all_programs():
    compared = two()
    drawn = [key for key in compared.keys if key.group in comparison.DRAWN]
    assert sum(row.size for row in compared.rows) == len(drawn)


def test_no_two_words_look_alike():
    looks = [(look.sign, look.short) for look in LOOKS.values()]
    assert len(set(looks)) == len(looks)
    assert set(WORDS.values()) <= set(LOOKS)
    for one, other in itertools.combinations(WORDS.values(), 2):
        assert LOOKS[one].colour != LOOKS[other].colour


def test_alt_text_says_what_the_picture_shows():
    said = two().alt_text
    assert "null_check_constant: verifier refused on 6.1.0; accepted on 7.3.0" in said
    assert "percpu: accepted everywhere" in said


def test_a_picture_that_cannot_be_drawn():
    with pytest.raises(UsageError, match=r"cannot draw .*odd\.what"):
        two().save_picture("odd.what")


def test_bad_files_are_listed(tmp_path):
    records = Records([made_up()])
    records.bad = (BadRecord(tmp_path / "odd.json", "odd.json is no JSON"),)
    compared = Comparison(records)
    for told in (compared.to_text(), compared.to_markdown(), compared._repr_html_()):
        assert "odd.json is no JSON" in told


def test_texts_of_a_record_are_escaped():
    odd = "<script>|x|"
    compared = two(name=odd, source=odd)
    assert "<script>" not in compared._repr_html_()
    assert "<script>" not in compared.to_markdown()


def test_nothing_to_compare():
    with pytest.raises(UsageError, match="nothing to compare"):
        Comparison([])


def test_every_word_has_a_sign():
    assert {shown.sign(word) for word in WORDS.values()} == {"good", "bad"}
    assert shown.sign("512 bytes each") == shown.FACT
    assert shown.sign(NO_RECORD) == shown.sign(NOT_TRIED) == "none"


def test_machines_that_agree_in_what_differs_share_a_row():
    newer = ("6.14.0", "6.17.0", "7.3.0")
    compared = Comparison([made_up("5.10.0"), *map(made_up, newer)])
    html = compared._repr_html_()
    assert html.count("<tr") == 1 + 2  # the head, and a row each
    assert "3 machines" in html
    assert ", ".join(newer) in html
