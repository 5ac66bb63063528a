"""A log that went through a logger: what it put around the lines is taken off again."""

from __future__ import annotations

import html
import json
import time
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
    "docker compose": each("agent-1  | "),
    "kubectl": each("[pod/agent-abc/main] "),
    "CRI": each("2025-11-25T10:00:00.000000001Z stderr F "),
    "journalctl -o short-precise": each("Nov 25 10:00:00.123456 node1 agent[912]: "),
    "klog": each("E1125 10:00:00.123456    3658 load.go:103] "),
    "Python": each("2025-11-25 10:00:00,123 - agent - ERROR - "),
    "env_logger": each("[2025-11-25T10:00:00Z WARN  libbpf] "),
    "quoted": each("> "),
    "grep -n": each("12:"),
    "a box": lambda line: f"│ {line:<160} │",
    "CSV": lambda line: f'10:00:00,ERR,"{line.replace(chr(34), chr(34) * 2)}"',
    "both": lambda line: f'May  4 06:21:40 host a[9]: level=warning msg="{line.translate(QUOTE)}"',
}


@pytest.mark.parametrize("logger", LOGGERS)
def test_a_logger_is_taken_off(logger):
    wrapped = "".join(LOGGERS[logger](line) + "\n" for line in BARE.splitlines())
    bare, taken = verifier_log.parse(BARE), verifier_log.parse(unwrap(wrapped))
    assert [line.body.rstrip() for line in taken.lines] == [
        line.body.rstrip() for line in bare.lines
    ]
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


# A whole log in one line, or in another writing.
SHORT = "0: R1=ctx() R10=fp0\n; char buf[600]; @ a.c:1\n1: (7b) *(u64 *)(r10 -600) = r1\n" + (
    "invalid write to stack R10 off=-600 size=8\nprocessed 2 insns (limit 1000000)\n"
)
WRITINGS = {
    "JSON": json.dumps({"level": "error", "error": f"load: {SHORT}", "at": "x\n"}).encode(),
    "JSON in JSON": json.dumps({"log": json.dumps({"error": SHORT})}).encode(),
    "Go": json.dumps(f"load program: permission denied:\n\t{SHORT}").encode(),
    "Python": repr(SHORT.encode()).encode(),
    "Rust": f"Error: Verifier({json.dumps(SHORT)})".encode(),
    "HTML": html.escape(f"libbpf: prog 'x': failed\n{SHORT}").encode(),
    "UTF-16": SHORT.encode("utf-16"),
    "UTF-16 without a mark": SHORT.encode("utf-16-le"),
    "Windows": SHORT.replace("\n", "\r\n").encode(),
    "colour": "".join(f"\x1b[31m{line}\x1b[0m\n" for line in SHORT.split("\n")).encode(),
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_another_writing_is_undone(writing):
    explained = explain_text(unwrap(WRITINGS[writing]))
    assert explained.key == "stack-bounds"
    assert explained.names == ("buf",)
    assert explained.line.text.strip() == "invalid write to stack R10 off=-600 size=8"


def test_what_a_source_line_escapes_stays():
    text = '; bpf_printk("a\\n%d", x); @ a.c:1\n0: (b7) r1 = 0\nR1 !read_ok\nprocessed 1 insns\n'
    assert unwrap(text) == text


@pytest.mark.parametrize("piece", ["\n", " ", "x", "load program: ", "&gt;", "a\n"])
def test_time_grows_no_faster_than_the_text(piece):
    def seconds(size):
        text = piece * (size // len(piece))
        start = time.thread_time()
        unwrap(text)
        return time.thread_time() - start

    small = min(seconds(250_000) for _ in range(3))
    assert min(seconds(1_000_000) for _ in range(3)) < 12 * small + 0.05


@given(st.text() | st.binary())
def test_any_text(text):
    assert isinstance(unwrap(text), str)


@given(st.lists(st.sampled_from(sorted(LOGGERS)), min_size=1, max_size=4), st.integers(0, 400))
def test_any_mixture_of_loggers_loses_no_line(loggers, start):
    lines = BARE.splitlines()[start : start + 40]
    text = "\n".join(LOGGERS[loggers[n % len(loggers)]](line) for n, line in enumerate(lines))
    assert unwrap(text).count("\n") >= text.count("\n")
