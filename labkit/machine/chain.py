"""The third gate: programs of several functions, whose frames lie below each other on one stack.

bcc inlines or refuses calls between BPF functions, so this hands the kernel instructions directly:
each function writes one word at the far end of its frame and calls the next.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass

from labkit.errors import MachineError, UsageError
from labkit.machine.bpf_syscall import PROGRAM_TYPES, instruction, load
from labkit.machine.rights import AS_ROOT
from labkit.program.variants import STACK_LIMIT

# Instruction codes, as linux/bpf.h makes them up.
_STORE_WORD, _CALL, _SET_R0, _EXIT = 0x7A, 0x85, 0xB7, 0x95
_LOCAL_CALL, _FRAME_POINTER = 1, 10


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
        return f"<{frames} bytes as a {self.program_type} on Linux {self.kernel}: {verdict}>"


def call_chain(*frames: int, program_type: str = "tracepoint") -> Chain:
    """Load functions with frames of these bytes, each called by the one before; keep nothing.

    Raises UsageError for a frame that is no multiple of 8 up to 512 bytes, MachineError without
    the right to load programs.
    """
    if program_type not in PROGRAM_TYPES:
        raise UsageError(f"no program type {program_type!r}; there are: {', '.join(PROGRAM_TYPES)}")
    if not frames or any(size <= 0 or size % 8 or size > STACK_LIMIT for size in frames):
        raise UsageError(f"a frame has a multiple of 8 bytes, up to {STACK_LIMIT}: {frames}")
    errno, log = load(b"".join(_functions(frames)), program_type)
    if errno and not log:
        raise MachineError(f"the kernel did not look at the program: {os.strerror(errno)}", AS_ROOT)
    return Chain(frames, program_type, errno == 0, log, platform.release())


def _functions(frames: tuple[int, ...]) -> Iterator[bytes]:
    for size in frames[:-1]:
        yield instruction(_STORE_WORD, _FRAME_POINTER, offset=-size)
        yield instruction(_CALL, source=_LOCAL_CALL, number=1)  # over our own exit, to the next one
        yield instruction(_EXIT)
    yield instruction(_STORE_WORD, _FRAME_POINTER, offset=-frames[-1])
    yield instruction(_SET_R0)
    yield instruction(_EXIT)
