"""A kernel that grants 2048 bytes of stack, simulated: what the lab must be right on as well.

Such a kernel answers as its own selftests say (verifier_large_stack.c and
struct_ops_private_stack_large.c of the tree after Linux 7.3):

* 2048 bytes, added up along a chain of calls, each frame rounded up to 16; the wordings stay.
* With private stacks (tracing programs without a tail call) each frame has 2048 bytes.
* ``stack depth max N``, and a line a function, close the log of what was accepted.

Programs of bare instructions are judged here. A program that is built goes through this machine's
real compiler and real verifier, with objects small enough that both kernels have the same verdict
on it; then the offsets in the log are moved to where the real objects lie.
"""

from __future__ import annotations

import errno
import re
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit import session
from labkit.machine import bpf_syscall, stack_limit

LIMIT = 2048  # bytes
PRIVATE = ("kprobe", "tracepoint", "raw_tracepoint")  # types whose functions have private stacks
ROUNDED = 16  # bytes: to that a frame counts in a chain
HERE = 512  # bytes: what the kernel grants under which the tests run, for the rewriting

_ADD, _STORE, _CALL, _TAIL_CALL, _FRAME_POINTER = 0x07, 0x7A, 0x85, 12, 10
_REAL_LOAD = bpf_syscall.load


# Bare instructions ------------------------------------------------------------


def load(instructions: bytes, program_type: str) -> tuple[int, str]:
    """Judge a program as bpf_syscall.load() does: errno (0: accepted) and the verifier's log."""
    frames, tail_call = _frames(instructions)
    if not frames:
        return _REAL_LOAD(instructions, program_type)
    deep = next((size for size in frames if size > LIMIT), None)
    if deep is not None:
        return errno.EACCES, f"{_WALK}invalid write to stack R1 off=-{deep} size=8\n{_PROCESSED}"
    total = sum(-(-size // ROUNDED) * ROUNDED for size in frames)
    private = program_type in PRIVATE and not tail_call
    if total > LIMIT and not private:
        words = f"combined stack size of {len(frames)} calls is {total}. Too large\n"
        return errno.EACCES, _WALK + words + _PROCESSED
    return 0, _WALK + closing(max(frames) if private else total, frames) + _PROCESSED


_WALK = "0: R1=ctx() R10=fp0\n0: (bf) r1 = r10                      ; R1=fp0 R10=fp0\n"
_PROCESSED = (
    "processed 6 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0"
    " mark_read 0\n"
)


def closing(depth: int, frames: list[int], name: str = "main_prog") -> str:
    """Return the lines that close an accepted log, as 7.3 writes them."""
    kinds = [f"({name}) main", *(f"(f{n}) static" for n in range(1, len(frames)))]
    rows = [
        f"subprog {number} {kind} insns_self 6 insns_total 6 stack {size}\n"
        for number, (kind, size) in enumerate(zip(kinds, frames, strict=True))
    ]
    return f"verification time 9 usec\nstack depth max {depth}\n{''.join(rows)}"


def _frames(instructions: bytes) -> tuple[list[int], bool]:
    """Return the frames of a chain of functions, and whether there is a tail call.

    No frames are returned for a program that does anything else.
    """
    frames: list[int] = []
    tail_call = False
    for place in range(0, len(instructions), 8):
        code, registers, offset, number = struct.unpack_from("=BBhi", instructions, place)
        little = sys.byteorder == "little"
        source = registers >> 4 if little else registers & 15
        target = registers & 15 if little else registers >> 4
        helper = code == _CALL and source == 0
        if helper and (number != _TAIL_CALL or frames):  # in a callee there is a rule of its own
            return [], False
        tail_call |= helper
        if code == _ADD and number < 0:
            frames.append(-number)
        elif code == _STORE and target == _FRAME_POINTER:
            frames.append(-offset)
    return frames, tail_call


# Programs that are built ------------------------------------------------------------

Moves = list[tuple[int, int]]  # (up to which depth, by how many bytes deeper), in order


def smaller(request: dict[str, Any]) -> tuple[dict[str, Any], Moves]:
    """Return a request for a program that fits this machine as the real one fits the simulated."""
    given = dict(word.partition("=")[::2] for word in request["defines"])
    if "FRAME_BYTES" in given:
        size = int(given["FRAME_BYTES"])
        small = size if size <= HERE or size > LIMIT else HERE
        return _with(request, FRAME_BYTES=small), [(small, size - small)]
    if "STACK_BYTES" in given:  # the puzzle: all but its header lies below the path
        return _with(request, STACK_BYTES=HERE), [(48, 0), (10**6, LIMIT - HERE)]
    if "BAD_EXAMPLE_STACK" in given and request["lift"]:
        return _smaller_lesson(request, given)
    return request, []


def _smaller_lesson(request: dict[str, Any], given: dict[str, str]) -> tuple[dict[str, Any], Moves]:
    wanted = ("DATA_BYTES", 512), ("BUFFER_BYTES", 256), ("VALUES", 32)
    data, buffer, values = (int(given.get(name, size)) for name, size in wanted)
    real = [32 + data, 2 * buffer + 8 * values, buffer]
    small = {"DATA_BYTES": 48, "BUFFER_BYTES": 64, "VALUES": 4}
    if SPILLS + sum(real) > LIMIT:
        small = {"DATA_BYTES": 112, "BUFFER_BYTES": 104, "VALUES": 8}
    have = [
        32 + small["DATA_BYTES"],
        2 * small["BUFFER_BYTES"] + 8 * small["VALUES"],
        small["BUFFER_BYTES"],
    ]
    moves = [(SPILLS, 0)]
    for count in range(1, 4):
        moves.append((SPILLS + sum(have[:count]), sum(real[:count]) - sum(have[:count])))
    return _with(request, **small), moves


SPILLS = 64  # bytes: as bpf/exec_event.h has them


def _with(request: dict[str, Any], **defines: int) -> dict[str, Any]:
    others = [word for word in request["defines"] if word.partition("=")[0] not in defines]
    return {**request, "defines": [*others, *(f"{name}={n}" for name, n in defines.items())]}


_DEPTH = re.compile(r"(?P<before>\bfp-|\b[rR]\d+ \+= -|\boff=-|\(r10 -)(?P<depth>\d+)")
_CLOSING = re.compile(r"^stack depth (\d+)$", re.M)


def deeper(log: str, moves: Moves) -> str:
    """Return a log with its stack offsets moved, and closed as the simulated kernel closes one."""

    def moved(depth: int) -> int:
        return depth + next((by for up_to, by in moves if depth <= up_to), moves[-1][1])

    text = _DEPTH.sub(lambda m: m["before"] + str(moved(int(m["depth"]))), log)
    return _CLOSING.sub(lambda m: closing(moved(int(m[1])), [moved(int(m[1]))]).split("\n", 1)[1]
                        .rstrip("\n"), text)  # fmt: skip


_BEYOND_HERE = re.compile(r"^.*\bstack (?:type )?R\d+ off=-(\d+) ", re.M)


def _judged(event: dict[str, Any], moves: Moves) -> dict[str, Any]:
    """Return what the simulated kernel says where this one says what became of a program."""
    if event["event"] != "loaded":
        return event
    if moves:
        return {**event, "log": deeper(event["log"], moves)}
    refused = _BEYOND_HERE.findall(event["log"])
    if event["passed"] or not refused or not HERE < int(refused[-1]) <= LIMIT:
        return event
    walk = event["log"][: event["log"].rindex("\n", 0, _last_refusal(event["log"])) + 1]
    depth = int(refused[-1])
    return {**event, "passed": True, "errno": 0, "log": walk + closing(depth, [depth]) + _PROCESSED}


def _last_refusal(log: str) -> int:
    return [match.start() for match in _BEYOND_HERE.finditer(log)][-1]


def asking(run_to_end: Callable[..., Any]) -> Callable[..., Any]:
    """Return session.run_to_end() as it is on a machine with the simulated kernel."""

    def simulated(request: dict[str, Any]) -> Any:
        if request["job"] != "build":
            return run_to_end(request)
        small, moves = smaller(request)
        events, versions = run_to_end(small)
        return [_judged(event, moves) for event in events], versions

    return simulated


# Putting it in place ------------------------------------------------------------


def forget() -> None:
    """Forget what was measured, before the kernel is another one."""
    stack_limit.measured.cache_clear()


def install(patch: pytest.MonkeyPatch | None = None) -> None:
    """Replace the places that ask the kernel; without ``patch`` for this process's whole life."""
    patch = patch or pytest.MonkeyPatch()
    patch.setattr(bpf_syscall, "load", load)
    patch.setattr(stack_limit, "load", load)
    patch.setattr(session, "run_to_end", asking(session.run_to_end))
    forget()


KERNELS = ("this machine's kernel", "a kernel with 2048 bytes")


@pytest.fixture(params=[KERNELS[0], pytest.param(KERNELS[1], marks=pytest.mark.slow)])
def either_kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a test on this machine as it is, and once more with the simulated kernel."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == KERNELS[1]:
            install(patch)
        yield request.param
    forget()


def startup() -> str:
    """Return a notebook's first cell, which puts the simulated kernel in place."""
    folder = str(Path(__file__).parent)
    return f"import sys; sys.path.insert(0, {folder!r}); import simulated; simulated.install()"
