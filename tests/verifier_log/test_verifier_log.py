"""The verifier's log, from text to structure: real logs, older wordings, and arbitrary text."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.verifier_log import parse
from labkit.verifier_log.lines import Kind, classify, parse_source
from labkit.verifier_log.state import parse_state
from labkit.verifier_log.table import columns_of

LOGS = sorted((Path(__file__).parents[1] / "logs").glob("linux-*.log"))
ROOT = Path(__file__).parents[2]


def log_of(name):
    return parse((Path(__file__).parents[1] / "logs" / f"{name}.log").read_bytes())


def fatal_of(name):
    fatal = log_of(name).fatal
    return fatal.body if fatal else None


# Real logs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_a_real_log_is_kept_and_understood(path):
    log = parse(path.read_bytes())
    assert "".join(line.text for line in log.lines) == log.text
    assert log.text.encode("utf-8", "surrogateescape") == path.read_bytes()
    assert [line.index for line in log.lines] == list(range(len(log.lines)))
    assert len(log.unrecognised) <= len(log.lines) / 100
    assert log.statistics.insns_processed is not None
    assert not log.is_truncated
    assert all(step.instruction.opcode for step in log.instructions)


@pytest.mark.parametrize(
    ("name", "fatal"),
    [
        ("linux-6.18_llvm-14_stack_lifted", "invalid write to stack R8 off=-544 size=8"),
        ("linux-6.18_llvm-14_helper_write", "invalid write to stack R1 off=-520 size=520"),
        ("linux-6.18_llvm-14_percpu", None),
        ("linux-6.18_llvm-14_null_check", "R0 invalid mem access 'map_value_or_null'"),
        ("linux-7.3_llvm-14_null_check", "R0 invalid mem access 'map_value_or_null'"),
        # the first of two lines, and of a report in between
        ("linux-6.18_llvm-14_leak", "Unreleased reference id=2 alloc_insn=4"),
        ("linux-7.3_llvm-14_leak", "Unreleased reference id=2 alloc_insn=4"),
        (
            "linux-6.1_llvm-14_value_bounds",
            "invalid access to map value, value_size=544 off=1027 size=1",
        ),
        # with what bpftool and libbpf print around the log
        (
            "linux-6.18_llvm-14_bpftool_chain_socket",
            "combined stack size of 2 calls is 608. Too large",
        ),
        (
            "linux-6.1_llvm-14_bpftool_chain_tracepoint",
            "combined stack size of 2 calls is 640. Too large",
        ),
        ("linux-6.18_llvm-14_bpftool_chain_tracepoint", None),
    ],
)
def test_the_line_that_matters(name, fatal):
    assert fatal_of(name) == fatal


def test_the_instruction_that_was_refused():
    step = log_of("linux-6.18_llvm-14_stack_lifted").fatal_instruction
    assert step is not None
    assert step.instruction.index == 15
    assert step.instruction.opcode == "7b"
    assert step.instruction.disassembly == "*(u64 *)(r8 +0) = r7"
    assert step.source is not None
    assert (step.source.file, step.source.line) == ("main.c", 42)
    assert "CARVE(event" in step.source.text


def test_a_verdict_on_the_whole_program_has_no_instruction():
    assert log_of("linux-6.18_llvm-14_bpftool_chain_socket").fatal_instruction is None


def test_the_tables_of_7_3_are_not_steps():
    log = log_of("linux-7.3_llvm-14_stack_write")
    assert [step.instruction.index for step in log.instructions] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("name", "depths", "deepest", "maximum"),
    [
        ("linux-6.18_llvm-14_bpftool_chain_socket", (304, 304), 304, None),
        ("linux-7.3_llvm-14_bpftool_chain_tracepoint", (304, 304), 304, 304),
        ("linux-7.3_llvm-14_accepted", (8,), 8, 16),
        ("linux-6.18_llvm-14_stack_lifted_level1", (), None, None),
    ],
)
def test_stack_depth_in_the_old_and_the_new_form(name, depths, deepest, maximum):
    figures = log_of(name).statistics
    assert (figures.stack_depths, figures.stack_depth, figures.stack_depth_max) == (
        depths,
        deepest,
        maximum,
    )


# What the verifier knew --------------------------------------------------------------------------


def test_state_before_and_after_a_step():
    log = log_of("linux-6.18_llvm-14_stack_lifted")
    assert log.state_at(0, after=False).registers == {"R1": "ctx()", "R10": "fp0"}
    fatal = log.fatal_instruction
    assert fatal is not None
    state = log.state_at(fatal.number)
    assert state.registers["R8"] == "fp-544"
    assert state.stack == {-8: "0000????", -16: "rrrrrrrr"}
    assert state.spilled == {-16: "map_value(map=counters,ks=4,vs=24)"}
    assert state.extent == 16
    assert "R1" in state.registers  # set again after the call
    assert "R2" not in state.registers  # a call makes R1 to R5 unreadable


def test_state_follows_a_call_into_its_frame_and_back():
    log = log_of("linux-6.18_llvm-14_bpftool_chain_socket")
    by_index = {step.instruction.index: step.number for step in log.instructions}
    inside = log.state_at(by_index[18])
    assert inside.frame == 1
    assert inside.extent == 304
    assert inside.stack[-304] == "mmmmmmmm"
    assert inside.frames[0].stack[-304] == "mmmmmmmm"
    back = log.state_at(by_index[8])
    assert back.frame == 0
    assert set(back.frames) == {0}
    assert len(back.stack) == 38


def test_states_are_the_same_in_any_order():
    log = log_of("linux-6.18_llvm-14_percpu")
    forward = [log.state_at(number) for number in range(len(log.instructions))]
    fresh = log_of("linux-6.18_llvm-14_percpu")
    assert [fresh.state_at(number) for number in reversed(range(len(forward)))] == forward[::-1]
    assert log.state_at(-1) == forward[-1]
    with pytest.raises(IndexError):
        log.state_at(len(forward))


def test_state_lines_of_older_kernels_show_everything():
    log = parse(
        "0: R1=ctx(id=0,off=0,imm=0) R10=fp0\n"
        "0: (b7) r2 = 0\n"
        "1: R1=ctx(id=0,off=0,imm=0) R2_w=inv0 R10=fp0\n"
        "1: (7b) *(u64 *)(r10 -8) = r2\n"
        "2: R1=ctx(id=0,off=0,imm=0) R2_w=inv0 R10=fp0 fp-8_w=00000000\n"
        "2: (b7) r2 = 1\n"
    )
    assert log.state_at(0).registers["R2"] == "inv0"
    assert log.state_at(1).stack == {-8: "00000000"}
    assert log.state_at(2, after=False).registers["R2"] == "inv0"
    assert log.table["stack_extent"].tolist() == [pd.NA, 8, 8]
    assert log.table["state"].iloc[1].endswith("fp-8_w=00000000")


@pytest.mark.parametrize(
    ("text", "stack", "spilled"),
    [
        ("fp-16=mmmmmmmm", {-16: "mmmmmmmm"}, {}),
        ("fp-8_w=????mmmm", {-8: "????mmmm"}, {}),
        ("fp-8=00000000", {-8: "00000000"}, {}),
        ("fp-8=0", {-8: "rrrrrrrr"}, {-8: "0"}),
        ("fp-8=????P5", {-8: "????rrrr"}, {-8: "P5"}),
        ("fp-8=mmmmscalar(id=1,umax=255)", {-8: "mmmmrrrr"}, {-8: "scalar(id=1,umax=255)"}),
        ("fp-8=map_value(map=x,ks=4,vs=8)", {-8: "rrrrrrrr"}, {-8: "map_value(map=x,ks=4,vs=8)"}),
        (
            "fp-16=dynptr_local()",
            {-16: "d" * 8, -8: "d" * 8},
            {-16: "dynptr_local()"},
        ),
        ("R1=ctx() fp-8=mmmmpppp", {-8: "mmmmpppp"}, {}),
    ],
)
def test_slots(text, stack, spilled):
    state = parse_state(text)
    assert (state.stack, state.spilled) == (stack, spilled)


def test_a_value_with_spaces_is_one_value():
    state = parse_state("frame1: R0=scalar(umax=255,var_off=(0x0; 0xff)) R6=fp-544 refs=2")
    assert state.frame == 1
    assert state.registers == {"R0": "scalar(umax=255,var_off=(0x0; 0xff))", "R6": "fp-544"}


def test_table_has_a_row_for_each_step():
    log = log_of("linux-6.18_llvm-14_stack_lifted")
    frame = log.table
    assert len(frame) == len(log.instructions)
    last = frame.iloc[-1]
    assert (last["insn"], last["opcode"], last["source_line"]) == (15, "7b", 42)
    assert last["stack_extent"] == 16
    assert frame["stack_extent"].isna().iloc[0]
    chain = log_of("linux-6.18_llvm-14_bpftool_chain_socket").table
    assert set(chain["call_depth"]) == {0, 1}
    assert chain["stack_extent"].max() == 304


def test_scripts_that_ask_for_the_frame_get_the_table():
    log = log_of("linux-6.18_llvm-14_stack_lifted")
    pd.testing.assert_frame_equal(log.table, log.table)


def step_by_step(log):
    """What the table must hold of each step, from the objects that are made one by one."""
    for step in log.instructions:
        one, source = step.instruction, step.source
        of_source = (source.text, source.file, source.line) if source else (None, None, None)
        yield step.line, one.index, one.opcode, one.disassembly, *of_source


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_the_table_agrees_with_the_steps(path):
    log = parse(path.read_bytes())
    assert list(zip(*columns_of(log)[:7], strict=True)) == list(step_by_step(log))


ODD = (
    "1: (95) exit 2: R0=1 R10=fp0 ; x",
    "2: (95)  3: R0=1 ; x",
    "3: (95) ; x",
    "4: (95) x  ; a ; b\r",
    "5: (95) x ;; y ; z",
    "6: (95) x ;",
    "7: (95) x ; R1=1  \v",
    "07: (95) ",
)


def test_the_table_agrees_with_the_steps_on_odd_lines():
    log = parse("\n".join(ODD))
    states = [step.instruction.state for step in log.instructions]
    assert len(states) == len(ODD)
    assert columns_of(log)[-1] == states
    assert list(zip(*columns_of(log)[:7], strict=True)) == list(step_by_step(log))


# Lines, in the wordings of many kernels (their format strings) ------------------------------------


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("0: (b7) r1 = 0", Kind.INSTRUCTION),
        ("4: (63) *(u32 *)(r6 +0) = r0   ; R6=fp-544", Kind.INSTRUCTION),
        ("; e->pid = 1; @ exec.c:41", Kind.SOURCE),
        ("; e->pid = 1;", Kind.SOURCE),
        (";  @ main.c:0", Kind.SOURCE),
        ("0: R1=ctx() R10=fp0", Kind.STATE),
        ("12: frame1: R0=scalar()", Kind.STATE),
        ("from 4 to 7: R0=0 R10=fp0", Kind.STATE),
        ("from 4 to 7 (speculative execution): safe", Kind.STATE),
        ("25: safe", Kind.STATE),
        ("caller:", Kind.STATE),
        (" frame1: R1=scalar() R10=fp0", Kind.STATE),
        (" R0_w=inv0 R10=fp0", Kind.STATE),
        ("to caller at 8:", Kind.STATE),
        ("func#0 @0", Kind.FUNCTION),
        ("Validating inner() func#1...", Kind.FUNCTION),
        ("Func#1 ('inner') is safe for any args that match its prototype", Kind.FUNCTION),
        ("Func#1 is safe for any args that match its prototype", Kind.FUNCTION),
        ("mark_precise: frame0: last_idx 3 first_idx 0 subseq_idx -1 ", Kind.PRECISION),
        ("last_idx 3 first_idx 0", Kind.PRECISION),
        ("regs=4 stack=0 before 2: (b7) r2 = 304", Kind.PRECISION),
        ("parent didn't have regs=4 stack=0 marks", Kind.PRECISION),
        ("Live regs before insn:", Kind.LIVENESS),
        ("      0: .......... (bf) r6 = r10", Kind.LIVENESS),
        ("  2   1: ......6... (18) r1 = 0xffff88810bbb5565", Kind.LIVENESS),
        ("      7: 0..345.... p (bf) r6 = r0", Kind.LIVENESS),
        ("(7,13) frame 1 insn 18 +live -304 ", Kind.LIVENESS),
        ("(0) live stack update done in 2 iterations", Kind.LIVENESS),
        ("  0: (bf) r6 = r10\tr6: _ -> fp0+0", Kind.LIVENESS),
        ("processed 5 insns (limit 1000000) max_states_per_insn 0", Kind.STATISTIC),
        ("processed 5 insns, stack depth 8", Kind.STATISTIC),
        ("verification time 163 usec", Kind.STATISTIC),
        ("stack depth 304+304", Kind.STATISTIC),
        ("stack depth max 16", Kind.STATISTIC),
        ("subprog 0 (on_exec) main insns_self 5 insns_total 5 stack 0", Kind.STATISTIC),
        ("invalid write to stack R10 off=-520 size=8", Kind.ERROR),
        ("invalid stack off=-520 size=8", Kind.ERROR),
        ("invalid stack type R1 off=-520 access_size=520", Kind.ERROR),
        ("R0 !read_ok", Kind.ERROR),
        ("R1 type=fp expected=map_ptr", Kind.ERROR),
        ("back-edge from insn 5 to 3", Kind.ERROR),
        ("Verification failed: Memory Safety: Access outside bounds", Kind.REPORT),
        ("libbpf: prog 'x': -- BEGIN PROG LOAD LOG --", Kind.WRAPPER),
        ("-- END PROG LOAD LOG --", Kind.WRAPPER),
        ("arg#0 reference type('UNKNOWN ') size cannot be determined: -22", Kind.NOTE),
        ("", Kind.BLANK),
        ("all roses are red", Kind.UNRECOGNISED),
    ],
)
def test_kinds(line, kind):
    assert classify(line) is kind


def test_source_lines():
    assert parse_source("; a @ b; @ my file.c:41").text == "a @ b;"
    old = parse_source("; int x = 1;")
    assert old is not None
    assert (old.text, old.file, old.line) == ("int x = 1;", None, None)


def test_instruction_zero_is_an_instruction():
    log = parse("0: (85) call bpf_unknown#999\ninvalid func unknown#999\nprocessed 1 insns\n")
    assert log.fatal_instruction is not None
    assert log.fatal_instruction.number == 0
    assert log.fatal_instruction.instruction.index == 0
    assert log.statistics.insns_processed == 1


def test_a_state_on_the_line_of_an_instruction_is_not_its_text():
    log = parse("11: (15) if r0 == 0x1 goto pc+3 15: R0=1 R10=fp0 refs=2\n")
    assert log.instructions[0].instruction.disassembly == "if r0 == 0x1 goto pc+3"


def test_an_error_of_an_unknown_wording_is_found_by_its_place():
    log = parse(
        "0: (b7) r0 = 0\nthy frame is accursed\nverification time 1 usec\nprocessed 1 insns\n"
    )
    assert log.fatal is not None
    assert log.fatal.body == "thy frame is accursed"
    assert log.fatal.kind is Kind.ERROR
    assert log.unrecognised == ()


def test_a_remark_before_the_walk_is_not_the_verdict():
    log = parse("R1 type=ctx expected=fp\n0: R1=ctx() R10=fp0\n0: (95) exit\nprocessed 1 insns\n")
    assert log.fatal is None


def test_one_refused_log_of_several_is_found():
    refused = "0: (b7) r0 = 0\nR1 !read_ok\nprocessed 1 insns\n"
    accepted = "0: (95) exit\nprocessed 1 insns\n"
    for text in (
        refused + accepted,
        accepted + refused,
        accepted + "\n" + refused + "\n" + accepted,
    ):
        fatal = parse(text).fatal
        assert fatal is not None
        assert fatal.body == "R1 !read_ok"
    assert parse(accepted + accepted).fatal is None


def test_line_ends_and_nul_bytes_are_kept():
    for text in ("a\r\nb\r\n", "0: (95) exit\x00\x00", "\x0b\x0c\x85\n\n", "no end"):
        log = parse(text)
        assert "".join(line.text for line in log.lines) == text
    assert len(parse("").lines) == 0


# Any text ---------------------------------------------------------------------------------------

PIECES = sorted({line for path in LOGS for line in path.read_text().splitlines()[:400]})
scraps = st.lists(
    st.one_of(st.sampled_from(PIECES), st.text(max_size=40)).map(lambda line: line + "\n"),
    max_size=30,
)


def exercise(text):
    """Everything that can be asked of a log. Nothing may raise, nothing may be lost."""
    log = parse(text)
    assert "".join(line.text for line in log.lines) == log.text
    for line in log.lines:
        assert line.instruction is None or line.kind is Kind.INSTRUCTION
        assert line.source is None or line.kind is Kind.SOURCE
        assert line.state is None or line.kind in (Kind.STATE, Kind.INSTRUCTION)
    assert log.fatal is None or log.fatal.kind is Kind.ERROR
    assert log.fatal_instruction is None or log.fatal is not None
    assert log.statistics is not None
    assert isinstance(log.is_truncated, bool)
    for step in log.instructions:
        assert log.state_at(step.number).frames
    repr(log)
    return log


@given(st.text())
def test_any_text(text):
    assert exercise(text).text == text


@given(st.binary())
def test_any_bytes(data):
    assert exercise(data).text.encode("utf-8", "surrogateescape") == data


@given(scraps)
def test_any_mixture_of_lines(lines):
    log = exercise("".join(lines))
    assert list(zip(*columns_of(log)[:7], strict=True)) == list(step_by_step(log))


@settings(max_examples=60)
@given(st.sampled_from(LOGS), st.floats(0, 1), st.floats(0, 1))
def test_truncated_and_rotated_logs(path, start, length):
    data = path.read_bytes()[:20_000]
    at = int(start * len(data))
    exercise(data[at : at + int(length * len(data))])
    exercise(data[at:] + data[:at])


@settings(max_examples=30)
@given(st.sampled_from(LOGS), st.sampled_from(LOGS))
def test_interleaved_logs(one, two):
    pairs = zip(
        one.read_text().splitlines()[:200], two.read_text().splitlines()[:200], strict=False
    )
    exercise("\n".join(line for pair in pairs for line in pair))


def test_a_cut_log_says_so():
    text = log_of("linux-6.18_llvm-14_stack_lifted").text
    assert not parse(text).is_truncated
    assert parse(text[:-200]).is_truncated


# Size -------------------------------------------------------------------------------------------


def long_log(megabytes):
    walk = "".join(line.text for line in log_of("linux-6.18_llvm-14_percpu").lines[:-3])
    return walk * (megabytes * 1_000_000 // len(walk) + 1) + "R0 !read_ok\nprocessed 9 insns\n"


def test_ten_megabytes_take_less_than_two_seconds():
    text = long_log(10)
    # The best of three on this thread's own clock, so that a busy machine doesn't fail it.
    best = min(timed(text) for _ in range(3))
    assert best < 2


def timed(text):
    start = time.thread_time()
    log = parse(text)
    assert log.fatal is not None
    assert log.statistics.insns_processed == 9
    assert len(log.instructions) > 1000
    return time.thread_time() - start


@pytest.mark.parametrize("line", ["\n", " \n", "\r\n", " " * 70 + "\n"])
def test_ten_megabytes_of_blank_lines_take_less_than_a_second(line):
    text = "x\n" + line * (10_000_000 // len(line)) + "R0 !read_ok"

    def seconds():
        start = time.thread_time()
        log = parse(text)
        assert log.places([Kind.UNRECOGNISED, Kind.ERROR]) == [0, len(log.lines) - 1]
        assert log.lines[len(log.lines) // 2].text == line
        return time.thread_time() - start

    assert min(seconds() for _ in range(3)) < 1


def short_steps(megabytes):
    """The most steps that a log can have: instructions alone, without what they change."""
    walk = "".join(
        f"{step.instruction.index}: ({step.instruction.opcode}) {step.instruction.disassembly}\n"
        for step in log_of("linux-6.18_llvm-14_percpu").instructions
    )
    return walk * (megabytes * 1_000_000 // len(walk) + 1) + "R0 !read_ok\nprocessed 9 insns\n"


@pytest.mark.parametrize("made", [long_log, short_steps])
def test_the_table_of_ten_megabytes_takes_less_than_two_seconds(made):
    text = made(10)
    best = min(table_timed(text) for _ in range(3))
    assert best < 2


def table_timed(text):
    start = time.thread_time()
    assert len(parse(text).table) > 10_000
    return time.thread_time() - start


MEMORY = """
import resource, sys
from labkit.verifier_log import parse
size = 50_000_000
line = "12: (7b) *(u64 *)(r10 -16) = r0       ; R0=map_value(map=counters,ks=4,vs=24) R10=fp0\\n"
text = line * (size // len(line))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
log = parse(text)
assert log.fatal is None and len(log.instructions) == size // len(line)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / len(text))
"""


def test_a_long_log_takes_little_more_memory_than_its_text():
    run = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert float(run.stdout) < 1.5  # bytes for each byte of text, besides the text itself


def test_only_the_standard_library_is_needed():
    modules = "labkit.verifier_log, labkit.explain.compiler_log"
    code = f"import sys, {modules}; print('pandas' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert run.stdout.strip() == "False"
