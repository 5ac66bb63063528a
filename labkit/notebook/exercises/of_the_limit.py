"""Exercises 1 to 5, about the limit: the questions, with a secret each run, and their checks.

A check measures the truth when it is asked. It returns Feedback, and never raises for a wrong
answer; only a machine that cannot build raises, MachineError.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from labkit.building.build import build
from labkit.building.frame_size import lets_through
from labkit.building.report import BuildReport
from labkit.claims import null_check
from labkit.claims.claim import NOT_HERE
from labkit.machine.stack_limit import WORD, largest_frame
from labkit.notebook.exercises.answers import ASK_FIRST, one_each, whole_number, words
from labkit.notebook.exercises.solved import noted
from labkit.notebook.feedback import Feedback, not_tried, not_yet, right
from labkit.program.variants import BPF_TREE, LLVM_LIMIT, Variant

REFUSERS = ("neither", "compiler", "verifier", "both")  # which gate refuses
VERDICTS = ("accepted", "refused")
LEAST_BUFFER = WORD  # bytes that the program's own code needs
PUZZLE = BPF_TREE / "exercises" / "puzzle.c"
PUZZLE_OBJECTS = 6  # SHIFT in puzzle.c is below that

_draw = random.SystemRandom()


@dataclass(frozen=True)
class Frames:
    """Frames of these sizes, in bytes, of which is asked who refuses them."""

    sizes: tuple[int, ...]

    def __repr__(self) -> str:
        first, *rest = [f"{size} bytes" for size in self.sizes]
        return f"frames of {first}, {', '.join(rest[:-1])} and {rest[-1]}"


def frames() -> Frames:
    """Return three frames: within both limits, the size at which they part, and beyond both."""
    kernel = largest_frame()
    between = _draw.randrange(LLVM_LIMIT, kernel + 1, WORD)
    sizes = [LLVM_LIMIT - WORD * _draw.randint(1, 8), between, kernel + WORD * _draw.randint(1, 8)]
    _draw.shuffle(sizes)
    return Frames(tuple(sizes))


def who_refuses(size: int) -> str:
    """Return which gate refuses a frame of ``size`` bytes, asked now: one of REFUSERS."""
    refusing = [gate for gate in ("compiler", "verifier") if not lets_through(size, gate)]
    return {0: "neither", 1: refusing[0] if refusing else "", 2: "both"}[len(refusing)]


@noted("predict")
def check_predictions(asked: object = None, *answers: object) -> Feedback:
    """Compare with both gates: for each of the frames asked about one of REFUSERS, in order."""
    if not isinstance(asked, Frames):
        return not_tried(ASK_FIRST)
    given = one_each(answers, [f"{size} bytes" for size in asked.sizes])
    said = given if isinstance(given, Feedback) else words(given, REFUSERS)
    if isinstance(said, Feedback):
        return said
    truth = dict(zip(said, map(who_refuses, asked.sizes), strict=True))
    wrong = [f"{frame}: not {said[frame]!r} on this machine" for frame in said
             if said[frame] != truth[frame]]  # fmt: skip
    return not_yet(*wrong) if wrong else right(*(f"{frame}: {who}" for frame, who in truth.items()))


@dataclass(frozen=True)
class Sizes:
    """What two of the lesson's structs must keep: bytes in data[], and numbers in values[]."""

    data: int
    values: int

    def __repr__(self) -> str:
        return f"data has {self.data} bytes, values has {self.values} numbers of 8 bytes"

    def build(self, buffer: int) -> BuildReport:
        """Build the bad program with these sizes and buffers of ``buffer`` bytes."""
        sizes = f"DATA_BYTES={self.data}", f"BUFFER_BYTES={buffer}", f"VALUES={self.values}"
        return build("stack", defines=sizes)


def sizes_to_keep() -> Sizes:
    """Return sizes with which some buffer fits the compiler's limit."""
    return Sizes(_draw.randrange(48, 168, WORD), _draw.randint(4, 12))


@noted("shrink")
def check_shrunk(keep: object = None, *, buffer: object = None) -> Feedback:
    """Build the bad program with buffers of that size: right is the largest with which it loads."""
    if not isinstance(keep, Sizes):
        return not_tried(ASK_FIRST)
    size = whole_number(buffer, "bytes")
    if isinstance(size, Feedback):
        return size
    if size % WORD or size < LEAST_BUFFER:
        return not_yet(f"take a multiple of {WORD} bytes, and at least {LEAST_BUFFER}")
    if not (report := keep.build(size)).accepted:
        return not_yet("too large: it does not load", report.explain().happened)
    if keep.build(size + WORD).accepted:
        return not_yet("it loads, but it is too small: larger buffers load as well")
    depth = report.stack_depth
    counted = f"the verifier counted a frame of {depth} bytes" if depth else "it loads"
    return right(f"{counted}; with {WORD} bytes more in each buffer it is refused")


@dataclass(frozen=True)
class Puzzle:
    """A build of bpf/exercises/puzzle.c in which one object is beyond this kernel's stack."""

    report: BuildReport

    @property
    def log(self) -> str:
        """The verifier's log."""
        return self.report.verifier_text

    def __repr__(self) -> str:
        return f"<puzzle.c: {self.report.outcome}; print(puzzle.log) shows the verifier's log>"

    def refused_line(self) -> int | None:
        """Return the C line of the refused instruction; before Linux 6.9 found by its text."""
        step = self.report.verifier_log.fatal_instruction
        if step is None or step.source is None:
            return None
        return step.source.line or self._line_of(step.source.text)

    def _line_of(self, text: str) -> int | None:
        lines = [line.strip() for line in self.report.source.splitlines()]
        return lines.index(text.strip()) + 1 if text.strip() in lines else None

    def declared_line(self, used: int) -> int | None:
        """Return the line that computes the address of what is written in line ``used``."""
        lines = self.report.source.splitlines()
        name = lines[used - 1].strip().partition("[")[0]
        found = (n for n, line in enumerate(lines, 1) if f" *{name} = " in line)
        return next(found, None)


def puzzle(shift: int | None = None) -> Puzzle:
    """Build the puzzle now, with another of its objects too low each time."""
    chosen = _draw.randrange(PUZZLE_OBJECTS) if shift is None else shift
    defines = (f"STACK_BYTES={largest_frame()}", f"SHIFT={chosen}")
    return Puzzle(build(Variant("puzzle", PUZZLE, "one object too many", defines=defines)))


@noted("line")
def check_line(asked: object = None, line: object = None) -> Feedback:
    """Compare with the line of the puzzle that the verifier refused, as its log tells."""
    if not isinstance(asked, Puzzle):
        return not_tried(ASK_FIRST)
    number, last = whole_number(line, "a line"), len(asked.report.source.splitlines())
    if isinstance(number, Feedback):
        return number
    if not 1 <= number <= last:
        return not_yet(f"puzzle.c has the lines 1 to {last}")
    truth = asked.refused_line()
    if truth is None:
        return not_yet("this kernel's log names no line of C, so there is none to compare with")
    if number == truth:
        return right(str(asked.report.explain().happened))
    if number == asked.declared_line(truth):
        return not_yet("there the address is computed; which line writes to it?")
    return not_yet(f"further {'down' if number < truth else 'up'}")


@noted("null_check")
def check_null(*, constant_key: object = None, variable_key: object = None) -> Feedback:
    """Compare with what the verifier says without the NULL check: one of VERDICTS for each key."""
    asked = {"constant": constant_key, "variable": variable_key}
    said = words({f"the {key} key": answer for key, answer in asked.items()}, VERDICTS)
    if isinstance(said, Feedback):
        return said
    claim = null_check()
    table = claim.measured
    if table is None or claim.verdict == NOT_HERE:
        return not_yet(f"this machine cannot tell: {claim.why}")
    rows = table[~table.checked].set_index("key")
    truth = {f"the {key} key": VERDICTS[0 if rows.accepted[key] else 1] for key in asked}
    if said != truth:
        return not_yet("not as measured here, at least for one of the two")
    return right(*(f"{key}: {truth[f'the {key} key']} {rows.said[key]}".rstrip() for key in asked))
