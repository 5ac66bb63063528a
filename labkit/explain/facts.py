"""What can be told of one refusal: numbers, names and registers, from the log and the C beside it.

A fact that nothing tells is an empty text, never a guess: then the table has another sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from labkit.explain.compiler_log import Diagnostic
from labkit.explain.messages import words
from labkit.explain.messages.words import LARGER, SMALLER
from labkit.program.c_names import argument, indexed, locals_in, names_in, root
from labkit.verifier_log import Line, Step, VerifierLog

__all__ = ["Facts", "limit_in"]

_BACK = 400  # lines above the one that matters that are searched for a register
_DEEP_SLOT = re.compile(r"fp-(?:51[3-9]|5[2-9]\d|[6-9]\d\d|\d{4,8})(?:_[rwD]+)?=")
_REFUSED = re.compile(r"\bstack (?:type )?\S* ?off=-(\d{1,9})|calls is (\d{1,9})\. Too large")
# Wordings that no kernel with the larger limit has: 6.12 and older mark registers so.
_OLD = re.compile(r"R\d+(?:_[rw]+=|=inv)|fp-\d+_[rwD]+=|invalid stack (?:type|off=)")
_SAMPLE = 1 << 16  # characters at the end of a log that show its wording
_POINTER = re.compile(r"map_|ptr_|ctx|fp|pkt|sock|tcp_sock|mem|ringbuf_mem|trusted_|rcu_|buf")
_LOAD, _ASSIGN = re.compile(r"[rw]\d+ = \*\("), re.compile(r"(?<![=!<>])=(?!=)")
_ARRAY_TYPE = re.compile(r"\bBPF_[A-Z_]+\(\s*\w+\s*,(?:[^,()]*,)?\s*(\w[\w ]*\[[^\]]*\])")
_NTH = ("", "first", "second", "third", "fourth", "fifth")


def limit_in(log: VerifierLog) -> int | None:
    """Return the bytes of stack that the kernel which wrote a log grants, or None if none tells.

    There are two limits: 512 bytes, and 2048 after 7.3 with a JIT that has it. A stack that was
    accepted beyond 512 shows the larger, a refusal at less than 2048 the smaller.
    """
    refused = _REFUSED.search(log.fatal.body) if log.fatal else None
    if refused and SMALLER < int(refused[1] or refused[2]) <= LARGER:
        return SMALLER
    figures = log.statistics
    deepest = max((*figures.stack_depths, figures.stack_depth_max or 0))
    if (not log.fatal and deepest > SMALLER) or _DEEP_SLOT.search(log.text):
        return LARGER
    return SMALLER if _OLD.search(log.text[-_SAMPLE:]) else None


@dataclass(frozen=True)
class Given:
    """What whoever asks tells besides the texts; see :func:`labkit.explain.explain`."""

    source: str = ""
    variables: Mapping[str, int] = field(default_factory=dict)
    limit: int | None = None
    tool: str = ""


@dataclass(frozen=True)
class Facts:
    """One row's match in one line, and all that is known around it. ``facts("name")`` asks."""

    match: re.Match[str]
    log: VerifierLog
    line: Line
    step: Step | None
    diagnostic: Diagnostic | None
    given: Given

    def __call__(self, name: str) -> str:
        """Return what is known under a name: a group of the pattern, else one of the facts.

        ``bare_`` before a name leaves out the backquotes, for a piece of code.
        """
        if name.startswith("bare_"):
            return self(name.removeprefix("bare_")).strip("`")
        return self.groups.get(name) or (str(FACTS[name](self) or "") if name in FACTS else "")

    @cached_property
    def groups(self) -> dict[str, str]:
        """Groups that matched. ``off_old`` answers to ``off``: one for each wording."""
        found = self.match.groupdict().items()
        return {name.split("_")[0]: value for name, value in found if value}

    def number(self, name: str) -> int | None:
        """Return the number in a group, or None if there is none."""
        text = self.groups.get(name, "")
        return int(text) if re.fullmatch(r"-?\d{1,18}", text) else None

    @property
    def c(self) -> str:
        """The C line that the instruction comes from."""
        return self.step.source.text if self.step and self.step.source else ""

    @property
    def code(self) -> str:
        """The instruction at which the verifier stopped."""
        return self.step.instruction.disassembly if self.step else ""

    @property
    def where(self) -> str:
        """The place in the C source, ``file:line``."""
        if self.diagnostic:
            return self.diagnostic.where
        place = self.step.source if self.step else None
        return f"{place.file}:{place.line}" if place and place.file else ""

    @property
    def helper(self) -> str:
        """The helper that the instruction calls."""
        return _called(self.code)

    @property
    def detail(self) -> str:
        """The line after the one that matters: the verifier may name the register there."""
        after = self.line.index + 1
        return self.log.lines[after].body if after < len(self.log.lines) else ""

    def steps_above(self, count: int) -> Iterator[Step]:
        """Yield the steps before the one that was refused, the nearest first."""
        last = self.step.number if self.step else 0
        return reversed(self.log.instructions[max(0, last - count) : last])

    @property
    def errno_line(self) -> str:
        """The line with an errno; Rust prints what failed some lines above it."""
        before = self.line.index - (4 if "(os error " in self.match.string else 0)
        lines = self.log.lines[max(0, before) : self.line.index]
        return " ".join([*(line.body for line in lines), self.match.string])

    @cached_property
    def register(self) -> int:
        """The number of the register that is meant, else 0; of a stack offset, what holds it."""
        named = re.fullmatch(r"[Rr](\d{1,2})", self.groups.get("reg", ""))
        named = named or re.match(r"R(\d{1,2}) (?:min|max) value is outside", self.detail)
        if named or "off" not in self.groups:
            return int(named[1]) if named else 0
        moved = re.compile(rf"r(\d) \+= {self.groups['off']}$")
        found = (moved.match(step.instruction.disassembly) for step in self.steps_above(12))
        return next((int(match[1]) for match in found if match), 0)

    def argument(self, number: int) -> str:
        """Return the C expression that is handed to the helper as argument ``number``."""
        return argument(self.c, self.helper, number) if self.helper and number > 0 else ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Variables of the C line, the one that is meant first; none where nothing tells.

        A helper's Rn is its n-th argument. A load reads what stands right of the ``=``: the one
        name there, or the one that is followed.
        """
        if self.code.startswith("call"):
            given = root(self.argument(self.register))
            return (given,) if given else ()
        sides = _ASSIGN.split(self.c, maxsplit=1)
        if not _LOAD.match(self.code):
            return names_in(self.c)
        read = names_in(sides[-1])
        followed = tuple(n for n in read if re.search(rf"\b{n}\s*(?:->|\[)", sides[-1]))
        sure = read if len(read) == 1 else followed if len(followed) == 1 else ()
        return tuple(dict.fromkeys((*sure, *names_in(self.c)))) if sure else ()

    def held(self, register: int, line: int | None = None) -> str:
        """Return what the log last showed of a register above a line, in the verifier's words."""
        first = self.line.index if line is None else line
        for index in range(first - 1, max(-1, first - _BACK), -1):
            above = self.log.lines[index]
            state = above.state
            if state and f"R{register}" in state.registers:
                return state.registers[f"R{register}"]
            code = above.instruction.disassembly if above.instruction else ""
            if register == 0 and code.startswith("call"):  # old kernels and level 1 show no state
                return "map_value" if _called(code) in words.POINTER_FROM else ""
            if above.text.startswith("from ") or re.match(rf"[rw]{register} \S?=", code):
                break
        return ""

    @cached_property
    def length(self) -> str:
        """The length that follows the register's memory in a call, if its size is not fixed."""
        held = self.held(self.register + 1)
        if not self.helper or not re.search(r"var_off=\(|[su]max(?:_value)?=", held):
            return ""
        fixed = self("value") and "min value is outside" not in self.detail
        return "" if fixed else self.argument(self.register + 1) or f"R{self.register + 1}"

    @property
    def unfilled(self) -> bool:
        """Whether the register's address was left empty: a 64-bit load of 0, nothing since."""
        setting = re.compile(rf"r{self.register} = (.*)")
        set_by = (setting.match(step.instruction.disassembly) for step in self.steps_above(8))
        last = next((match[1] for match in set_by if match), "")
        wide = any(
            step.instruction.opcode == "18" and step.instruction.disassembly.endswith("= 0x0")
            for step in self.steps_above(8)
        )
        return wide and last == "0x0"

    @property
    def is_variable(self) -> bool:
        """Whether the register's offset is a range, and not one number."""
        return bool(re.search(r"var_off=\(|[su]max(?:_value)?=", self.held(self.register)))

    @cached_property
    def sizes(self) -> dict[str, int | None]:
        """Bytes of the large variables: as they were measured, else from the C."""
        found = locals_in(self.given.source)
        return dict(self.given.variables) or {name: size for name, (_, size) in found.items()}

    @cached_property
    def limit(self) -> int | None:
        """Bytes of stack: measured, else as this log tells, else None."""
        return self.given.limit if self.given.limit is not None else limit_in(self.log)

    @cached_property
    def taken_at(self) -> Step | None:
        """The step that took what was never given back; the verifier tells its instruction."""
        number, steps = self.number("alloc"), self.log.instructions
        return next((one for one in steps if one.instruction.index == number), None)


def _called(code: str) -> str:
    call = re.match(r"call ([A-Za-z_]\w*|\d+)", code)
    name = words.HELPERS.get(call[1], call[1]) if call else ""
    return "" if name in ("pc", "unknown") or name.isdigit() else name


def _plural(count: int | None, word: str) -> str:
    if count is None:
        return ""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _ticked(text: str) -> str:
    return f"`{text}`" if text else ""


def _search(pattern: str | re.Pattern[str], text: str, group: int = 1) -> str:
    found = re.search(pattern, text)
    return found[group] if found else ""


def _locals(facts: Facts) -> str:
    """Name the large variables, the largest first."""
    rows = sorted(facts.sizes.items(), key=lambda row: -(SMALLER if row[1] is None else row[1]))
    shown = [
        _ticked(name) + (f" ({size} bytes)" if size is not None else "")
        for name, size in rows
        if name not in facts.names[:1] and (size is None or size >= 64)
    ]
    return ", ".join(shown[:5])


def _spilled(facts: Facts) -> str:
    """Return the instruction that stored a pointer in the slot of the byte that is read."""
    off, at = facts.number("off"), facts.number("at") or 0
    slot = (off or 0) + at - at % 8
    for step in facts.steps_above(200):
        code = step.instruction.disassembly
        if stored := re.match(rf"\*\(u64 \*\)\(r10 {slot}\) = r(\d+)$", code):
            return _ticked(code) if _POINTER.match(facts.held(int(stored[1]), step.line)) else ""
    return ""


def _place(facts: Facts) -> str:
    off = facts.number("off")
    if not off:
        return "" if off is None else "at the frame pointer"
    side = "below" if off < 0 else "above"
    return f"{_plural(abs(off), 'byte')} {side} the frame pointer"


def _deep(facts: Facts) -> str:
    """Say how far below the end of the stack, where it is below it under every limit there is."""
    depth = -(facts.number("off") or 0)
    if facts.limit is not None:
        return _plural(depth - facts.limit, "byte") if depth > facts.limit else ""
    both = f"{_plural(depth - SMALLER, 'byte')} ({depth - LARGER} with the larger limit)"
    return both if depth > LARGER else ""


def _past(facts: Facts) -> str:
    end = (facts.number("off") or 0) + (facts.number("size") or 0)
    return _plural(end, "byte") if "off" in facts.groups and end > 0 else ""


def _inside(facts: Facts) -> bool:
    off, size = facts.number("off"), facts.number("size")
    return off is not None and size is not None and -(facts.limit or SMALLER) <= off <= -size


def _verb(facts: Facts) -> str:
    if "read" in facts.groups.get("how", "") or re.match(r"[rw]\d+ = ", facts.code):
        return "reads"
    return "writes" if facts.step or "how" in facts.groups else "uses"


def _room(facts: Facts) -> str:
    """Describe the memory that a length is for: the argument before it points there."""
    held = facts.held(facts.register - 1)
    if stack := re.match(r"fp-(\d+)$", held):
        return f"the {stack[1]} bytes of stack above that address"
    value = re.match(r"map_value\(.*?vs=(\d+)(?:,off=(\d+))?", held)
    return (
        f"the {int(value[1]) - int(value[2] or 0)} bytes of the map's value there" if value else ""
    )


FACTS: dict[str, Callable[[Facts], object]] = {
    # The line and the place.
    "said": lambda f: (f.diagnostic.text if f.diagnostic else f.match.string).strip().rstrip("."),
    "speaker": lambda f: next(
        (who for who, form in words.SPEAKERS if re.search(form, f.match.string)), ""
    ),
    "where": lambda f: f.where,
    "at_line": lambda f: f.where if not f.diagnostic or f.diagnostic.line else "",
    "header": lambda f: f.where.removeprefix("./") if re.search(r"\.h:\d", f.where) else "",
    "to_function": lambda f: re.search(
        rf"^func#[1-9]\d* @{f.number('to')}\b", f.log.text[:_SAMPLE], re.M
    ),
    "function": lambda f: f.diagnostic.function if f.diagnostic else "",
    "c": lambda f: _ticked(f.c if f.c.strip("{} ;") else ""),
    "does": lambda f: _ticked(f.code),
    "walked": lambda f: format(f.log.statistics.insns_processed or "", ""),
    # Calls, arguments, variables.
    "helper": lambda f: f.helper,
    "reg": lambda f: f"R{f.register}" if f.register else "",
    "nth": lambda f: _NTH[f.register] if f.helper and f.register < len(_NTH) else "",
    "arg": lambda f: _ticked(
        f.argument(f.register) if not f.argument(f.register).isdigit() else ""
    ),
    "dest": lambda f: _ticked(root(f.argument(f.register - 1))),
    "map": lambda f: _ticked(root(f.argument(1))),
    "var": lambda f: _ticked(f.names[0]) if f.names else "",
    "array": lambda f: _ticked(indexed(f.c)[0]),
    "length": lambda f: _ticked(f.length),
    "unfilled": lambda f: f.unfilled,
    "index": lambda f: _ticked(indexed(f.c)[1]),
    # Sizes.
    "locals": _locals,
    "large": lambda f: any(size and size > SMALLER for size in f.sizes.values()),
    "total": lambda f: _plural(sum(f.given.variables.values()) or None, "byte"),
    "map_bytes": lambda f: _plural(f.given.variables.get(f.groups.get("map", "")), "byte"),
    "bytes": lambda f: _plural(f.number("size"), "byte"),
    "value_bytes": lambda f: _plural(f.number("value"), "byte"),
    "what": lambda f: words.MEMORY.get(f.groups.get("kindof", "")),
    # The stack.
    "limit": lambda f: f"{f.limit} bytes" if f.limit is not None else words.LIMIT_UNKNOWN,
    "place": _place,
    "deep": _deep,
    "past": _past,
    "inside": _inside,
    "verb": _verb,
    "spilled": _spilled,
    "calls_frames": lambda f: " + ".join(map(str, f.log.statistics.stack_depths)),
    # Registers.
    "held": lambda f: _ticked(f.held(f.register)),
    "is_zero": lambda f: re.fullmatch(r"(?:inv)?P?0", f.held(f.register)),
    "fixed": lambda f: "max value is outside" not in f.detail and not f.is_variable,
    "room": _room,
    # What a program takes and must give back.
    "taker": lambda f: _called(f.taken_at.instruction.disassembly) if f.taken_at else "",
    "release": lambda f: words.RELEASE.get(f("taker")),
    "ringbuf": lambda f: f("taker") == "bpf_ringbuf_reserve",
    "taken": lambda f: (
        "".join(names_in(f.taken_at.source.text)[:1]) if f.taken_at and f.taken_at.source else ""
    ),
    "ring": lambda f: _search(r"(\w+)\.ringbuf_reserve\s*\(", f.given.source),
    # What kind of failure it is.
    "bcc": lambda f: f.given.tool == "bcc",
    "map_of_array": lambda f: _search(_ARRAY_TYPE, f.given.source or f.log.text),
    "declared": lambda f: _ticked(_search(r"\bBPF_[A-Z_]+\((\w+)", f.log.text)),
    "bpf": lambda f: re.search(words.ABOUT_BPF, f.errno_line, re.I),
    "load": lambda f: re.search(words.ABOUT_LOAD, f.errno_line, re.I),
    "at_exit": lambda f: f.code == "exit",
    "vmlinux": lambda f: "vmlinux.h" in f.log.text,
    "btf_optional": lambda f: "BTF is optional, ignoring" in f.log.text,
    "unspec": lambda f: "call bpf_unspec#0" in f.log.text,
}
"""Name to how it is found out. What is true or false is "True" or not known."""
