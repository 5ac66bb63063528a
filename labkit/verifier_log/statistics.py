"""The figures at the end of a verifier log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Statistics", "read_statistics"]


@dataclass(frozen=True, slots=True)
class Statistics:
    """The figures at the end of a log; None (or empty) where the log doesn't give them.

    :param insns_processed: instructions that the verifier walked through, on all paths together.
    :param stack_depths: bytes of stack of each function, the program itself first. Log level 4;
        ``stack depth 304+304`` (5.2 and later), ``subprog 0 (name) ... stack 304`` in 7.3.
    :param stack_depth_max: what 7.3 prints as ``stack depth max``: bytes of the deepest chain of
        calls, rounded up as the kernel counts it (8 becomes 16). A function with a private stack
        counts for itself.
    :param verification_time_us: microseconds. Log level 4.
    """

    insns_processed: int | None = None
    stack_depths: tuple[int, ...] = ()
    stack_depth_max: int | None = None
    verification_time_us: int | None = None

    @property
    def stack_depth(self) -> int | None:
        """Bytes of the largest single frame, not rounded: the same figure on every kernel.

        It is not the sum along a chain of calls. On a refused program it counts only what the
        verifier saw before it stopped: 0 if the first write to the stack was the bad one.
        """
        return max(self.stack_depths) if self.stack_depths else self.stack_depth_max


_PROCESSED = re.compile(r"processed (\d{1,18}) insns(?:.*?stack depth ([\d+]+))?")
_TIME = re.compile(r"verification time (\d{1,18})")
_DEPTHS = re.compile(r"stack depth (\d{1,9}(?:\+\d{1,9})*)(?: max (\d{1,9}))?\s*$")
_DEPTH_MAX = re.compile(r"stack depth max (\d{1,9})")
_SUBPROG = re.compile(r"subprog (\d{1,9}) .*stack (\d{1,9})")


def read_statistics(lines: Sequence[str]) -> Statistics:
    """Read the figures out of their lines; a later line wins over an earlier one."""
    processed = maximum = time = None
    depths: tuple[int, ...] = ()
    for line in lines:
        if match := _PROCESSED.match(line):
            processed = int(match[1])
            depths = _numbers(match[2]) if match[2] else depths  # before 5.2
        elif match := _TIME.match(line):
            time = int(match[1])
        elif match := _DEPTHS.match(line):
            depths, maximum = _numbers(match[1]), int(match[2]) if match[2] else maximum
        elif match := _DEPTH_MAX.match(line):
            depths, maximum = (), int(match[1])
        elif match := _SUBPROG.match(line):
            depths = (*(depths if int(match[1]) > 0 else ()), int(match[2]))
    return Statistics(processed, depths, maximum, time)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("+") if part.isdecimal())
