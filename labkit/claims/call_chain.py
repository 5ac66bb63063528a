"""Functions that call each other: one stack for all their frames, or one for each."""

from __future__ import annotations

import platform

import pandas as pd

from labkit import verifier_log
from labkit.claims.claim import FALSE, HALF_TRUE, NOT_HERE, TRUE, Measured, Ruling, claim
from labkit.claims.measuring import Unmeasurable
from labkit.claims.sources import TUTORIAL
from labkit.machine import stack_limit

BEYOND_HALF = 48  # bytes by which a frame is larger than half the limit: 304, where that is 512
CHAINS = ((1, False), (2, False), (9, False), (2, True))  # frames, with a tail call


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out what the ruling tells already, and the depths, a number per function."""
    return table.drop(columns=["frame_bytes", "stack_depth"])


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for frames of their own.

    Two frames of more than half the limit have room only if each function has a stack of its own.
    True if they are accepted both as a tracepoint and as a socket filter, half true if only as one
    of them, false if as neither. Cannot be told if a single frame of that size is refused: then
    something else is wrong.
    """
    plain = table[~table.tail_call]
    alone, two = plain[plain.frames == 1], plain[plain.frames == 2]
    if not alone.accepted.all():
        return Ruling(NOT_HERE, f"one frame alone was refused: {alone.said.max()}.")
    told = "; ".join(
        f"two{' with a tail call' if row.tail_call else ''} as a {row.program_type}"
        f" {'are accepted' if row.accepted else f'are refused ({row.said})'}"
        for row in table[table.frames == 2].itertuples()
    )
    word = {2: TRUE, 1: HALF_TRUE, 0: FALSE}[int(two.accepted.sum())]
    return Ruling(word, f"of frames of {table.frame_bytes.iloc[0]} bytes, {told}.")


@claim(
    "Each function in a chain of calls has the whole limit to itself.",
    judge,
    truth="False: all frames of a chain share it. Only tracing programs have private stacks, from"
    " 6.13 (x86-64) and 6.17 (arm64), and a tail call takes them away.",
    quick=True,
    said_by=TUTORIAL,
    brief=verdicts,
)
def call_chain() -> Measured:
    """Load chains of functions, as bare instructions, as a tracepoint and as a socket filter.

    Columns: frames (the program's own included), frame_bytes (of each: a little more than half of
    what one alone may have), tail_call, program_type, accepted, stack_depth (as the verifier tells
    it, bytes per function), said (the line of refusal).
    """
    limit = stack_limit.measured()
    if limit.bytes is None:
        raise Unmeasurable(limit.unknown)
    size = limit.bytes // 2 + BEYOND_HALF
    rows = []
    for frames, tail_call in CHAINS:
        for kind in stack_limit.MEASURED_TYPES:
            chain = stack_limit.call_chain(*[size] * frames, program_type=kind, tail_call=tail_call)
            depth = "+".join(map(str, verifier_log.parse(chain.log).statistics.stack_depths))
            rows.append((frames, size, tail_call, kind, chain.passed, depth, chain.said))
    columns = ["frames", "frame_bytes", "tail_call", "program_type", "accepted"]
    table = pd.DataFrame(rows, columns=[*columns, "stack_depth", "said"])
    return Measured(table, {"kernel": platform.release()})
