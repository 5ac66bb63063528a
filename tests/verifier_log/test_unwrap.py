"""A log that went through a logger: what it put around the lines is taken off again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit import verifier_log
from labkit.explain import explain_text
from labkit.verifier_log.unwrap import unwrap

LOGS = Path(__file__).parents[1] / "logs"
BARE = (LOGS / "linux-6.18_llvm-14_stack_lifted.log").read_text()
QUOTE = str.maketrans({'"': '\\"', "\\": "\\\\", "\t": "\\t"})


def each(before, after=""):
    return lambda line: f"{before}{line}{after}"


LOGGERS = {
    "syslog": each("May 14 16:21:40 host program[12789]: "),
    "dmesg": each("[   59.691916] "),
    "container": each("2021-04-21T11:52:43.746111606Z "),
    "test": each("2023-02-16T13:37:38.1632673Z [            ] stderr: "),
    "debug": each("[DEBUG] "),
    "Go": each("        \t"),
    "key and value": lambda line: f'level=warning msg="{line.translate(QUOTE)}" subsys=loader',
    "both": lambda line: f'May  4 06:21:40 host a[9]: level=warning msg="{line.translate(QUOTE)}"',
}


@pytest.mark.parametrize("logger", LOGGERS)
def test_a_logger_is_taken_off(logger):
    wrapped = "".join(LOGGERS[logger](line) + "\n" for line in BARE.splitlines())
    bare, taken = verifier_log.parse(BARE), verifier_log.parse(unwrap(wrapped))
    assert taken.text == BARE
    assert taken.fatal == bare.fatal


@pytest.mark.parametrize("path", sorted(LOGS.glob("linux-*.log")), ids=lambda path: path.stem)
def test_a_bare_log_stays_as_it_is(path):
    text = path.read_bytes().decode()
    assert unwrap(text) == text


ONE_LINE = {
    "load program: permission denied: 2908: (69) r5 = *(u16 *)(r1 +36): R1 invalid mem access"
    " 'map_value_or_null' (4703 line(s) omitted)": "null-check",
    "x: load program: permission denied: invalid write to stack R10 off=-520 size=8"
    " (13 line(s) omitted)": "stack-bounds",
    'Error: "load: the BPF_PROG_LOAD syscall failed. Verifier output: combined stack size of 7'
    ' calls is 544. Too large\\nprocessed 9 insns\\n"': "stack-chain",
}


@pytest.mark.parametrize("line", ONE_LINE, ids=ONE_LINE.get)
def test_a_refusal_in_one_line_is_found(line):
    assert explain_text(unwrap(line)).key == ONE_LINE[line]


@given(st.text() | st.binary())
def test_any_text(text):
    assert isinstance(unwrap(text), str)


@given(st.lists(st.sampled_from(sorted(LOGGERS)), min_size=1, max_size=4), st.integers(0, 400))
def test_any_mixture_of_loggers_keeps_the_count_of_lines(loggers, start):
    lines = BARE.splitlines()[start : start + 40]
    text = "\n".join(LOGGERS[loggers[n % len(loggers)]](line) for n, line in enumerate(lines))
    assert unwrap(text).count("\n") in (text.count("\n"), text.count("\n") + 1)
