"""What there is to draw of a stack at one step of the verifier's walk: a log in, facts out.

snapshot = snapshot_of(log)      # at the instruction that was refused
snapshot.slots[-16].letters      # 'rrrrrrrr': one letter a byte, the highest address first
snapshot.access                  # the bytes that this instruction touches
snapshot.limit                   # bytes of stack that the kernel of this log grants
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.building.report import BuildReport
from labkit.explain.facts import limit_in
from labkit.machine.stack_limit import measured
from labkit.program.c_names import names_in
from labkit.verifier_log import Step, VerifierLog
from labkit.verifier_log.state import State

if TYPE_CHECKING:
    from labkit.program.llvm_ir import Local
    from labkit.stack.variables import StackVariables

__all__ = ["MEANINGS", "SLOT", "Access", "Slot", "Snapshot", "limit_of", "outside", "snapshot_of"]

SLOT = 8  # bytes

# What the verifier knows of a byte of stack: its letter in the log, in words.
MEANINGS = {
    "?": "unwritten",
    "m": "misc: written, value not tracked",
    "r": "spill: a register is saved here",
    "0": "zero",
    "d": "dynptr",
    "i": "iterator",
    "f": "saved interrupt flag",
    "p": "poisoned: must not be read",
}


@dataclass(frozen=True, slots=True)
class Slot:
    """Eight bytes of stack; ``held`` is the verifier's text of a register saved there."""

    offset: int  # of its lowest byte, from the frame pointer
    letters: str  # one a byte, the highest address first
    held: str = ""

    @property
    def letter(self) -> str:
        """The one letter to show: of the byte that is written, if only some are."""
        return next((letter for letter in self.letters if letter != "?"), "?")

    @property
    def words(self) -> str:
        """What the verifier knows of it, in words."""
        kinds = list(dict.fromkeys(self.letters))
        words = " and ".join(MEANINGS[kind] for kind in kinds if kind in MEANINGS)
        return f"fp{self.offset}: {words}" + (f" ({self.held})" if self.held else "")


@dataclass(frozen=True, slots=True)
class Access:
    """Bytes of stack that an instruction touches, from ``offset`` up."""

    offset: int
    bytes: int
    verb: str  # writes, reads, or hands on
    limit: int | None = None  # bytes of stack there are; None where that is not known

    @property
    def past(self) -> int:
        """Bytes from the end of the stack down to the access; 0 if it does not reach so far."""
        return max(0, -self.offset - self.limit) if self.limit is not None else 0

    @property
    def outside(self) -> bool:
        """Whether some of it is known to lie outside the stack."""
        return self.past > 0 or self.offset + self.bytes > 0

    @property
    def words(self) -> str:
        """The access as a sentence's end, with how far outside it is."""
        place = f"{self.verb} {self.bytes} bytes at fp{self.offset:+d}"
        if self.past:
            return f"{place}: {self.past} bytes past the end of the stack"
        return f"{place}: above the frame pointer" if self.outside else place


@dataclass(frozen=True)
class Snapshot:
    """One step of the walk, with the stack as the verifier knew it there."""

    step: Step
    slots: dict[int, Slot]
    access: Access | None = None
    fatal: str = ""  # the line with which it was refused, at that step only
    names: tuple[str, ...] = ()  # variables on the C line, the likeliest first
    variable: Local | None = None  # the one that the access falls into, where that is known
    depth: int = 0  # 0 in the program itself, 1 in a function that it calls
    registers: dict[str, str] = field(default_factory=dict)
    limit: int | None = None  # bytes of stack there are; None where that is not known

    @property
    def name(self) -> str:
        """The variable that this is about, or an empty text."""
        if self.variable is not None:
            return self.variable.name
        return self.names[0] if self.names else ""

    @property
    def lowest(self) -> int:
        """The lowest offset that must be in the picture."""
        reached = self.access.offset if self.access else 0
        return min(-(self.limit or SLOT), reached, *self.slots)


def limit_of(built: BuildReport | VerifierLog) -> int | None:
    """Return the bytes of stack where this was loaded; None if nothing tells.

    A report carries it. Of a log of unknown origin its own figures tell first, then this machine.
    """
    if isinstance(built, BuildReport):
        if built.stack_limit is not None:
            return built.stack_limit
        built = built.verifier_log
    told = limit_in(built)
    return told if told is not None else measured().bytes


def snapshot_of(
    log: VerifierLog,
    step: int | None = None,
    variables: StackVariables | None = None,
    limit: int | None = None,
) -> Snapshot | None:
    """Return what was known at a step, by default the refused one; None if the log has no steps.

    Of an accepted program the default is the step with the most known of its stack. ``variables``,
    if given, tell which of them an access falls into; ``limit``, in bytes, which access lies
    outside, by default as limit_of() finds it. Raises IndexError: there is no such step.
    """
    if not len(log.instructions):
        return None
    limit = limit_of(log) if limit is None else limit
    number = _default_step(log) if step is None else range(len(log.instructions))[step]
    one = log.instructions[number]
    fatal_step = log.fatal_instruction
    fatal = log.fatal.body if log.fatal and fatal_step and fatal_step.number == number else ""
    before, after = log.state_at(number, after=False), log.state_at(number)
    access = _told(fatal, one, limit) or _by_instruction(one.instruction.disassembly, before, limit)
    names = names_in(one.source.text) if one.source else ()
    variable = _variable(variables, access, names) if access else None
    registers = dict(after.registers)
    return Snapshot(
        one, _slots(after), access, fatal, names, variable, after.frame, registers, limit
    )


def outside(variables: StackVariables | None, limit: int | None) -> list[Local]:
    """Return the variables of which it is known that they lie wholly past the limit."""
    if variables is None or limit is None:
        return []
    placed = [one for one in variables.variables if one.offset is not None]
    return [one for one in placed if (one.offset or 0) + one.bytes <= -limit]


def _default_step(log: VerifierLog) -> int:
    if log.fatal_instruction is not None:
        return log.fatal_instruction.number
    extents = list(log.table["stack_extent"].fillna(0).astype("int64"))
    return extents.index(max(extents))


def _slots(state: State) -> dict[int, Slot]:
    return {
        offset: _slot(offset, letters, state.spilled.get(offset, ""))
        for offset, letters in sorted(state.stack.items(), reverse=True)
    }


_ZEROS = re.compile(r"(?:inv|scalar)?P?(?:\(0\)|0)$")


def _slot(offset: int, letters: str, held: str) -> Slot:
    """Return a slot; a saved register that holds 0 is eight bytes of zero, as `= {}` makes them."""
    return Slot(offset, letters.replace("r", "0") if _ZEROS.match(held) else letters, held)


def _variable(
    variables: StackVariables | None, access: Access, names: tuple[str, ...]
) -> Local | None:
    if variables is None:
        return None
    named = (one for name in names for one in variables.variables if one.name == name)
    return variables.at(access.offset) or next(named, None)


# The refusals that name stack bytes, in the wordings of 5.4 to 7.3 (see labkit.explain.messages).
_OFF_SIZE = re.compile(r"\bstack .*?off=(-?\d{1,9}) (?:access_)?size=(\d{1,9})")
_UNREAD = re.compile(r"\bstack .*?off (-?\d{1,9})\+\d{1,9} size (\d{1,9})")
_READS = re.compile(r"[rw]\d+ = |.*\bread\b")
_MEMORY = re.compile(r"\*\([us](8|16|32|64) \*\)\((r\d+) ([+-]\d{1,9})\)")
_POINTER = re.compile(r"fp(-?\d{1,9})$")


def _told(fatal: str, step: Step, limit: int | None) -> Access | None:
    """Return the access that the refusal itself tells."""
    match = _OFF_SIZE.search(fatal) or _UNREAD.search(fatal)
    if match is None:
        return None
    helper = re.match(r"call (\w+)", step.instruction.disassembly)
    reads = _READS.match(step.instruction.disassembly) or _UNREAD.search(fatal)
    verb = f"hands {helper[1]}()" if helper else "reads" if reads else "writes"
    return Access(int(match[1]), int(match[2]), verb, limit)


def _by_instruction(disassembly: str, before: State, limit: int | None) -> Access | None:
    """Return the stack bytes that an instruction reads or writes through a known register."""
    match = _MEMORY.search(disassembly)
    if match is None:
        return None
    register = before.registers.get(match[2].upper(), "fp0" if match[2] == "r10" else "")
    pointer = _POINTER.match(register)
    if pointer is None:
        return None
    verb = "writes" if disassembly.startswith(("*(", "lock ")) else "reads"
    return Access(int(pointer[1]) + int(match[3]), int(match[1]) // 8, verb, limit)
