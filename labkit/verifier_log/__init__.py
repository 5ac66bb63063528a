"""The verifier's log, from text to structure. Pure and total: no I/O, and no text makes it raise.

    log = parse(text)
    log.fatal                     # the line that matters, or None
    log.statistics.stack_depth    # bytes
    log.table                     # one row a step
    log.state_at(3).stack         # {-16: 'mmmmmmmm'}

Two layers: :mod:`labkit.verifier_log.lines` looks at one line; this file looks at how lines follow
each other. Nothing is lost: ``"".join(line.text for line in log.lines)`` is the input.

The text is kept once. Each line costs 9 bytes besides (where it starts, and its kind), so a log
of 100 MB takes about 110 MB; what stands in a line is read when it is asked for.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, overload

from labkit.verifier_log.lines import (
    Instruction,
    Kind,
    Source,
    parse_instruction,
    parse_source,
    split_state,
)
from labkit.verifier_log.replay import Replay
from labkit.verifier_log.scan import CODE, KINDS, Scan
from labkit.verifier_log.state import State, StateText, parse_state
from labkit.verifier_log.statistics import Statistics, read_statistics
from labkit.verifier_log.table import to_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Kind", "Line", "Source", "State", "Statistics", "Step", "VerifierLog", "parse"]

T = TypeVar("T")
# These judge the whole program, so no single instruction is to blame.
_WHOLE_PROGRAM = re.compile(
    r"combined stack|stack size|tail_calls? (?:are|is)|the call stack of .* !|unreachable|jump out"
    r"|jump into|last insn|back-edge|number of funcs|missing|LD_ABS|JIT"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log.

    :param index: which line, counted from 0.
    :param kind: what it is.
    :param text: all of it, with its line end if it has one.
    """

    index: int
    kind: Kind
    text: str

    @property
    def body(self) -> str:
        """The text without its line end."""
        return self.text.rstrip("\r\n")

    @property
    def instruction(self) -> Instruction | None:
        """The instruction on this line; None on lines of any other kind."""
        return parse_instruction(self.body) if self.kind is Kind.INSTRUCTION else None

    @property
    def source(self) -> Source | None:
        """The C source on this line; None on lines of any other kind."""
        return parse_source(self.body) if self.kind is Kind.SOURCE else None

    @property
    def state(self) -> StateText | None:
        """Registers and slots that this line shows; None on lines of any other kind."""
        if self.kind is Kind.INSTRUCTION:
            instruction = self.instruction
            return parse_state(instruction.state) if instruction else None
        return parse_state(split_state(self.body)[1]) if self.kind is Kind.STATE else None


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction at one place of the verifier's walk.

    :param number: its place in the walk, counted from 0.
    :param line: the index of its line in the log.
    :param source: the C line that it comes from, where the log tells.
    """

    number: int
    line: int
    instruction: Instruction
    source: Source | None


class _Lazy(Sequence[T]):
    """A sequence that makes its items when they are asked for."""

    def __init__(self, log: VerifierLog) -> None:
        self._log = log

    def _make(self, index: int) -> T:
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self._make(one) for one in range(*index.indices(len(self)))]
        return self._make(range(len(self))[index])


class _Lines(_Lazy[Line]):
    def __len__(self) -> int:
        return len(self._log.scan.kinds)

    def _make(self, index: int) -> Line:
        scan, text = self._log.scan, self._log.text
        end = scan.starts[index + 1] if index + 1 < len(scan.starts) else len(text)
        return Line(index, KINDS[scan.kinds[index]], text[scan.starts[index] : end])


class _Steps(_Lazy[Step]):
    def __len__(self) -> int:
        return len(self._log.scan.steps)

    def _make(self, index: int) -> Step:
        log, scan = self._log, self._log.scan
        line = log.lines[scan.steps[index]]
        instruction = parse_instruction(line.body) or Instruction(0, "", line.body, "")
        source = scan.sources[index]
        return Step(
            index, line.index, instruction, log.lines[source].source if source >= 0 else None
        )


class VerifierLog:
    """A verifier's log, every line of it kept. Made by :func:`parse`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines: Sequence[Line] = _Lines(self)
        self.instructions: Sequence[Step] = _Steps(self)

    def __repr__(self) -> str:
        fatal = self.fatal
        verdict = repr(fatal.body) if fatal else "no line that refuses"
        return f"<VerifierLog: {len(self.lines)} lines, {len(self.instructions)} steps, {verdict}>"

    @cached_property
    def scan(self) -> Scan:
        """Where each line starts, its kind, and which are steps: what all else here reads."""
        return Scan(self.text)

    def of_kind(self, kind: Kind) -> Iterator[Line]:
        """Yield the lines of one kind, in order."""
        code, kinds = CODE[kind], self.scan.kinds
        index = kinds.find(code)
        while index >= 0:
            yield self.lines[index]
            index = kinds.find(code, index + 1)

    def places(self, kinds: Collection[Kind]) -> list[int]:
        """Return the indexes of the lines of some kinds, in order."""
        codes = re.escape(bytes(CODE[kind] for kind in kinds))
        return [match.start() for match in re.finditer(b"[" + codes + b"]", self.scan.kinds)]

    @cached_property
    def statistics(self) -> Statistics:
        """The figures at the end. Of several logs in one text, those of the last."""
        return read_statistics([line.body for line in self.of_kind(Kind.STATISTIC)])

    @property
    def errors(self) -> tuple[Line, ...]:
        """Lines that read like an error, whether or not they decided; see :attr:`fatal`."""
        return tuple(self.of_kind(Kind.ERROR))

    @property
    def unrecognised(self) -> tuple[Line, ...]:
        """Lines that no recogniser knows. They are kept like all others."""
        return tuple(self.of_kind(Kind.UNRECOGNISED))

    @cached_property
    def fatal(self) -> Line | None:
        """The line with which the verifier refused, or None if the log shows no refusal.

        Found by its place: after the last instruction and before the figures. The verifier may
        give a second line of detail; this is the first. A message that no recogniser knows is
        found too, and its kind becomes ``error``.
        """
        index = self.scan.fatal
        return self.lines[index] if index is not None else None

    @cached_property
    def fatal_instruction(self) -> Step | None:
        """The step at which the verifier stopped; None if it judged the program as a whole."""
        fatal = self.fatal
        if fatal is None or _WHOLE_PROGRAM.match(fatal.body):
            return None
        number = bisect_left(self.scan.steps, fatal.index) - 1
        return self.instructions[number] if number >= 0 else None

    @property
    def is_truncated(self) -> bool:
        """Whether an end of the log is missing: a buffer too small, or a cut text.

        Kernels before 6.4 lose the end of a log, later ones its beginning.
        """
        no_end = self.statistics.insns_processed is None
        return bool(self.lines) and (no_end or self.lines[0].kind is Kind.UNRECOGNISED)

    @cached_property
    def _replay(self) -> Replay:
        return Replay(self)

    def state_at(self, number: int, *, after: bool = True) -> State:
        """Return registers and stack slots known at step ``number`` of :attr:`instructions`.

        :param after: what was known once the instruction had been followed; at the instruction
            that was refused that is what was known before it. False: always before.
        :raises IndexError: there is no such step.
        """
        number = range(len(self.instructions))[number]
        return self._replay.after(number) if after else self._replay.before(number)

    @property
    def table(self) -> pd.DataFrame:
        """One row a step, as a pandas DataFrame; see :func:`labkit.verifier_log.table.to_table`."""
        return to_table(self)

    @property
    def frame(self) -> pd.DataFrame:
        """The former name of :attr:`table`; it stays for scripts that were written against it."""
        return self.table


def parse(text: str | bytes) -> VerifierLog:
    """Parse a verifier's log, with or without the text that a tool printed around it.

    :param text: bytes are decoded as UTF-8; those that are not become lone surrogates, so that
        ``log.text.encode("utf-8", "surrogateescape")`` gives them back.
    :return: a log that holds every line. Nothing is raised, whatever the text.
    """
    if isinstance(text, (bytes, bytearray, memoryview)):
        text = bytes(text).decode("utf-8", "surrogateescape")
    return VerifierLog(text)
