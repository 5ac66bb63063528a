"""How large a frame may be: three sentences, and the one measurement that answers them all."""

from __future__ import annotations

import functools

import pandas as pd

from labkit.building.frame_size import largest_frame, probe_frame
from labkit.claims.claim import FALSE, HALF_TRUE, TRUE, Measured, Ruling, claim
from labkit.claims.measuring import Unmeasurable
from labkit.claims.sources import DESIGN_QA
from labkit.errors import LabError
from labkit.machine.stack_limit import WORD, measured
from labkit.program.variants import LLVM_LIMIT

CLAIMED = 512  # bytes: what the sentence says
SMALL = 64  # bytes: a small struct, such as one cache line holds
LESSON = 1568  # bytes: what the sentence says, and what the lesson's program needs


@functools.cache
def compiler_limit() -> tuple[int, dict[str, str]]:
    """Search the largest frame that the compiler takes, in bytes, once a process; and versions."""
    try:
        found = largest_frame("compiler", 2 * LLVM_LIMIT)
        return found.size, probe_frame(found.size, "compiler").versions
    except LabError as error:
        raise Unmeasurable(f"the compiler: {error}") from error


def largest_frames() -> Measured:
    """Return the largest frame of each gate.

    Columns: gate (compiler, verifier), program_type (of the verifier's), bytes.
    """
    size, versions = compiler_limit()
    if measured().bytes is None:
        raise Unmeasurable(f"the verifier: {measured().unknown}")
    kinds = measured().by_program_type
    rows = [("compiler", "", size), *(("verifier", kind, n) for kind, n in kinds.items())]
    return Measured(pd.DataFrame(rows, columns=["gate", "program_type", "bytes"]), versions)


def judge_limit(table: pd.DataFrame) -> Ruling:
    """Rule for the limit.

    True if both gates let 512 bytes through and nothing larger; half true if only one of them does;
    false if neither does.
    """
    exact = table.groupby("gate").bytes.apply(lambda sizes: (sizes == CLAIMED).all())
    word = {0: FALSE, len(exact): TRUE}.get(int(exact.sum()), HALF_TRUE)
    return Ruling(word, f"largest frame in bytes that is let through: {_each(table)}.")


def judge_small(table: pd.DataFrame) -> Ruling:
    """Rule for small structs.

    False if both gates let 64 bytes through, true if neither does, half true if only one does.
    """
    passed = table.groupby("gate").bytes.min() >= SMALL
    word = {0: TRUE, len(passed): FALSE}.get(int(passed.sum()), HALF_TRUE)
    return Ruling(word, f"largest frame in bytes that is let through: {_each(table)}.")


def judge_needed(table: pd.DataFrame) -> Ruling:
    """Rule for what it takes.

    False if some gate refuses a frame that is smaller than 1568 bytes, true if none does.
    """
    refused = table.assign(bytes=table.bytes + WORD)
    word = FALSE if refused.bytes.min() < LESSON else TRUE
    return Ruling(word, f"smallest frame in bytes that is refused: {_each(refused)}.")


def _each(table: pd.DataFrame) -> str:
    parts = ((gate, f" ({kind})" if kind else "", size) for gate, kind, size in table.to_numpy())
    return ", ".join(f"{gate}{kind} {size:,}" for gate, kind, size in parts)


@claim(
    "A frame may have 512 bytes, for the compiler as for the verifier.",
    judge_limit,
    truth="Half: LLVM stops one word earlier, at 504. The kernel takes 512 up to Linux 7.3; after"
    " it 2048, where the JIT supports that.",
    files=("frame_size",),
    quick=True,
    said_by=DESIGN_QA,
)
def stack_limit() -> Measured:
    """Find the largest frame that each gate lets through, by bisection; see largest_frames().

    The compiler is given frame_size.c, the verifier bare instructions, which no compiler checks.
    """
    return largest_frames()


@claim(
    "Even small structs are refused.",
    judge_small,
    truth="False. It is said of kernels before 5.x, yet they grant the same 512 bytes, and small"
    " structs fit.",
    files=("frame_size",),
    quick=True,
)
def small_structs() -> Measured:
    """Find the largest frame that each gate lets through; see largest_frames()."""
    return largest_frames()


@claim(
    "It takes 1568 bytes to meet the limit.",
    judge_needed,
    truth="False, also on 6.x, of which it is said: one word more than a gate's limit is enough.",
    files=("frame_size",),
    quick=True,
)
def bytes_needed() -> Measured:
    """Find the largest frame that each gate lets through; one word more is refused."""
    return largest_frames()
