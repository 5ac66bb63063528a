"""How much stack this kernel grants, measured: the one place that asks it.

    measured().bytes                         # what one frame of a tracepoint's program may have
    largest_frame("socket_filter")           # the same, of another type, asked now
    call_chain(304, 304)                     # functions whose frames lie below each other

Until Linux 7.3 that is MAX_BPF_STACK of include/linux/filter.h for every program. Later kernels
grant more where the JIT supports it (MAX_BPF_STACK_JIT), so no number stands here. The programs are
bare instructions: no compiler, and bcc could not build calls between BPF functions.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from labkit.errors import LabError, MachineError, UsageError
from labkit.machine.bpf_syscall import PROGRAM_TYPES, instruction, load
from labkit.machine.maps import new_map
from labkit.machine.rights import AS_ROOT

WORD = 8  # bytes: by that a frame grows
CEILING = 64 << 10  # bytes: far beyond any limit that a kernel has or plans; more is a surprise
MEASURED_TYPES = ("tracepoint", "socket_filter")  # with private stacks since 6.13, and without

# Instruction codes, as linux/bpf.h makes them up.
_LOAD_64, _STORE_WORD, _CALL, _EXIT = 0x18, 0x7A, 0x85, 0x95
_COPY, _ADD, _SET = 0xBF, 0x07, 0xB7
_R0, _R1, _R2, _R3, _FRAME_POINTER = 0, 1, 2, 3, 10
_LOCAL_CALL, _MAP_DESCRIPTOR, _TAIL_CALL = 1, 1, 12  # source registers that mark; a helper's number


@dataclass(frozen=True)
class Chain:
    """What the verifier said of functions with these frames, each called by the one before."""

    frames: tuple[int, ...]  # bytes, the program's own first
    program_type: str
    passed: bool
    log: str
    kernel: str

    @property
    def said(self) -> str:
        """The line with which it was refused; an empty text if it was not."""
        from labkit import verifier_log

        fatal = verifier_log.parse(self.log).fatal
        return fatal.body if fatal and not self.passed else ""

    def __repr__(self) -> str:
        frames = " + ".join(map(str, self.frames))
        verdict = "accepted" if self.passed else f"refused: {self.said or 'without a log'}"
        return f"<{frames} bytes as a {self.program_type}: {verdict}>"


def call_chain(*frames: int, program_type: str = "tracepoint", tail_call: bool = False) -> Chain:
    """Load functions with frames of these bytes, each called by the one before; keep nothing.

    ``tail_call`` puts a tail call into the first one: then no function has a private stack.
    Raises UsageError for a frame that is no multiple of 8 up to 64 KiB, MachineError without the
    right to load programs.
    """
    if program_type not in PROGRAM_TYPES:
        raise UsageError(f"no program type {program_type!r}; there are: {', '.join(PROGRAM_TYPES)}")
    if not frames or any(size <= 0 or size % WORD or size > CEILING for size in frames):
        raise UsageError(f"a frame has a multiple of {WORD} bytes, up to {CEILING}: {frames}")
    programs = new_map("prog_array") if tail_call else -1
    try:
        errno, log = load(b"".join(_functions(frames, programs)), program_type)
    finally:
        if programs >= 0:
            os.close(programs)
    if errno and not log:
        raise MachineError(f"the kernel did not look at the program: {os.strerror(errno)}", AS_ROOT)
    return Chain(frames, program_type, errno == 0, log, platform.release())


def _functions(frames: tuple[int, ...], programs: int) -> Iterator[bytes]:
    if programs >= 0:
        yield instruction(_LOAD_64, _R2, _MAP_DESCRIPTOR, number=programs) + instruction(0)
        yield instruction(_SET, _R3)
        yield instruction(_CALL, number=_TAIL_CALL)
    for size in frames[:-1]:
        yield _frame(size)
        yield instruction(_CALL, source=_LOCAL_CALL, number=1)  # over our own exit, to the next one
        yield instruction(_EXIT)
    yield _frame(frames[-1])
    yield instruction(_SET, _R0)
    yield instruction(_EXIT)


def _frame(size: int) -> bytes:
    """Return the instructions that write one word at the far end of a frame."""
    place = instruction(_COPY, _R1, _FRAME_POINTER) + instruction(_ADD, _R1, number=-size)
    return place + instruction(_STORE_WORD, _R1)  # an instruction's own offset ends at 32 KiB


def bisect(passes: Callable[[int], bool], lower: int, upper: int, step: int) -> int:
    """Return the largest multiple of ``step`` that passes. Raises LabError if the ends are wrong.

    ``lower`` must pass and ``upper`` must not; both are multiples of ``step``.
    """
    if not passes(lower):
        raise LabError(f"even {lower} is refused, so there is no limit to look for")
    if passes(upper):
        raise LabError(f"{upper} is let through: look further up")
    while upper - lower > step:
        middle = (lower + upper) // (2 * step) * step
        lower, upper = (middle, upper) if passes(middle) else (lower, middle)
    return lower


def largest_frame(program_type: str = "tracepoint") -> int:
    """Return the bytes of the largest frame that this kernel grants, alone, found by bisection.

    Raises UsageError for an unknown type, MachineError without the right to load programs.
    """
    return bisect(
        lambda size: call_chain(size, program_type=program_type).passed, WORD, CEILING, WORD
    )


@dataclass(frozen=True)
class StackLimit:
    """What this kernel grants, in bytes by program type; both are empty where it is not known."""

    by_program_type: Mapping[str, int] = field(default_factory=dict)  # one frame, alone
    along_chain: Mapping[str, int] = field(default_factory=dict)  # two equal frames, added up
    unknown: str = ""  # why

    @property
    def bytes(self) -> int | None:
        """What a frame of a tracepoint's program may have; None where it is not known."""
        return self.by_program_type.get("tracepoint")

    def has_private_stacks(self, program_type: str) -> bool:
        """Whether each frame of a chain may be as large as one alone (since 6.13, by type)."""
        return self.along_chain.get(program_type, 0) > self.by_program_type.get(program_type, 0)

    def __repr__(self) -> str:
        if self.bytes is None:
            return f"not known: {self.unknown}"
        return f"{self.bytes} bytes, measured"

    @property
    def chain_rule(self) -> str:
        """What functions that call each other may have, in words; empty if it is not known."""
        return "; ".join(
            f"{kind}: {limit} bytes {'each' if self.has_private_stacks(kind) else 'together'}"
            for kind, limit in self.by_program_type.items()
        )


def measure() -> StackLimit:
    """Measure it now: some fifty loads, a few dozen milliseconds. Raises as largest_frame()."""
    alone = {kind: largest_frame(kind) for kind in MEASURED_TYPES}
    return StackLimit(alone, {kind: _along_chain(kind, limit) for kind, limit in alone.items()})


def _along_chain(program_type: str, limit: int) -> int:
    def passes(size: int) -> bool:
        return call_chain(size, size, program_type=program_type).passed

    return 2 * (limit if passes(limit) else bisect(passes, WORD, limit, WORD))


@lru_cache(maxsize=1)
def measured() -> StackLimit:
    """Return what measure() found, once a process; where the kernel was not to be asked, why."""
    try:
        return measure()
    except LabError as error:
        return StackLimit(unknown=str(error))
