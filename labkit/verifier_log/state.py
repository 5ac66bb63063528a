"""What the verifier knew at one point: the values of registers and the bytes of the stack.

The text read here is the tail of an instruction's line (``R6=fp-544 fp-16=mmmmmmmm``) or a line of
its own (``12: R0=scalar() R10=fp0``). Format: ``print_verifier_state`` in ``kernel/bpf/log.c``
(``verifier.c`` before 6.8).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["SLOT_MEANING", "StackFrame", "State", "StateText", "parse_state"]

SLOT_MEANING = {
    "?": "unwritten",
    "m": "misc: written, value not tracked",
    "r": "spill: a register was saved here",
    "0": "zero",
    "d": "dynptr",
    "i": "iterator",
    "f": "saved interrupt flag",
    "p": "poisoned: proved dead, must not be read",
}
"""One letter for each byte of the stack; 5.4 has ``?rm0``, 7.3 all of these."""

_SLOT = re.compile(r"[?rm0difp]{8}")
_PART_SPILL = re.compile(r"([?m0difp]{4}|[?m0difp]{6,7})(?=P?(?:-?\d|scalar|inv)|P|$)")
_FRAME = re.compile(r"\s*frame(\d{1,9}): ?")
_KEY = re.compile(r"(?:^|(?<=\s))(R\d{1,2}|fp-\d{1,9}|refs)(?:_[rwD]+)?=")


@dataclass(frozen=True, slots=True)
class StateText:
    """The parsed text of one state: only what the verifier printed there.

    :param frame: 0 for the program itself, 1 for a function that it calls, and so on.
    :param registers: register name, such as ``R6``, to the verifier's text, such as ``fp-544``.
    :param stack: offset from the frame pointer, a negative multiple of 8, to 8 letters, one a
        byte, the highest address first. See :data:`SLOT_MEANING`.
    :param spilled: offset to the text of the register saved there.
    """

    frame: int = 0
    registers: dict[str, str] = field(default_factory=dict)
    stack: dict[int, str] = field(default_factory=dict)
    spilled: dict[int, str] = field(default_factory=dict)


def parse_state(text: str) -> StateText:
    """Read the registers and stack slots out of a state's text. Unknown words are skipped."""
    match = _FRAME.match(text)
    state = StateText(int(match[1]) if match else 0)
    keys = list(_KEY.finditer(text, match.end() if match else 0))
    ends = [key.start() for key in keys[1:]] + [len(text)]
    for key, end in zip(keys, ends, strict=False):
        value = text[key.end() : end].strip()
        if key[1].startswith("R"):
            state.registers[key[1]] = value
        elif key[1].startswith("fp"):
            _add_slot(state, int(key[1][2:]), value)
    return state


def _add_slot(state: StateText, offset: int, value: str) -> None:
    if _SLOT.fullmatch(value):
        state.stack[offset] = value
    elif value.startswith("dynptr_"):  # two slots; the lower offset is printed
        state.stack[offset] = state.stack[offset + 8] = "d" * 8
        state.spilled[offset] = value
    elif value.startswith("iter_"):
        state.stack[offset] = "i" * 8
        state.spilled[offset] = value
    else:  # a saved register; since 6.8 the bytes above a narrow one are shown before it
        part = _PART_SPILL.match(value)
        above = part[1] if part else ""
        state.stack[offset] = above + "r" * (8 - len(above))
        state.spilled[offset] = value[len(above) :]


@dataclass(frozen=True, slots=True)
class StackFrame:
    """Registers and stack of one function in the chain of calls; see :class:`StateText`."""

    registers: dict[str, str]
    stack: dict[int, str]
    spilled: dict[int, str]


@dataclass(slots=True)
class State:
    """All that the log has shown so far, on the path that leads to one instruction.

    The verifier prints only what changed, so this adds up the lines of one path. A helper call
    makes R1 to R5 unreadable, and the log doesn't say so; here they are dropped.
    """

    frame: int = 0
    frames: dict[int, StackFrame] = field(default_factory=lambda: {0: StackFrame({}, {}, {})})

    @property
    def registers(self) -> dict[str, str]:
        """Registers of the running function: name to the verifier's text."""
        return self.frames[self.frame].registers

    @property
    def stack(self) -> dict[int, str]:
        """Stack of the running function: offset (negative) to 8 letters, one a byte."""
        return self.frames[self.frame].stack

    @property
    def spilled(self) -> dict[int, str]:
        """Registers saved on the running function's stack: offset to the verifier's text."""
        return self.frames[self.frame].spilled

    @property
    def extent(self) -> int | None:
        """Bytes of stack from the frame pointer down to the lowest slot known, or None."""
        return -min(self.stack) if self.stack else None

    def copy(self) -> State:
        """Return a copy that shares nothing with this one."""
        frames = {
            depth: StackFrame(dict(one.registers), dict(one.stack), dict(one.spilled))
            for depth, one in self.frames.items()
        }
        return State(self.frame, frames)

    def show(self, text: StateText, *, whole: bool = False) -> None:
        """Take in what a line shows; ``whole`` when the line is all that is known of the frame."""
        self.frame = text.frame
        if whole or text.frame not in self.frames:
            self.frames[text.frame] = StackFrame({}, {}, {})
        known = self.frames[text.frame]
        known.registers.update(text.registers)
        for offset, letters in text.stack.items():
            known.stack[offset] = letters
            known.spilled.pop(offset, None)
        known.spilled.update(text.spilled)
        for depth in [depth for depth in self.frames if depth > text.frame]:
            del self.frames[depth]

    def call(self) -> None:
        """Take in that a helper ran: R1 to R5 can no longer be read."""
        for number in range(1, 6):
            self.registers.pop(f"R{number}", None)
