"""How large a per-CPU value may be."""

from __future__ import annotations

import os
import platform
from typing import Any

import pandas as pd

from labkit.claims.claim import FALSE, HALF_TRUE, TRUE, Measured, Ruling, claim
from labkit.claims.measuring import Unmeasurable
from labkit.claims.sources import TUTORIAL
from labkit.errors import LabError
from labkit.machine.bpf_syscall import make_map
from labkit.machine.stack_limit import bisect, measured

WORD = 8  # bytes: the kernel rounds a per-CPU value up to this
SEARCHED = 1 << 20  # bytes: a value that the kernel is expected to refuse


def decisive(table: pd.DataFrame) -> pd.DataFrame:
    """Return, of all the sizes tried, the largest accepted one and the smallest refused one."""
    in_order = table.sort_values("bytes")
    return pd.concat([in_order[in_order.accepted].tail(1), in_order[~in_order.accepted].head(1)])


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for the value cap.

    True if a per-CPU value may be larger than a frame on the stack and every size tried was let
    through; half true if it may be larger but some size was refused: there is a cap, only a higher
    one. False if no size above a frame's was let through.
    """
    stack = int(table.stack_bytes.iloc[0])
    largest = int(table[table.accepted].bytes.max())
    refused = table[~table.accepted]
    if largest <= stack:
        return Ruling(FALSE, f"the largest value let through has {largest} bytes.")
    if refused.empty:
        return Ruling(TRUE, f"{largest:,} bytes were let through, and nothing was refused.")
    first: Any = refused.sort_values("bytes").iloc[0]
    return Ruling(
        HALF_TRUE,
        f"up to {largest:,} bytes per value, {largest // stack} times the stack;"
        f" {int(first.bytes):,} are refused: {first.said}.",
    )


@claim(
    "A per-CPU array bypasses the limit: its values may have any size.",
    judge,
    truth="Half: it does bypass the stack's limit, up to 32 KiB a value, rounded up to 8 bytes.",
    quick=True,
    said_by=TUTORIAL,
    brief=decisive,
)
def value_cap(upper: int = SEARCHED) -> Measured:
    """Find the largest per-CPU value that the kernel accepts, by bisection up to ``upper`` bytes.

    Columns: bytes, accepted, said (what the refusal says), stack_bytes (a frame's limit here). One
    row per size tried, in that order, the first byte above the largest included.
    """
    stack = measured().bytes
    if stack is None:
        raise Unmeasurable(measured().unknown)
    rows: list[tuple[int, bool, str, int]] = []

    def passes(size: int) -> bool:
        said = ""
        try:
            os.close(make_map("percpu_array", size))
        except PermissionError as error:  # of rights or memory, which is no cap on a value
            raise Unmeasurable(f"{size} bytes were refused: {error.strerror}.") from error
        except OSError as error:
            said = str(error.strerror)
        rows.append((size, not said, said, stack))
        return not said

    try:
        passes(bisect(passes, WORD, upper, WORD) + 1)
    except LabError:
        if not rows[0][1]:
            raise Unmeasurable(f"even {WORD} bytes are refused: {rows[0][2]}.") from None
    table = pd.DataFrame(rows, columns=["bytes", "accepted", "said", "stack_bytes"])
    return Measured(table, {"kernel": platform.release()})
