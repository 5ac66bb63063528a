"""What a record's file holds, and what is said of a file that is none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from made_records import made_up

from labkit.errors import UsageError
from labkit.survey import reading, records
from labkit.survey.records import TRIED_HERE, TRIED_THERE, Collected, Machine, Record


def test_what_is_written_is_read_again(tmp_path):
    run = Collected(5, 5, 5, 0, True, 2.0)
    made = made_up(left_out={"cost": "it takes a load"}, collection=run, here=True)
    path = made.write(tmp_path / "one.json")
    again = reading.read(path)
    assert again == replace(made, here=False, path=path)
    assert made.basis == TRIED_HERE
    assert again.basis == TRIED_THERE
    assert list(tmp_path.iterdir()) == [path]  # nothing half written beside it


def test_the_docstring_names_every_key():
    """Whoever reads a record in a year has that text alone."""
    said = set(records.__doc__.replace(",", " ").replace("(", " ").split())
    plain = made_up(collection=Collected()).to_json()
    keys = {*plain, *plain["machine"], *plain["lab"], *plain["collection"]}
    for name in ("programs", "limits", "claims"):
        keys |= set(plain[name][0])
    assert keys - said == set()


def test_what_it_does_not_know_it_ignores():
    plain = made_up().to_json()
    plain["moon"] = "full"
    plain["machine"]["colour"] = "red"
    plain["programs"][0]["smell"] = 7
    assert reading.from_json(plain) == made_up()


def test_the_least_is_a_kernel():
    assert reading.from_json({"schema": 1, "machine": {"kernel": "6.9"}}) == Record(Machine("6.9"))


def test_a_file_cannot_say_that_it_was_tried_here():
    given = {**made_up().to_json(), "here": True, "path": "x"}
    assert reading.from_json(given).basis == TRIED_THERE


WRONG = {
    "a list": ([], "is no record"),
    "no schema": ({"machine": {"kernel": "6.9"}}, "is no record"),
    "of the future": ({"schema": 2, "machine": {"kernel": "6.9"}}, "update the lab"),
    "an odd schema": ({"schema": "one", "machine": {"kernel": "6.9"}}, "whole number"),
    "schema true": ({"schema": True, "machine": {"kernel": "6.9"}}, "whole number"),
    "no machine": ({"schema": 1}, '"machine" is missing'),
    "no kernel": ({"schema": 1, "machine": {}}, "lacks 'kernel'"),
    "a kernel that is a number": ({"schema": 1, "machine": {"kernel": 6.9}}, "'kernel' cannot be"),
    "programs that are none": (
        {"schema": 1, "machine": {"kernel": "6.9"}, "programs": {"a": 1}},
        '"programs" must be a list',
    ),
    "a program without a name": (
        {"schema": 1, "machine": {"kernel": "6.9"}, "programs": [{"outcome": "accepted"}]},
        r'"programs"\[0\] lacks \'name\'',
    ),
    "an odd depth": (
        {"schema": 1, "machine": {"kernel": "6"}, "programs": [{"name": "a", "stack_depth": "x"}]},
        "'stack_depth' cannot be 'x'",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_named(wrong, tmp_path):
    given, said = WRONG[wrong]
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(given))
    with pytest.raises(UsageError, match=said) as caught:
        reading.read(path)
    assert "odd.json" in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"kernel: 6.1", b"\xff\xfe", b'{"schema": 1', b"[" * 99999]
)
def test_a_file_that_is_no_json(content, tmp_path):
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"odd\.json is no JSON"):
        reading.read(path)


def test_one_bad_file_does_not_hide_the_others(tmp_path):
    made_up().write(tmp_path / "good.json")
    (tmp_path / "bad.json").write_text("no")
    found = reading.open_records(tmp_path)
    assert [one.machine.kernel for one in found] == ["6.12.0"]
    assert [bad.path.name for bad in found.bad] == ["bad.json"]
    assert "no JSON" in found.bad[0].why


def test_files_are_named_in_many_ways(tmp_path):
    for number in (1, 2):
        made_up().write(tmp_path / f"{number}.json")
    named = [tmp_path, tmp_path / "1.json", f"{tmp_path}/*.json"]
    assert [len(reading.open_records(one)) for one in named] == [2, 1, 2]
    assert len(reading.open_records(named)) == 2  # each file once


@pytest.mark.parametrize("named", ["nowhere.json", "nowhere-*.json", []])
def test_no_file_at_all(named):
    with pytest.raises(UsageError, match="no record to read"):
        reading.open_records(named)


def test_nowhere_to_write():
    with pytest.raises(UsageError, match="cannot write /proc/x.json"):
        made_up().write("/proc/x.json")


def test_the_published_records_can_be_read():
    assert reading.published().bad == ()
