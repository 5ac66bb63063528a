"""Why a program was refused: the right reason, with this log's numbers and names."""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit import verifier_log
from labkit.explain import explain, explain_text
from labkit.explain.facts import FACTS
from labkit.explain.messages import MESSAGES
from labkit.explain.messages.words import SEE, TOOLS
from labkit.program.c_names import indexed, locals_in, names_in
from labkit.verifier_log.unwrap import unwrap

LOGS = Path(__file__).parents[1] / "logs"
ALL = sorted(LOGS.glob("*.log"))
OUTCOMES = ("accepted", "compiler_refused", "verifier_refused", "host_refused", "worker_died", "?")

BY_NAME = {
    "stack_lifted": "stack-bounds",
    "stack_write": "stack-bounds",
    "helper_write": "stack-bounds",
    "null_check": "null-check",
    "value_bounds": "value-bounds",
    "leak": "leak",
    "gpl": "gpl",
    "forbidden_helper": "helper",
    "percpu": "accepted",
    "accepted": "accepted",
    "memset": "compiler-memory-function",
    "missing_header": "missing-header",
    "no_kernel_headers": "missing-headers",
    "map_too_large": "map-too-large",
    "c_error": "c-error",
    "stack": "compiler-stack",
    "stack_colour": "compiler-stack",
    "stack_no_line": "compiler-stack",
    "recursion": "recursion",
    "call_chain": "stack-chain",
    "tail_call": "tail-call-stack",
    "too_deep_calls": "call-depth",
}
BY_FILE = {
    "linux-5.10_llvm-14_bpftool_chain_tracepoint": "stack-chain",
    "linux-6.1_llvm-14_bpftool_chain_tracepoint": "stack-chain",
    "linux-6.18_llvm-14_bpftool_chain_tracepoint": "accepted",  # a private stack for each function
    "linux-7.3_llvm-14_bpftool_chain_tracepoint": "accepted",
    "linux-5.10_llvm-14_bpftool_chain_socket": "helper",  # not for socket filters yet
    "linux-6.1_llvm-14_bpftool_chain_socket": "helper",
    "linux-6.18_llvm-14_bpftool_chain_socket": "stack-chain",
    "linux-7.3_llvm-14_bpftool_chain_socket": "stack-chain",
    "linux-5.10_llvm-14_bpftool_tail_call": "helper",
    "linux-6.1_llvm-14_bpftool_tail_call": "helper",
    "linux-6.18_llvm-14_bpftool_tail_call": "tail-call-stack",
    "linux-7.3_llvm-14_bpftool_tail_call": "tail-call-stack",
}


def expected(path):
    kind = path.stem.split("_", 2)[-1]
    return BY_FILE.get(path.stem) or BY_NAME[kind.removesuffix("_level1")]


def complete(explanation):
    """Every sentence is there, and no template was left unfilled."""
    for text in (explanation.title, explanation.happened, explanation.why, explanation.change):
        assert text.strip()
        assert not re.search(r"\{[a-z]+\}|\bNone\b|  ", text), text
    assert explanation.see in SEE.values()
    assert (
        explanation.happened[-1] in ".!:)" or not explanation.known or ": " in explanation.happened
    )
    assert str(explanation)
    return explanation


def tells(explanation, key, said, never=None):
    """It is that reason, its sentences name what they should, and nothing of it is false."""
    assert complete(explanation).key == key
    assert said in f"{explanation.happened} {explanation.change}"
    assert never is None or never not in str(explanation)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_real_logs(path):
    explanation = complete(explain_text(path.read_bytes()))
    assert explanation.key == expected(path)
    assert explanation.known
    if explanation.key != "accepted":
        assert explanation.line is not None
        assert explanation.line.text in explanation.context


def of(name, **more):
    log = verifier_log.parse((LOGS / f"{name}.log").read_bytes())
    return complete(explain(outcome="verifier_refused", verifier_log=log, **more))


def test_the_bad_program_in_full():
    one = of("linux-6.18_llvm-14_stack_lifted")
    assert one.happened == (
        "The program writes 8 bytes of stack, starting 544 bytes below the frame pointer; the stack"
        " ends 512 bytes below it, so that is 32 bytes too deep."
    )
    assert one.names == ("event",)
    assert "`event`" in one.change
    assert one.line is not None
    assert one.line.where == "main.c:42"
    assert one.to_json()["line"]["index"] == one.line.index


def test_variables_are_named_from_what_is_given():
    sizes = {"extra": 768, "event": 544, "local": 256, "zero": 4}
    change = of("linux-6.18_llvm-14_stack_lifted", variables=sizes).change
    assert "`extra` (768 bytes), `local` (256 bytes)" in change
    assert "zero" not in change
    source = (LOGS.parents[1] / "bpf" / "exec_events.c").read_text()
    text = (LOGS / "bcc-0.26_llvm-14_stack.log").read_text()
    refused = complete(explain(outcome="compiler_refused", compiler_log=text, source=source))
    for name in ("event_object", "extra_object", "local_object"):
        assert f"`{name}`" in refused.change


def test_a_leak_names_the_helper_and_the_variable():
    one = of("linux-6.18_llvm-14_leak")
    assert "bpf_ringbuf_reserve() gave it at instruction 4" in one.happened
    chain = of("linux-6.1_llvm-14_bpftool_chain_tracepoint")
    assert "640 bytes" in chain.happened
    assert "304 + 304" in chain.happened


# Format strings of the kernel, 5.4 to 7.3, filled in.
WORDINGS = [
    ("invalid write to stack R10 off=-520 size=8", "stack-bounds", "8 bytes too deep"),
    ("invalid read from stack R10 off=-1024 size=8", "stack-bounds", "512 bytes too deep"),
    ("invalid indirect access to stack R1 off=-520 size=520", "stack-bounds", "520 bytes of stack"),
    ("invalid unprivileged write to stack R10 off=-520 size=8", "stack-bounds", "too deep"),
    ("invalid stack off=-520 size=8", "stack-bounds", "8 bytes too deep"),
    ("invalid stack type R1 off=-520 access_size=520", "stack-bounds", "8 bytes too deep"),
    ("invalid write to stack R1 off=-8 size=16", "stack-bounds", "8 bytes past the top"),
    ("invalid write to stack R10 off=0 size=8", "stack-bounds", "8 bytes past the top"),
    ("invalid variable-offset write to stack R2 var_off=(0x0; 0xff) size=1", "stack-variable", ""),
    ("invalid unbounded variable-offset read from stack R2", "stack-variable", ""),
    ("invalid read from stack off -16+4 size 8", "stack-uninitialised", "byte 4"),
    ("invalid read from stack R2 off -16+4 size 8", "stack-uninitialised", "offset -16"),
    ("invalid indirect read from stack off -16+0 size 8", "stack-uninitialised", "byte 0"),
    ("combined stack size of 2 calls is 640. Too large", "stack-chain", "640 bytes"),
    ("stack size of subprog 1 is 528. Too large", "stack-subprog", "528"),
    (
        "tail_calls are not allowed when call stack of previous frames is 256 bytes. Too large",
        "tail-call-stack",
        "256 bytes",
    ),
    ("the call stack of 8 frames is too deep !", "call-depth", "8"),
    ("recursive call from one() to other()", "recursion", "back to other() from one()"),
    ("R0 invalid mem access 'map_value_or_null'", "null-check", "map_value_or_null"),
    ("R6 invalid mem access 'ringbuf_mem_or_null'", "null-check", "ringbuf_mem_or_null"),
    ("R1 type=map_value_or_null expected=fp", "null-check", "map_value_or_null"),
    (
        "R1 pointer arithmetic on map_value_or_null prohibited, null-check it first",
        "null-check",
        "map_value_or_null",
    ),
    (
        "invalid access to map value, value_size=16 off=16 size=1",
        "value-bounds",
        "1 byte at offset 16",
    ),
    ("invalid access to memory, mem_size=544 off=540 size=8", "value-bounds", "offset 540"),
    ("R0 unbounded memory access, make sure to bounds check any such access", "value-bounds", ""),
    (
        "math between map_value pointer and register with unbounded min value is not allowed",
        "value-bounds",
        "",
    ),
    ("Unreleased reference id=2 alloc_insn=3", "leak", "instruction 3"),
    ("Leaking reference id=2 alloc_insn=0. Release it first.", "leak", "instruction 0"),
    ("back-edge from insn 5 to 3", "back-edge", "back-edge from insn 5 to 3"),
    ("func#0 @0\nfunc#1 @2\nback-edge from insn 2 to 2", "recursion", "it calls itself"),
    ("func#0 @0\nfunc#1 @2\nback-edge from insn 1 to 0", "back-edge", "by a jump or by a call"),
    ("infinite loop detected at insn 4", "too-long", "insn 4"),
    ("BPF program is too large. Processed 1000001 insn", "too-long", "1000001"),
    ("The sequence of 8193 jumps is too complex.", "too-long", "8193"),
    ("unknown func bpf_skb_load_bytes#26", "helper", "bpf_skb_load_bytes()"),
    ("invalid func unknown#211", "helper", ""),
    ("program of this type cannot use helper bpf_xdp_output#121", "helper", "bpf_xdp_output()"),
    ("calling kernel function bpf_obj_new_impl is not allowed", "helper", "bpf_obj_new_impl()"),
    ("cannot call GPL-restricted function from non-GPL compatible program", "gpl", ""),
    ("R1 invalid mem access 'inv'", "not-a-pointer", "R1"),
    ("R1 invalid mem access 'scalar'", "not-a-pointer", "R1"),
    ("R2 !read_ok", "not-readable", "R2"),
    ("invalid bpf_context access off=80 size=4", "context", "offset 80"),
]


@pytest.mark.parametrize(("line", "key", "part"), WORDINGS, ids=[one[0] for one in WORDINGS])
def test_wordings_of_the_verifier(line, key, part):
    text = f"0: (85) call bpf_x#1\n{line}\nprocessed 1 insns (limit 1000000)\n"
    tells(explain_text(text), key, part)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("bpf: Failed to load program: Operation not permitted", "not-permitted"),
        ("could not open bpf map: scratch, error: Operation not permitted", "not-permitted"),
        ("libbpf: map 'scratch': failed to create: Operation not permitted(-1)", "not-permitted"),
        ("libbpf: Error in bpf_object__probe_loading(): -EPERM. Couldn't load", "not-permitted"),
        ("libbpf: map 'scratch': failed to create: Argument list too long(-7)", "map-too-large"),
        ("libbpf: map 'scratch': failed to create: -E2BIG", "map-too-large"),
        (
            "LLVM ERROR: A call to built-in function 'memcpy' is not supported.",
            "compiler-memory-function",
        ),
        ("fatal error: 'linux/sched.h' file not found", "missing-header"),
    ],
)
@pytest.mark.parametrize("outcome", ["compiler_refused", "host_refused", "worker_died", "?"])
def test_wordings_without_a_verifier_log(line, key, outcome):
    assert complete(explain(outcome=outcome, compiler_log=line)).key == key


@pytest.mark.parametrize("row", MESSAGES, ids=lambda row: f"{row.key}: {row.title}")
def test_each_example_is_explained_by_its_row_and_no_other(row, monkeypatch):
    marked = [replace(one, title="this row") if one is row else one for one in MESSAGES]
    monkeypatch.setattr(sys.modules["labkit.explain"], "MESSAGES", marked)
    told = complete(explain_text(row.example, source=row.example_c))
    assert told.known
    assert told.title == "this row"


def test_rows_are_complete():
    speakers = {"verifier", "kernel", "compiler", "loader", "machine", "bcc"}
    tools = {"", *(name for name, _ in TOOLS)}
    for row in MESSAGES:
        assert row.regex.search("an innocent line") is None
        assert row.source
        assert row.speaker in speakers
        assert row.see in SEE
        assert isinstance(row.change, str | tuple) or set(row.change) <= tools
        assert row.needs == "" or all(name.lstrip("!") in FACTS for name in row.needs.split())


def test_every_fact_in_a_sentence_is_one():
    for row in MESSAGES:
        groups = {name.split("_")[0] for name in row.regex.groupindex}
        changes = row.change.values() if isinstance(row.change, Mapping) else [row.change]
        for said in (row.happened, row.why, *changes):
            for sentence in (said,) if isinstance(said, str) else said:
                names = {name.removeprefix("bare_") for name in re.findall(r"\{(\w+)\}", sentence)}
                assert names <= groups | set(FACTS), sentence


def test_every_place_is_there():
    for place in SEE.values():
        notebook, section = re.fullmatch(r"(\w+), section (\d+)", place).groups()
        cells = json.loads((LOGS.parents[1] / "notebooks" / f"{notebook}.ipynb").read_text())[
            "cells"
        ]
        text = "\n".join(
            "".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"
        )
        assert f"\n## {section}. " in f"\n{text}"


# The limit ----------------------------------------------------------------------------------------

DEEP = "0: (7b) *(u64 *)(r10 -{0}) = r1\ninvalid write to stack R10 off=-{0} size=8\nprocessed 1"
" insns"


def test_a_refusal_below_2048_shows_the_smaller_limit():
    assert "8 bytes too deep" in explain_text(DEEP.format(520)).happened
    assert "2048" not in str(explain_text(DEEP.format(520)))


def test_where_nothing_tells_both_limits_are_said():
    happened = explain_text(DEEP.format(2056)).happened
    assert "512 bytes (2048 on kernels after 7.3" in happened
    assert "1544 bytes (8 with the larger limit) too deep" in happened


def test_a_deeper_slot_that_was_accepted_shows_the_larger_limit():
    slot = "0: (7b) *(u64 *)(r10 -1000) = r1 ; R10=fp0 fp-1000=0\n"
    one = explain_text(slot + DEEP.format(2056))
    assert "ends 2048 bytes below it, so that is 8 bytes too deep" in one.happened
    assert "512" not in str(one)


def test_a_measured_limit_goes_before_what_a_log_tells():
    one = explain_text(DEEP.format(2056), limit=2048)
    assert "8 bytes too deep" in one.happened
    assert "512" not in str(one)
    chain = explain_text("combined stack size of 5 calls is 2560. Too large", limit=2048)
    assert "may have 2048 bytes" in chain.happened


def test_a_chain_below_2048_shows_the_smaller_limit():
    text = "combined stack size of 2 calls is 608. Too large"
    assert "may have 512 bytes." in explain_text(text).happened
    accepted = "3: (95) exit\nstack depth max 1008\nprocessed 4 insns\n"
    assert "1008 of 2048 bytes" in explain_text(accepted).happened


# Which variable is meant --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "call", "said", "name"),
    [
        ("u64 *number = bpf_map_lookup_elem(&m, &key);", 1, "R2 off -4+0 size 4", "key"),
        ("number = numbers.lookup(&key);", 1, "R2 off -4+0 size 4", "key"),
        ("h.update(&key, &value);", 2, "R3 off -16+0 size 8", "value"),
        ("events.perf_submit(ctx, &data, sizeof(data));", 25, "R4 off -64+0 size 64", "data"),
        ("bpf_perf_event_output(ctx, &events, 0, &conn,", 25, "R4 off -64+0 size 64", "conn"),
    ],
)
def test_a_register_is_an_argument(line, call, said, name):
    text = f"; {line}\n7: (85) call {call}\ninvalid indirect read from stack {said}\nprocessed 8"
    " insns"
    one = explain_text(text)
    assert one.names == (name,)
    assert f"Set `{name}` to zero" in one.change


def test_without_source_the_offset_is_named_and_no_variable():
    one = explain_text("invalid indirect read from stack off -92+0 size 80")
    assert one.names == ()
    assert "offset -92" in one.happened


def test_an_index_and_its_array_are_named():
    text = (
        "; val->s[idx] = 2; @ a.c:9\n14: (73) *(u8 *)(r6 +4) = r1\n"
        "R6 unbounded memory access, make sure to bounds check any such access\nprocessed 9 insns"
    )
    assert "`if (idx >= sizeof(val->s) / sizeof(val->s[0])) return 0;`" in explain_text(text).change


def test_a_saved_pointer_is_told_from_unwritten_bytes():
    stored = "1: (85) call {}\n2: (7b) *(u64 *)(r10 -32) = r0\n3: (85) call 2\n"
    said = "invalid indirect read from stack off -32+0 size 4\nprocessed 4 insns"
    assert explain_text(stored.format(1) + said).key == "stack-pointer-passed"
    assert explain_text(stored.format(5) + said).key == "stack-uninitialised"


# Whose words, and which line ----------------------------------------------------------------------

LESSON = (LOGS.parents[1] / "bpf" / "exec_events.c").read_text()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bcc-0.26_llvm-14_stack", "sched_process_exec, at /virtual/main.c:46:19: the local"),
        ("bcc-0.35_llvm-21_stack", "at an access in exec_event.h:129:18, whose code is inlined"),
        ("bcc-0.35_llvm-21_stack_no_line", "in function compiler_stack: the local variables"),
    ],
)
def test_of_the_compilers_place_only_what_it_is_is_said(name, said):
    """LLVM 14 names the program's line, LLVM 19 and 21 the header's, or the file alone."""
    text = (LOGS / f"{name}.log").read_text()
    told = complete(explain(outcome="compiler_refused", compiler_log=text, source=LESSON))
    assert said in told.happened
    for variable in ("event_object", "extra_object", "local_object"):
        assert f"`{variable}`" in told.happened


def test_a_warning_is_the_cause_of_what_the_verifier_says():
    warning = "main.c:4:5: warning: implicit declaration of function 'bpf_get_com' is invalid in"
    " C99\n"
    verdict = "the call stack of 9 frames is too deep !\nprocessed 0 insns"
    assert explain_text(warning + verdict).key == "unknown-function"
    error = "main.c:2:1: error: use of undeclared identifier 'x'\n"
    assert explain_text(error + warning).key == "c-error"
    assert explain_text(verdict).key == "call-depth"


def test_advice_is_in_the_words_of_the_tool():
    refused = "R0 invalid mem access 'map_value_or_null'\nprocessed 1 insns\n"
    rust = explain_text("Error: the BPF_PROG_LOAD syscall failed. Verifier output: x\n" + refused)
    assert "if let Some" in rust.change
    trace = explain_text(
        "Attaching 1 probe...\nERROR: Error loading BPF program for x.\n" + refused
    )
    assert "newer bpftrace" in trace.change
    leak = explain(
        outcome="verifier_refused",
        verifier_log=verifier_log.parse(
            "; struct e *e = events.ringbuf_reserve(8);\n2: (85) call bpf_ringbuf_reserve#131\n"
            "9: (95) exit\nUnreleased reference id=1 alloc_insn=2\nprocessed 9 insns"
        ),
        source="BPF_RINGBUF_OUTPUT(events, 8); e = events.ringbuf_reserve(8);",
    )
    assert "`events.ringbuf_discard(e, 0);`" in leak.change


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("libbpf: frobnication of 'x' failed: -99", "libbpf"),
        ("load program: bad frobnication", "cilium/ebpf"),
        ("[  12.3] audit: frobnication denied", "the kernel's log"),
    ],
)
def test_a_line_that_is_not_known_is_shown_with_its_speaker(text, speaker):
    one = explain_text(text)
    assert not one.known
    assert one.line.text in text
    assert f"it is from {speaker}" in one.happened
    assert "erifier stopped" not in str(one)


@pytest.mark.parametrize("text", ["Only a test\n", "Dear diary,\nnothing happened.\n", "0 errors"])
def test_nothing_refuses_where_no_word_does(text):
    one = explain_text(text)
    assert one.title == "No refusal found"
    assert not one.known


ACCEPTED = "0: (b7) r0 = 0\n1: (95) exit\nprocessed 2 insns (limit 1000000)\n"


def test_accepted_is_never_said_beside_a_refusal():
    assert explain_text(ACCEPTED).key == "accepted"
    for line in ("load failed: -99", "it was rejected", "R3 !read_ok", "Permission denied"):
        assert explain_text(f"{ACCEPTED}{line}\n").key != "accepted"
        assert explain_text(f"{line}\n{ACCEPTED}").key != "accepted"


def test_accepted_is_not_said_of_a_walk_without_its_end():
    cut = "0: (b7) r0 = 0\n1: (bf) r1 = r0\nprocessed 2 insns (limit 1000000)\n"
    assert explain_text(cut).key == "silent-cut"
    memory = "Error: bpf_load_program() event=x: Cannot allocate memory\n"
    assert explain_text(ACCEPTED + memory).key == "errno-enomem"


def mutated(choose, text, other):
    """Cut a text, double it, swap its lines, or put another log into it."""
    lines, more = text.split("\n"), other.split("\n")
    one, two = sorted((choose.randrange(len(lines) + 1), choose.randrange(len(lines) + 1)))
    how = choose.randrange(5)
    if how == 0:
        return lines[one:two]
    if how == 1:
        return lines[:two] + lines[one:]
    if how == 2:
        return choose.choice((lines + more, more + lines))
    if how == 3:
        return [line for pair in zip(lines, more, strict=False) for line in pair]
    choose.shuffle(lines)
    return lines


def test_a_thousand_mutated_logs_are_never_called_accepted():
    choose = random.Random(11)
    texts = [path.read_text()[:20_000] for path in ALL] + [row.example for row in MESSAGES]
    refused = {text: one.line.text for text in texts if (one := explain_text(text)).line}
    assert len(refused) > 150
    for _ in range(1000):
        text = choose.choice(list(refused))
        lines = mutated(choose, text, choose.choice(texts))
        one = explain_text("\n".join(lines))
        assert str(one)
        assert one.key != "accepted" or refused[text] not in lines, "\n".join(lines)


def test_ten_megabytes_are_explained_within_a_second():
    walk = (LOGS / "linux-6.18_llvm-14_percpu.log").read_text().partition("verification time")[0]
    text = walk * (10_000_000 // len(walk) + 1) + "R0 !read_ok\nprocessed 9 insns\n"
    journal = re.sub("^", "Nov 25 10:00:00 node1 agent[912]: ", text[-5_000_000:], flags=re.M)

    def seconds(log):
        start = time.thread_time()
        assert explain_text(unwrap(log)).key == "not-readable"
        return time.thread_time() - start

    assert min(seconds(text) for _ in range(3)) < 1
    assert min(seconds(journal) for _ in range(3)) < 1


# The kernel's own report --------------------------------------------------------------------------


def test_the_kernels_report_stands_beside_and_a_difference_is_said():
    text = (
        "0: (79) r1 = *(u64 *)(r0 +0)\nR0 invalid mem access 'map_value_or_null'\n\n"
        "Verification failed: {}: Odd\n\nReason:\n  It is odd.\n\nSuggestion:\n  Mend it.\n\n"
        "processed 1 insns\n"
    )
    same = explain_text(text.format("Register Type Safety"))
    assert same.key == "null-check"
    assert same.kernel.startswith("The kernel's own report says: Register Type Safety: Odd.")
    assert "It is odd. Mend it." in str(same)
    other = explain_text(text.format("Policy"))
    assert "Believe the kernel" in other.kernel


# What it doesn't know -----------------------------------------------------------------------------


def test_an_unknown_error_is_shown_and_said_to_be_unknown():
    text = "0: (b7) r0 = 0\nthy frame is accursed\nprocessed 1 insns\n"
    one = complete(explain_text(text))
    assert not one.known
    assert "does not know" in one.title
    assert "thy frame is accursed" in one.happened
    assert one.context == ("0: (b7) r0 = 0", "thy frame is accursed")


def test_what_the_kernel_itself_explains_is_passed_on():
    text = (
        "0: (b7) r0 = 0\nR9 was found wanting\n\nVerification failed: Odd: Odd thing\n\nReason:\n"
        "  R9 holds what it\n  should not.\n\nSuggestion:\n  Do not do that.\n\nprocessed 1 insns\n"
    )
    one = complete(explain_text(text))
    assert one.why == "R9 holds what it should not."
    assert one.change == "Do not do that."


def test_silence_has_an_answer_for_each_outcome():
    for outcome in OUTCOMES:
        one = complete(explain(outcome=outcome, compiler_log="last words\n"))
        assert one.known == (outcome == "accepted")
        assert outcome == "accepted" or one.context == ("last words",)


def test_a_dead_worker_with_a_stack_error_is_explained_by_it():
    text = (LOGS / "bcc-0.26_llvm-14_stack.log").read_text()
    assert explain(outcome="worker_died", compiler_log=text).key == "compiler-stack"


@given(st.sampled_from(OUTCOMES), st.text(), st.text() | st.binary(), st.text())
def test_any_text(outcome, compiler_text, verifier_text, source):
    log = verifier_log.parse(verifier_text)
    one = explain(outcome=outcome, compiler_log=compiler_text, verifier_log=log, source=source)
    assert one.title
    assert str(one)
    assert explain_text(verifier_text).title


@given(st.sampled_from(ALL), st.sampled_from(ALL), st.sampled_from(OUTCOMES))
def test_any_two_logs(one, two, outcome):
    log = verifier_log.parse(two.read_bytes())
    assert explain(outcome=outcome, compiler_log=one.read_text(), verifier_log=log).happened


# Names out of C -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("struct big_event *event = CARVE(event, 0);", ("event",)),
        ("struct big_event event_object = {}, *event = &event_object;", ("event_object", "event")),
        ("e->pid = bpf_get_current_pid_tgid() >> 32;", ("e",)),
        ("event.data[at & 1023] = 1;", ("event", "at")),
        ("bpf_get_current_comm(&e->comm, sizeof(e->comm));", ("e",)),
        ("((volatile u8 *)(buf))[0] = 1;", ("buf",)),
        ("return inner(mine[1]) + mine[3];", ("mine",)),
        ("char buf[600];", ("buf",)),
        ('bpf_trace_printk("%d of name", x);', ("x",)),
        ("}", ()),
        ("", ()),
    ],
)
def test_names_in_a_line(line, names):
    assert names_in(line) == names


def test_locals_of_a_source():
    source = """
    struct big { char inner[99]; };
    int f(void *ctx) {
        char buf[256]; u64 values[32]; struct big one = {}; struct big *pointer = &one;
        int small; __u8 grid[4][8];
    }
    """
    assert locals_in(source) == {
        "buf": ("char", 256),
        "values": ("u64", 256),
        "one": ("struct big", 99),
        "grid": ("__u8", 32),
    }


@given(st.text())
def test_any_c(text):
    assert isinstance(names_in(text), tuple)
    assert isinstance(locals_in(text), dict)


# What a text does not say -------------------------------------------------------------------------

_BTF_IGNORED = """\
libbpf: Error loading BTF: Invalid argument(22)
libbpf: Error loading .BTF into kernel: -22. BTF is optional, ignoring.
libbpf: map 'rb': failed to create: Invalid argument(-22)
"""
_LENGTH = """\
; bpf_probe_read_user(buf, n, (void *)ctx->args[1]);
6: (bf) r1 = r10                      ; R1_w=fp0 R10=fp0
7: (07) r1 += -128                    ; R1_w=fp-128
8: (bf) r2 = r6                       ; R2_w=scalar(smax=umax=4096,var_off=(0x0; 0x1fff))
9: (85) call bpf_probe_read_user#112
invalid write to stack R1 off=-128 size=4096
processed 10 insns (limit 1000000)
"""
_GLOBAL = """\
; counter++;
0: (18) r1 = 0x0                      ; R1=0
2: (79) r3 = *(u64 *)(r1 +0)
R1 invalid mem access 'scalar'
processed 2 insns (limit 1000000)
"""
_BPFTRACE = """\
Attaching 1 probe...
ERROR: Error loading BPF program for BEGIN_1.
Kernel error log:
BPF program is too large. Processed 1000001 insn
processed 1000001 insns (limit 1000000)
"""
_PROBE = "libbpf: prog 'x': failed to create kprobe 'vfs_read+0x0' perf event: "
_ELF = """\
libbpf: elf: legacy map definitions in 'maps' section are not supported by libbpf v1.0+
libbpf: failed to open object file 'x.o'
"""
_RUST = """\
Error: failed to create map `EVENTS` with code -1

Caused by:
    Operation not permitted (os error 1)
"""
_MAP_ARGUMENT = """\
; bpf_get_stackid(ctx, flags);
4: (85) call bpf_get_stackid#27
R2 type=scalar expected=map_ptr
processed 5 insns (limit 1000000)
"""


@pytest.mark.parametrize(
    ("text", "key", "said", "never"),
    [
        (_BTF_IGNORED, "map-refused", "the map rb", "type information"),
        (_LENGTH, "length-unbounded", "`n`", "as large as what is read"),
        (_GLOBAL, "global-unfilled", "global variable", "found it to be NULL"),
        (_BPFTRACE, "too-long", "`unroll`", "said: Attaching"),
        (_PROBE + "Permission denied\n", "attach-denied", "vfs_read", "no such function"),
        (_PROBE + "Too many open files\n", "attach-failed", "Too many", "no such function"),
        (_ELF, "elf-maps", "legacy map", "cannot open"),
        (_RUST, "errno-eperm", "sudo", "Not known"),
        (_MAP_ARGUMENT, "map-relocation", "`flags`", "copy to the stack"),
    ],
    ids=lambda value: value if value.isidentifier() else "",
)
def test_what_would_be_false_is_not_said(text, key, said, never):
    tells(explain_text(text), key, said, never)


def test_a_sum_is_one_index():
    assert indexed("data->buf[off + i] = x;") == ("data->buf", "off + i")
    assert indexed("data->buf[(data->off) & (MAX - 1)] = x;") == ("data->buf", "data->off")
