"""What the verifier knew at each step, added up from what it printed on the way."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from labkit.verifier_log.lines import Kind, split_state
from labkit.verifier_log.state import State, parse_state

if TYPE_CHECKING:
    from labkit.verifier_log import Line, VerifierLog

__all__ = ["Replay"]

_EVERY = 512  # steps between two remembered states
_HEADS = ("caller:", "callee:", "returning from callee:", "to caller at")


class Replay:
    """Steps through a log. Going on is cheap; going back starts from a remembered state."""

    def __init__(self, log: VerifierLog) -> None:
        self._log = log
        self._marks = [0]
        self._states = [self._through(State(), 0, self._line_of(0))]
        self._cursor = (0, self._states[0].copy())

    def _line_of(self, number: int) -> int:
        steps = self._log.scan.steps
        return steps[number] if number < len(steps) else len(self._log.lines)

    def _through(self, state: State, start: int, end: int) -> State:
        for index in range(start, end):
            self._take(state, self._log.lines[index])
        return state

    def before(self, number: int) -> State:
        """Return the state known when step ``number`` was reached."""
        first, state = self._nearest(number)
        for step in range(first, number):
            self._through(state, self._line_of(step), self._line_of(step + 1))
            if (step + 1) % _EVERY == 0 and step + 1 > self._marks[-1]:
                self._marks.append(step + 1)
                self._states.append(state.copy())
        self._cursor = (number, state)
        return state.copy()

    def after(self, number: int) -> State:
        """Return the state known once step ``number`` had been followed, on the same path."""
        state = self.before(number)
        lines, first = self._log.lines, self._log.scan.steps[number]
        self._take(state, lines[first])
        for index in range(first + 1, len(lines)):
            line = lines[index]
            if line.kind in (Kind.INSTRUCTION, Kind.ERROR, Kind.STATISTIC, Kind.FUNCTION):
                break
            if line.kind is Kind.STATE and line.text.lstrip().startswith("from "):
                break
            self._take(state, line)
        return state

    def _nearest(self, number: int) -> tuple[int, State]:
        if 0 <= number - self._cursor[0] < _EVERY:
            return self._cursor
        mark = bisect_right(self._marks, number) - 1
        return self._marks[mark], self._states[mark].copy()

    @cached_property
    def _shows_changes_only(self) -> bool:
        """Since 5.17 a line shows what changed; before, all that is known."""
        return any(step.instruction.state for step in self._log.instructions[:200])

    def _take(self, state: State, line: Line) -> None:
        if line.kind is Kind.INSTRUCTION:
            self._take_instruction(state, line)
        elif line.kind is Kind.FUNCTION and line.text.startswith("Validating"):
            state.frame, state.frames = 0, State().frames
        elif line.kind is Kind.STATE:
            self._take_state(state, line)

    def _take_instruction(self, state: State, line: Line) -> None:
        instruction = line.instruction
        if instruction is None:
            return
        if instruction.opcode == "85" and not instruction.disassembly.startswith("call pc"):
            state.call()
        if instruction.state:
            state.show(parse_state(instruction.state))

    def _take_state(self, state: State, line: Line) -> None:
        body = line.body.strip()
        if body.startswith(_HEADS) or body.endswith(": safe"):
            return
        text = split_state(body)[1]
        if not text:
            return
        bare = body[0].isdigit()  # "12: R0=..."; all others show the whole frame
        state.show(parse_state(text), whole=not (bare and self._shows_changes_only))
