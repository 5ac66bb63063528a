"""Sentences about a refusal: what happened here, with the numbers and names of this very log."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from labkit.explain.compiler_log import Diagnostic
from labkit.program.c_names import locals_in, names_in
from labkit.verifier_log import Step, VerifierLog

__all__ = ["Case", "Reason", "Sentence"]

LIMIT = 512  # bytes: MAX_BPF_STACK, include/linux/filter.h


@dataclass(frozen=True)
class Case:
    """One match of one row, and all that is known around it."""

    match: re.Match[str]
    names: tuple[str, ...]
    log: VerifierLog | None = None
    step: Step | None = None
    diagnostic: Diagnostic | None = None
    source: str = ""
    variables: dict[str, int] = field(default_factory=dict)

    @property
    def groups(self) -> dict[str, str]:
        """Groups that matched. ``off_old`` answers to ``off``: one for each wording."""
        found = self.match.groupdict().items()
        return {name.split("_")[0]: value for name, value in found if value is not None}

    def number(self, group: str) -> int:
        """Return the number in a group of the pattern; 0 if the wording has none."""
        return int(self.groups.get(group, "0"))

    @property
    def name(self) -> str:
        """The variable in question, in backquotes, or a general word."""
        return f"`{self.names[0]}`" if self.names else "the variable on that line"

    @property
    def disassembly(self) -> str:
        """The instruction at which the verifier stopped, or an empty text."""
        return self.step.instruction.disassembly if self.step else ""

    @property
    def helper(self) -> str:
        """The helper that the instruction calls, without its number; empty if it calls none."""
        match = re.match(r"call ([A-Za-z_]\w*)", self.disassembly)
        return match[1] if match and match[1] != "pc" else ""


Sentence = str | Callable[[Case], str]


@dataclass(frozen=True)
class Reason:
    """One row of the table."""

    key: str
    pattern: re.Pattern[str]
    title: str
    happened: Sentence
    why: Sentence
    change: Sentence
    see: str

    def say(self, sentence: Sentence, case: Case) -> str:
        """Return the sentence, filled in."""
        if not isinstance(sentence, str):
            return sentence(case)
        blank = dict.fromkeys(self.pattern.groupindex, "?")
        return sentence.format_map(
            {
                **blank,
                **case.groups,
                "name": case.name,
                "helper": case.helper,
                "said": case.match.string,
            }
        )


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


# Sentences about the stack ---------------------------------------------------------------------


def stack_happened(case: Case) -> str:
    off, size = case.number("off"), case.number("size")
    place = f"{abs(off)} bytes {'below' if off < 0 else 'above'} the frame pointer"
    what = f"{_verb(case)} {_plural(size, 'byte')} of stack, starting {place}"
    if off < -LIMIT:
        deep = _plural(-off - LIMIT, "byte")
        return f"{what}; the stack ends {LIMIT} bytes below it, so that is {deep} too deep."
    if off + size > 0:
        return f"{what}; that reaches {off + size} bytes past the top of its own stack."
    return f"{what}, which is outside the {LIMIT} bytes it may use."


def _verb(case: Case) -> str:
    how = case.groups.get("how", "").strip()
    reads = "read" in how or re.match(r"[rw]\d+ = ", case.disassembly) is not None
    if case.helper:
        given = f" hands {case.name}" if case.names else " hands memory"
        return f"The program{given} to {case.helper}(), which would {'read' if reads else 'use'}"
    return (
        f"The program {'reads' if reads else 'writes'}" if case.step or how else "The program uses"
    )


def stack_change(case: Case) -> str:
    others = _large_locals(case, without=case.names[:1])
    also = f" Look at {others} too: all of them share the {LIMIT} bytes." if others else ""
    return (
        f"Move {case.name} out of the stack, into a per-CPU array of one element: look its address"
        " up, return if it is NULL, and use it as before. A value may have 32 KiB there. Or make it"
        f" smaller.{also}"
    )


def _large_locals(case: Case, without: tuple[str, ...] = ()) -> str:
    """Name the large variables, the largest first; from sizes if given, else from the source."""
    sizes: dict[str, int | None] = dict(case.variables)
    if not sizes:
        sizes = {name: size for name, (_, size) in locals_in(case.source).items()}
    rows = sorted(sizes.items(), key=lambda row: -(row[1] if row[1] is not None else LIMIT))
    words = [
        f"`{name}`" + (f" ({size} bytes)" if size is not None else "")
        for name, size in rows
        if name not in without and (size is None or size >= 64)
    ]
    return ", ".join(words[:5])


STACK_WHY = (
    f"Each BPF program has {LIMIT} bytes of stack, fixed, because it runs on the kernel's own small"
    " stack, where an overflow would overwrite the kernel. So the verifier proves for every access,"
    " before the program runs, that it stays inside."
)


def compiler_stack_happened(case: Case) -> str:
    said = case.diagnostic
    function = f" in function {said.function}" if said and said.function else ""
    where = f", at {said.where}" if said and said.where else ""
    total = sum(case.variables.values())
    sizes = f" ({total} bytes in all)" if total > 0 else ""
    return (
        f"The compiler stopped{function}{where}: the local variables{sizes} need more than the"
        f" {case.match['limit'] or LIMIT} bytes of stack that BPF has."
    )


def compiler_stack_change(case: Case) -> str:
    large = _large_locals(case) or "the large local variables"
    return (
        f"Move {large} out of the stack, into per-CPU arrays of one element each; or make them"
        " smaller."
    )


def chain_happened(case: Case) -> str:
    calls, total = case.number("calls"), case.number("total")
    parts = case.log.statistics.stack_depths if case.log else ()
    frames = f" (frames of {' + '.join(map(str, parts))} bytes, each rounded up)" if parts else ""
    return (
        f"The deepest chain of {_plural(calls, 'function')} needs {total} bytes of stack{frames};"
        f" all of them together may have {LIMIT}."
    )


# Sentences about the rest ----------------------------------------------------------------------


def null_happened(case: Case) -> str:
    source = case.step.source.text if case.step and case.step.source else ""
    line = f" in `{source}`" if source else ""
    kind = case.groups.get("kind", "unchecked")
    return f"The program uses a pointer that may be NULL ({kind}){line}."


def bounds_happened(case: Case) -> str:
    if "value" not in case.groups:
        return f"The program uses an index or a size that may be out of range: {case.match.string}"
    value, off, size = case.number("value"), case.number("off"), case.number("size")
    return (
        f"The program may access {_plural(size, 'byte')} at offset {off} of a value that has"
        f" {value} bytes."
    )


def leak_happened(case: Case) -> str:
    step = _taken_at(case)
    helper = re.match(r"call (\w+)", step.instruction.disassembly) if step else None
    at = f" at instruction {case.groups['insn']}" if "insn" in case.groups else ""
    got = f" that {helper[1]}() gave it{at}" if helper else f" it took{at}" if at else ""
    return f"On at least one path the program ends while it still holds the record{got}."


def leak_change(case: Case) -> str:
    step = _taken_at(case)
    names = names_in(step.source.text) if step and step.source else ()
    record = f"`{names[0]}`" if names else "it"
    return (
        f"Before every return after that, call bpf_ringbuf_submit() or bpf_ringbuf_discard() on"
        f" {record}."
    )


def _taken_at(case: Case) -> Step | None:
    """Find the step that took what was never given back; the verifier tells its instruction."""
    if "insn" not in case.groups or case.log is None:
        return None
    index = case.number("insn")
    return next((step for step in case.log.instructions if step.instruction.index == index), None)


def loop_happened(case: Case) -> str:
    walked = case.log.statistics.insns_processed if case.log else None
    count = f" after {walked} instructions" if walked is not None else ""
    return f"The verifier gave up{count}: {case.match[0].rstrip('. ')}."


def helper_happened(case: Case) -> str:
    name = case.groups.get("func", "").split("#")[0].rstrip("()") or case.helper
    called = f"{name}()" if name and name != "unknown" else "a helper"
    return (
        f"The program calls {called}, which this type of program may not call, or which this kernel"
        " does not have."
    )


def map_happened(case: Case) -> str:
    value = case.variables.get(case.groups["map"])
    size = f" (its value has {value} bytes)" if value is not None else ""
    return f"The kernel would not make the map {case.groups['map']}{size}: a value too large."
