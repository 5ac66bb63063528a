"""The line and the code that ./lab ready tells."""

from __future__ import annotations

import math
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import made_up

from labkit import checklist, session
from labkit.checklist import Row
from labkit.errors import UsageError
from labkit.survey import readiness
from labkit.survey.readiness import ALPHABET, LENGTH, decode, encode
from labkit.survey.records import Machine, Record
from tools import probe

ROOT = Path(__file__).resolve().parents[2]
LACK = Row("bcc", False, "there is none", "sudo ./lab")


def test_a_code_tells_what_matters():
    code = encode(made_up("6.12.0"), ())
    assert len(code) == LENGTH
    said = decode(code)
    assert said.startswith("ready: Linux 6.12, LLVM 14, a stack of 512 bytes.")
    assert "percpu as meant" in said


def test_it_tells_what_is_lacking_first():
    said = decode(encode(made_up("6.12.0"), (LACK, Row("ring buffer", False, ""))))
    assert said.startswith("NOT ready")
    assert "It lacks: bcc." in said
    unknown = decode(encode(made_up("6.12.0"), (Row("a moon", False, ""),)))
    assert "It lacks: something else." in unknown


def test_it_tells_which_variant_is_odd():
    made = made_up("6.12.0")
    odd = replace(made.programs[0], agrees=False)
    said = decode(encode(replace(made, programs=(odd, *made.programs[1:3])), ()))
    assert said.startswith("NOT ready")
    assert "percpu NOT as meant, stack as meant, stack_lifted as meant" in said
    assert "stack_beyond not tried" in said


@pytest.mark.parametrize("kernel", ["", "3.10", "99.99.99-odd", "6", "next"])
def test_every_kernel_has_a_code(kernel):
    assert decode(encode(Record(Machine(kernel)), ())).startswith("NOT ready: Linux ")


def test_the_codes_suffice():
    """Each state has one of its own; a variant more may need a longer code."""
    assert math.prod(readiness._RADIXES) <= len(ALPHABET) ** (LENGTH - 1)


def test_every_row_that_can_be_lacking_is_known():
    names = {row.name for row in checklist.check() if row.ok is not None} | {"rights", "bcc"}
    assert names <= set(readiness.LACKS)


def test_the_packages_are_those_that_the_lab_asks_for():
    assert set(readiness.PACKAGES) == set(probe.RUN)


CODES = st.builds(
    lambda kernel, llvm, lack: encode(Record(Machine(kernel, llvm=llvm)), (Row(lack, False, ""),)),
    st.from_regex(r"[4-9]\.[0-9]{1,2}", fullmatch=True),
    st.from_regex(r"[0-9]{1,2}", fullmatch=True),
    st.sampled_from(readiness.LACKS),
)


@given(code=CODES, place=st.integers(0, LENGTH - 1), other=st.sampled_from(ALPHABET))
def test_one_misheard_character_is_noticed(code, place, other):
    heard = code[:place] + other + code[place + 1 :]
    if heard == code:
        decode(heard)
    else:
        with pytest.raises(UsageError):
            decode(heard)


@given(code=CODES, place=st.integers(0, LENGTH - 2))
def test_two_that_changed_places_are_noticed(code, place):
    heard = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    if heard != code:
        with pytest.raises(UsageError):
            decode(heard)


def test_it_may_be_written_as_it_is_heard():
    code = encode(made_up(), ())
    assert decode(f" {code[:3].lower()}-{code[3:]} ") == decode(code)


@pytest.mark.parametrize("code", ["", "ABC", "ABCDEFG", "ILOVE0", "äöüßÄÖ"])
def test_what_is_no_code(code):
    with pytest.raises(UsageError, match="is no code"):
        decode(code)


def test_a_machine_that_lacks_something_still_has_a_record(monkeypatch):
    monkeypatch.setattr(readiness, "check", lambda: [LACK])
    found = readiness.ready()
    assert not found.ok
    assert "bcc: there is none" in found.record.problem
    assert found.record.programs == ()
    assert "to mend it: sudo ./lab" in str(found)
    assert f"code {found.code}" in str(found)


@pytest.mark.live
def test_this_machine_is_ready():
    found = readiness.ready()
    assert found.ok, str(found)
    assert str(found).startswith(f"ready: code {found.code}")
    assert decode(found.code).startswith("ready: Linux ")
    assert found.record.problem == ""


@pytest.mark.live
def test_it_tells_so_with_the_standard_library_alone():
    """Before anything is set up there are no packages: they are lacking, and no traceback comes."""
    python = session.shared().python
    words = [python, "-I", "-c", BARE, str(ROOT)]
    told = subprocess.run(words, capture_output=True, text=True, timeout=100)
    assert told.returncode == 3, told.stderr
    assert told.stdout.startswith("NOT ready: code ")
    assert "  packages: missing: " in told.stdout
    assert "percpu is not" not in told.stdout  # the variants were tried all the same


# What hides each package: as on a machine that has the distribution's Python alone.
BARE = """
import sys
sys.path.insert(0, sys.argv[1])
from labkit.survey.readiness import PACKAGES
class Hidden:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in PACKAGES:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hidden())
import labkit.survey.readiness as readiness
readiness.find_spec = lambda name: None
from labkit.cli import main
sys.exit(main(["ready"]))
"""
