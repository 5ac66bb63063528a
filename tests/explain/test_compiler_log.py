"""What compilers, bcc and libbpf print, from text to diagnostics."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.explain.compiler_log import STACK_LIMIT, matters, parse, without_colour

LOGS = Path(__file__).parents[1] / "logs"
COMPILER_LOGS = sorted([*LOGS.glob("bcc-*.log"), *LOGS.glob("clang_*.log")])


def log(name):
    return (LOGS / f"{name}.log").read_text()


def test_bcc_and_llvm_name_place_and_function():
    one = matters(log("bcc-0.26_llvm-14_stack"))
    assert one is not None
    assert (one.file, one.line, one.column) == ("/virtual/main.c", 46, 19)
    assert one.function == "tracepoint__sched__sched_process_exec"
    assert one.severity == "error"
    assert one.is_stack_limit
    assert one.text.startswith("Looks like the BPF stack limit of 512 bytes is exceeded.")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("clang_llvm-14_stack", ("big.c", 4, 22)),
        ("clang_llvm-14_stack_colour", ("big.c", 4, 22)),
        ("clang_llvm-19_stack", ("big.c", 3, 5)),
        ("clang_llvm-19_stack_colour", ("big.c", 9, 31)),
    ],
)
def test_both_wordings_of_the_stack_limit_in_colour_or_not(name, place):
    one = matters(log(name))
    assert one is not None
    assert one.is_stack_limit
    assert (one.file, one.line, one.column) == place
    assert "\x1b" not in one.text
    assert all(found.severity in ("error", "fatal error", "note") for found in parse(log(name)))


def test_the_number_stands_only_in_the_older_wording():
    for name, limit in (("clang_llvm-14_stack", "512"), ("clang_llvm-19_stack", None)):
        one = matters(log(name))
        assert one is not None
        match = STACK_LIMIT.search(one.text)
        assert match is not None
        assert match["limit"] == limit


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bcc-0.26_llvm-14_memset", "A call to built-in function 'memset' is not supported."),
        ("bcc-0.26_llvm-14_missing_header", "'linux/sched.h' file not found"),
        ("bcc-0.26_llvm-14_c_error", "use of undeclared identifier 'undeclared_thing'"),
        (
            "bcc-0.26_llvm-14_map_too_large",
            "could not open bpf map: scratch, error: Argument list too long",
        ),
    ],
)
def test_the_one_that_matters(name, text):
    one = matters(log(name))
    assert one is not None
    assert one.text == text


def test_missing_kernel_headers_matter_more_than_what_modprobe_says():
    one = matters(log("bcc-0.26_llvm-14_no_kernel_headers"))
    assert one is not None
    assert one.text.startswith("Unable to find kernel headers")


@pytest.mark.parametrize(
    ("line", "severity", "text", "place"),
    [
        ("LLVM ERROR: Cannot select: 0x1", "fatal error", "Cannot select: 0x1", None),
        ("error: <unknown>:0:0: in function f i32 (ptr): too big", "error", "too big", None),
        ("a.c:3:4: warning: unused variable 'x'", "warning", "unused variable 'x'", ("a.c", 3, 4)),
        ("clang-14: error: no such file: 'x.c'", "error", "no such file: 'x.c'", None),
        (
            "libbpf: map 'scratch': failed to create: -E2BIG",
            "error",
            "map 'scratch': failed to create: -E2BIG",
            None,
        ),
        (
            "bpf: Failed to load program: Operation not permitted",
            "error",
            "bpf: Failed to load program: Operation not permitted",
            None,
        ),
        ("1 warning and 2 errors generated.", None, None, None),
        ("    ^", None, None, None),
    ],
)
def test_lines(line, severity, text, place):
    found = parse(line)
    if severity is None:
        assert found == ()
        return
    assert [one.severity for one in found] == [severity]
    assert found[0].text == text
    assert (found[0].file, found[0].line, found[0].column) == (place or (None, None, None))


def test_warnings_alone_refuse_nothing():
    assert matters("a.c:3:4: warning: unused variable 'x'\n1 warning generated.\n") is None
    assert matters("") is None


def test_an_index_leads_back_to_the_line():
    text = log("bcc-0.26_llvm-14_no_kernel_headers")
    for one in parse(text):
        assert one.text in without_colour(text).split("\n")[one.index]


@given(st.text() | st.binary())
def test_any_text(text):
    for one in parse(text):
        assert one.severity in ("fatal error", "error", "warning", "remark", "note")
        assert one.index >= 0
    found = matters(text)
    assert found is None or found.is_error


@given(st.sampled_from(COMPILER_LOGS), st.floats(0, 1), st.floats(0, 1))
def test_cut_logs(path, start, end):
    data = path.read_bytes()
    parse(data[int(start * len(data)) : int(end * len(data))])
