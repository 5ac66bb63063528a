"""Exercises 4, 9 and 10: programs that people write, right and wrong, and what is said of them."""

from __future__ import annotations

from typing import Any

import made_runs
import pandas as pd
import pytest
from answering import NOT_TRIED, NOT_YET, RIGHT, Change, built, changed, notes, said, start

import labkit
from labkit.notebook import exercises
from labkit.program.alternatives import WAYS

__all__ = ["notes"]
live = pytest.mark.live

# What is no program at all, for each check that asks for one.
NO_PROGRAM: dict[str, tuple[Any, str, str]] = {
    "None": (None, NOT_TRIED, "run the cell above"),
    "dots": (..., NOT_TRIED, "run the cell above"),
    "its name": ("mine", NOT_YET, "a str was given"),
    "a number": (1000, NOT_YET, "a int was given"),
    "a table": (pd.DataFrame(), NOT_YET, "a DataFrame was given"),
    "a list": ([], NOT_YET, "a list was given"),
    "a refused report": (made_runs.report("compiler_refused", source="x"), NOT_YET, "not load"),
    "a report without a source": (made_runs.report(), NOT_YET, "no source"),
    "a run that was refused": (made_runs.refused_run(), NOT_YET, "no source"),
}
CHECKS = ("check_own", "check_clean", "check_direct")


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("answer", NO_PROGRAM)
def test_what_is_no_program_gets_a_sentence(check: str, answer: str) -> None:
    given, verdict, words = NO_PROGRAM[answer]
    said(getattr(exercises, check)(given), verdict, words)
    said(getattr(exercises, check)(), NOT_TRIED)


# --- 4: 1000 bytes of scratch ---

MAP: Change = ("TRACEPOINT", "BPF_PERCPU_ARRAY(slot, struct scratch, 1);\nTRACEPOINT")
LOOKED_UP: Change = (
    "\tstruct scratch scratch;\n",
    "\tu32 zero = 0;\n\tstruct scratch *scratch = slot.lookup(&zero);\n"
    "\tif (!scratch)\n\t\treturn 0;\n",
)
FILL = "\t__builtin_memset(scratch.bytes, 'x', sizeof(scratch.bytes));\n"
POINTED: Change = (FILL, FILL.replace("scratch.", "scratch->"))
UNKEPT: Change = ("\tKEEP(scratch);\n", "")
IN_MAP = (MAP, LOOKED_UP, POINTED, UNKEPT)
LOOP = "\tfor (int i = 0; i < 1000; i++)\n\t\t((volatile u8 *)scratch->bytes)[i] = 1;\n"

OWN_RIGHT: dict[str, tuple[Change, ...]] = {
    "a per-CPU array": IN_MAP,
    "with KEEP": (MAP, LOOKED_UP, POINTED, ("KEEP(scratch)", "KEEP(*scratch)")),
    "a plain array": ((MAP[0], MAP[1].replace("PERCPU_", "")), *IN_MAP[1:]),
    "a loop": (MAP, LOOKED_UP, (FILL, LOOP), UNKEPT),
    "the second of two elements": (
        (MAP[0], MAP[1].replace(", 1)", ", 2)")),
        (LOOKED_UP[0], LOOKED_UP[1].replace("zero = 0", "zero = 1")),
        POINTED,
        UNKEPT,
    ),
    "a larger value": (("bytes[1000]", "bytes[1024]"), *IN_MAP),
    "an if around it": (
        MAP,
        (LOOKED_UP[0], LOOKED_UP[1].replace("if (!scratch)\n\t\treturn 0;", "if (scratch)")),
        POINTED,
        UNKEPT,
    ),
    "a raw tracepoint": (
        (
            "TRACEPOINT_PROBE(sched, sched_process_exec)",
            MAP[1].removesuffix("TRACEPOINT") + "RAW_TRACEPOINT_PROBE(sched_process_exec)",
        ),
        LOOKED_UP,
        POINTED,
        UNKEPT,
    ),
}


@live
@pytest.mark.parametrize("answer", OWN_RIGHT)
def test_a_program_that_fills_1000_bytes_is_right(answer: str) -> None:
    program = built(changed(start("own_scratch"), *OWN_RIGHT[answer]))
    said(exercises.check_own(program), RIGHT, "bytes were written into one value")


SMALLER: Change = ("bytes[1000]", "bytes[900]")
FIRST_WORD = "\t*(u64 *)scratch->bytes = 1;\n"
UNUSED = (MAP, ("\tstruct scratch scratch;\n", ""), (FILL, ""), UNKEPT)
NO_TRACEPOINT: Change = (
    "TRACEPOINT_PROBE(sched, sched_process_exec)",
    MAP[1].removesuffix("TRACEPOINT") + "int own(void *ctx)",
)
OTHER_KEY: Change = (
    LOOKED_UP[0],
    "\tu32 zero = bpf_get_prandom_u32();\n\tstruct scratch *scratch = slot.lookup(&zero);\n",
)
HASH: Change = (
    MAP[0],
    MAP[1].replace(
        "BPF_PERCPU_ARRAY(slot, struct scratch, 1)", "BPF_HASH(slot, u32, struct scratch)"
    ),
)
ALL_BUT_ONE: Change = (FILL, POINTED[1].replace("'x', sizeof(scratch->bytes)", "'x', 999"))
OWN_WRONG: dict[str, tuple[tuple[Change, ...], str, str]] = {
    "untouched": ((), NOT_TRIED, "as it was"),
    "only a comment": ((("\treturn 0;", "\treturn 0; // ?"),), NOT_TRIED, "as it was"),
    "a map that is never used": (UNUSED, NOT_YET, "nothing was written"),
    "looked up, not written": ((MAP, LOOKED_UP, (FILL, ""), UNKEPT), NOT_YET, "nothing was"),
    "its first word": ((MAP, LOOKED_UP, (FILL, FIRST_WORD), UNKEPT), NOT_YET, "too small: not all"),
    "all but the last byte": ((MAP, LOOKED_UP, ALL_BUT_ONE, UNKEPT), NOT_YET, "too small: not all"),
    "900 bytes": ((SMALLER, *IN_MAP), NOT_YET, "too small"),
    "400 bytes of stack": ((("bytes[1000]", "bytes[400]"),), NOT_YET, "too small"),
    "both": ((MAP,), NOT_YET, "it does not load"),
    "no tracepoint": ((NO_TRACEPOINT, *IN_MAP[1:]), NOT_YET, "nothing was written"),
    "no NULL check": ((MAP, OTHER_KEY, POINTED, UNKEPT), NOT_YET, "it does not load"),
    "a slip of C": ((("return 0;", "retrn 0;"),), NOT_YET, "it does not load"),
    "a hash": ((HASH, *IN_MAP[1:]), NOT_YET, "is no array"),
}


@live
@pytest.mark.parametrize("answer", OWN_WRONG)
def test_a_program_that_does_not_fill_them_is_not(answer: str) -> None:
    changes, verdict, words = OWN_WRONG[answer]
    said(exercises.check_own(built(changed(start("own_scratch"), *changes))), verdict, words)


@live
@pytest.mark.parametrize("variant", ["percpu", "stack"])
def test_the_lessons_own_reports_are_no_answer(variant: str) -> None:
    said(exercises.check_own(labkit.build(variant)), NOT_YET)


# --- 9: leave nothing behind ---

IDENTITY = "\tfill_identity(event);\n"
READ = "\tbpf_probe_read_kernel_str("
SEND = "\tif (events.ringbuf_output(event, sizeof(*event), 0))\n\t\tcount->failed++;\n\telse\n"
SUBMITTED = "\t\tcount->submitted++;\n"


def cleared(how: str) -> tuple[Change, ...]:
    return ((IDENTITY, f"\t{how}\n{IDENTITY}"),)


BOUNDED = (READ, READ.replace("\t", "\tu64 name = "))


def only(length: str) -> tuple[Change, ...]:
    """Send no more than what lies before the name, and ``length`` bytes of it."""
    room = "sizeof(event->data) - NAME_AT"
    bound = f"\tif (name > {room})\n\t\tname = {room};\n"
    used = f"sizeof(*event) - sizeof(event->data) + NAME_AT + {length}"
    return BOUNDED, (SEND, bound + SEND.replace("sizeof(*event)", used))


WORDS = "for (int i = 0; i < sizeof(*event) / 8; i++)\n\t\t((volatile u64 *)event)[i] = 0;"
CLEAN_RIGHT: dict[str, tuple[Change, ...]] = {
    "memset": cleared("__builtin_memset(event, 0, sizeof(*event));"),
    "memset of data": cleared("__builtin_memset(event->data, 0, sizeof(event->data));"),
    "memset of the name": cleared("__builtin_memset(&event->data[NAME_AT], 0, 496);"),
    "a loop of words": cleared(WORDS),
    "only what was written": only("name"),
    "without the NUL": only("name - 1"),
    "the kernel's zeros": cleared("bpf_probe_read_kernel(event->data, 512, 0);"),
    "another name for the slot": (
        ("BPF_PERCPU_ARRAY(event_slot", "BPF_PERCPU_ARRAY(room"),
        ("event_slot.lookup", "room.lookup"),
        *cleared("__builtin_memset(event, 0, sizeof(*event));"),
    ),
}  # fmt: skip


@live
@pytest.mark.parametrize("answer", CLEAN_RIGHT)
def test_a_program_that_leaves_nothing_is_right(answer: str) -> None:
    program = built(changed(start("stale_event"), *CLEAN_RIGHT[answer]), "clean")
    said(exercises.check_clean(program), RIGHT, "nothing left over")


MEMSET = CLEAN_RIGHT["memset"]
CLEAN_WRONG: dict[str, tuple[tuple[Change, ...], str, str]] = {
    "untouched": ((), NOT_TRIED, "as it was"),
    "8 bytes": (cleared("__builtin_memset(event, 0, 8);"), NOT_YET, "bytes of older ones"),
    "40 bytes": (cleared("__builtin_memset(event, 0, 40);"), NOT_YET, "bytes of older ones"),
    "256 bytes": (cleared("__builtin_memset(event, 0, 256);"), NOT_YET, "bytes of older ones"),
    "a pointer's size": (cleared("__builtin_memset(event, 0, sizeof(event));"), NOT_YET, "older"),
    "all but the end": (cleared("__builtin_memset(event, 0, 536);"), NOT_YET, "of older ones"),
    "one byte behind": (
        (BOUNDED,
         (SEND, "\tif (name < 490)\n\t\tevent->data[NAME_AT + name] = 0;\n" + SEND)),
        NOT_YET, "bytes of older ones",
    ),
    "cleared with other than 0": (
        cleared("__builtin_memset(event, ' ', sizeof(*event));"), NOT_YET, "bytes of older ones"),
    "cleared too late": (
        ((SEND, "\t__builtin_memset(event, 0, sizeof(*event));\n" + SEND),), NOT_YET, "the pid"),
    "no submitted++": (
        (*MEMSET, (SEND, SEND.removesuffix("\telse\n")), (SUBMITTED, "")), NOT_YET, "balance"),
    "no failed++": (
        (*MEMSET, (SEND, "\tevents.ringbuf_output(event, sizeof(*event), 0);\n")),
        NOT_YET, "does not balance"),
    "no attempted++": ((*MEMSET, ("\tcount->attempted++;\n", "")), NOT_YET, "attempted"),
    "counted twice": (
        (*MEMSET, ("\tcount->attempted++;\n", "\tcount->attempted += 2;\n")), NOT_YET, "balance"),
    "no pid in data": (
        (*MEMSET, ("\t*(u32 *)event->data = event->pid;\n", "")), NOT_YET, "the pid"),
    "no identity": (((IDENTITY, "\t__builtin_memset(event, 0, sizeof(*event));\n"),),
                    NOT_YET, "the pid"),
    "no name": ((*MEMSET, ("(char *)args + (args->data_loc_filename & 0xffff)", "0")),
                NOT_YET, "no event has a file name"),
    "names cut short": ((*MEMSET, ("sizeof(event->data) - NAME_AT", "64")), NOT_YET, "cut off"),
    "a smaller event": ((('#include', '#define DATA_BYTES 64\n#include'), *MEMSET),
                        NOT_YET, "cut off"),
    "a larger event": ((('#include', '#define DATA_BYTES 640\n#include'), *MEMSET),
                       NOT_YET, "larger than struct big_event"),
    "only some": ((*MEMSET, (SEND, "\tif (event->data[90])\n\t\treturn 0;\n" + SEND)),
                  NOT_YET, "no event has their file name"),
    "never sent": ((*MEMSET, (SEND, "\tif (zero)\n\t\tcount->failed++;\n\telse\n")),
                   NOT_YET, "no event came"),
    "a ring buffer of its own size": (
        (("RINGBUF_PAGES", "8192"), *MEMSET), NOT_YET, "keep BPF_RINGBUF_OUTPUT"),
    "other counters": (
        (("counters, struct counters", "counters, struct extra_buffer"),
         ("struct counters *count", "struct counters *count = 0; void *unused"), *MEMSET),
        NOT_YET, "keep BPF_PERCPU_ARRAY(counters"),
    "no counters": (
        (("BPF_PERCPU_ARRAY(counters, struct counters, 1);\n", ""),
         ("\tstruct counters *count = counters.lookup(&zero);\n", ""), ("!count || ", ""),
         ("\tcount->attempted++;\n", ""), (SEND + SUBMITTED,
          "\tevents.ringbuf_output(event, sizeof(*event), 0);\n"), *MEMSET),
        NOT_YET, "no map called counters"),
    "a length out of bounds": (
        (BOUNDED, (SEND, SEND.replace("sizeof(*event)", "48 + name"))), NOT_YET, "does not load"),
    "a slip of C": ((("\treturn 0;\n}", "\treturn 0\n}"),), NOT_YET, "it does not load"),
}  # fmt: skip


@live
@pytest.mark.parametrize("answer", CLEAN_WRONG)
def test_a_program_that_leaves_something_is_not(answer: str) -> None:
    changes, verdict, words = CLEAN_WRONG[answer]
    program = built(changed(start("stale_event"), *changes), "clean")
    said(exercises.check_clean(program), verdict, words)


@live
def test_the_lessons_own_program_leaves_something() -> None:
    said(exercises.check_clean(labkit.build("percpu")), NOT_YET, "of older ones")


# --- 10: no scratch at all ---

NO_SLOT: Change = ("BPF_PERCPU_ARRAY(event_slot, struct big_event, 1);\n", "")
BEGIN = (
    "\tstruct big_event *event = event_slot.lookup(&zero);\n"
    "\tif (!count || !event)\n\t\treturn 0;\n\tcount->attempted++;\n"
)
RESERVE = (
    "\tif (!count)\n\t\treturn 0;\n\tcount->attempted++;\n"
    "\tstruct big_event *event = events.ringbuf_reserve(sizeof(*event));\n"
    "\tif (!event) {\n\t\tcount->failed++;\n\t\treturn 0;\n\t}\n"
)
CLEAR = "\t__builtin_memset(event, 0, sizeof(*event));\n"
SUBMIT = "\tevents.ringbuf_submit(event, 0);\n\tcount->submitted++;\n"
SENT: Change = (SEND + SUBMITTED, SUBMIT)
DIRECT = (NO_SLOT, (BEGIN, RESERVE + CLEAR), SENT)

DIRECT_RIGHT: dict[str, tuple[Change, ...]] = {
    "reserve, clear, submit": DIRECT,
    "data cleared": (
        NO_SLOT, (BEGIN, RESERVE + CLEAR.replace("event, 0, sizeof(*event)",
                                                 "event->data, 0, sizeof(event->data)")), SENT),
    "a loop": (NO_SLOT, (BEGIN, RESERVE + "\t" + WORDS + "\n"), SENT),
    "counted before it is submitted": (
        NO_SLOT, (BEGIN, RESERVE + CLEAR),
        (SENT[0], "\tcount->submitted++;\n\tevents.ringbuf_submit(event, 0);\n")),
    "without waking the reader": (*DIRECT[:2], (SENT[0], SUBMIT.replace("event, 0", "event, 1"))),
    "reserved before it is counted": (
        NO_SLOT,
        (BEGIN, "\tif (!count)\n\t\treturn 0;\n"
         "\tstruct big_event *event = events.ringbuf_reserve(sizeof(struct big_event));\n"
         "\tcount->attempted++;\n"
         "\tif (!event) {\n\t\tcount->failed++;\n\t\treturn 0;\n\t}\n" + CLEAR), SENT),
    "the kernel's zeros": (
        NO_SLOT, (BEGIN, RESERVE + "\tbpf_probe_read_kernel(event, sizeof(*event), 0);\n"), SENT),
}  # fmt: skip


@live
@pytest.mark.parametrize("answer", DIRECT_RIGHT)
def test_a_program_without_a_scratch_is_right(answer: str) -> None:
    program = built(changed(start("stale_event"), *DIRECT_RIGHT[answer]), "direct")
    said(exercises.check_direct(program), RIGHT, "in the ring buffer itself")


SMALL: Change = ("#include", "#define DATA_BYTES 416\n#include")
ON_STACK = (
    SMALL,
    NO_SLOT,
    (BEGIN, "\tstruct big_event object = {}, *event = &object;\n"
     "\tif (!count)\n\t\treturn 0;\n\tcount->attempted++;\n"),
)  # fmt: skip
DIRECT_WRONG: dict[str, tuple[tuple[Change, ...], str, str]] = {
    "untouched": ((), NOT_TRIED, "as it was"),
    "exercise 9": (MEMSET, NOT_YET, "a scratch still: event_slot"),
    "a small event on the stack": (ON_STACK, NOT_YET, "copies an event"),
    "a small event, reserved": ((SMALL, *DIRECT), NOT_YET, "cut off"),
    "not cleared": ((NO_SLOT, (BEGIN, RESERVE), SENT), NOT_YET, "bytes of older ones"),
    "the slot still there": (DIRECT[1:], NOT_YET, "a scratch still: event_slot"),
    "a copy of the slot": (
        ((BEGIN, BEGIN + "\tstruct big_event *place = events.ringbuf_reserve(sizeof(*place));\n"
          "\tif (!place)\n\t\treturn 0;\n"),
         (SENT[0], "\t__builtin_memcpy(place, event, sizeof(*event));\n"
          + SUBMIT.replace("submit(event", "submit(place"))),
        NOT_YET, "a scratch still"),
    "nothing submitted": ((*DIRECT[:2], (SENT[0], "")), NOT_YET, "it does not load"),
    "discarded": ((*DIRECT[:2], (SENT[0], SUBMIT.replace("_submit", "_discard"))),
                  NOT_YET, "no event came"),
    "no NULL check": (
        (NO_SLOT, (BEGIN, RESERVE.partition("\tif (!event)")[0] + CLEAR), SENT),
        NOT_YET, "it does not load"),
    "the full ring buffer not counted": (
        (NO_SLOT, (BEGIN, RESERVE.replace("\t\tcount->failed++;\n", "") + CLEAR), SENT),
        NOT_YET, "does not balance"),
    "no submitted++": (
        (*DIRECT[:2], (SENT[0], SUBMIT.partition("\tcount")[0])), NOT_YET, "does not balance"),
    "an array instead": (
        (("BPF_PERCPU_ARRAY(event_slot", "BPF_ARRAY(room"),
         ("event_slot.lookup", "room.lookup"), *MEMSET),
        NOT_YET, "a scratch still: room"),
}  # fmt: skip


@live
@pytest.mark.parametrize("answer", DIRECT_WRONG)
def test_a_program_with_a_scratch_or_a_fault_is_not(answer: str) -> None:
    changes, verdict, words = DIRECT_WRONG[answer]
    program = built(changed(start("stale_event"), *changes), "direct")
    said(exercises.check_direct(program), verdict, words)


@live
def test_the_labs_own_way_without_a_scratch_clears_nothing() -> None:
    report = labkit.build(WAYS["ringbuf_reserve"].variant)
    said(exercises.check_direct(report), NOT_YET, "bytes of older ones")


@live
def test_a_program_that_was_run_in_its_cell_is_judged_as_well() -> None:
    run = built(changed(start("stale_event"), *MEMSET), "clean --run 0.3")
    said(exercises.check_clean(run), RIGHT)
    untouched = built(start("stale_event"), "clean --run 0.3")
    said(exercises.check_clean(untouched), NOT_TRIED)
