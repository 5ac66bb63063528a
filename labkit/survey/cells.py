"""What a record tells of each thing, in a word, and how that is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from labkit.program.outcomes import (
    ACCEPTED,
    COMPILER_REFUSED,
    HOST_REFUSED,
    VERIFIER_REFUSED,
    WORKER_DIED,
)
from labkit.survey.records import MISTAKE, READ, VARIANT, Record

CANNOT, NO_RECORD, NOT_TRIED = "cannot be told here", "no record", "not tried"
WORDS = {
    ACCEPTED: "accepted",
    COMPILER_REFUSED: "compiler refused",
    VERIFIER_REFUSED: "verifier refused",
    HOST_REFUSED: "machine refused",
    WORKER_DIED: "build died",
}
LIMIT, CLAIM, RUN = "stack limit", "claim", "real execs"
GROUPS = (VARIANT, MISTAKE, LIMIT, CLAIM, RUN)


class Key(NamedTuple):
    """What a row is about."""

    group: str  # one of GROUPS
    name: str

    @property
    def label(self) -> str:
        """The name, as it stands at a row."""
        return f"stack of a {self.name}" if self.group == LIMIT else self.name


@dataclass(frozen=True)
class Cell:
    """What came of one thing on one machine."""

    word: str  # one of WORDS, a limit, a verdict, or why there is none
    basis: str
    detail: str = ""  # the decisive message, why, or the problem
    odd: str = ""  # in what it is not as the file declares


def cells(record: Record) -> Iterator[tuple[Key, Cell]]:
    """Yield what a record tells: programs, limits, claims, the collection."""
    for one in record.programs:
        basis = f"{READ}: {one.source}" if one.source else record.basis
        word = CANNOT if one.problem else WORDS.get(one.outcome, one.outcome or NOT_TRIED)
        yield (
            Key(one.group, one.name),
            Cell(word, basis, one.problem or one.message, one.disagreement),
        )
    for limit in record.limits:
        words = limit.words or CANNOT
        yield Key(LIMIT, limit.program_type), Cell(words, record.basis, limit.problem)
    for claim in record.claims:
        word = claim.verdict or CANNOT
        yield Key(CLAIM, claim.name), Cell(word, record.basis, claim.problem or claim.why)
    if record.collection is not None:
        yield Key(RUN, "collection"), _of_collection(record)


def _of_collection(record: Record) -> Cell:
    run = record.collection
    assert run is not None
    if run.balanced is None or not run.events:
        return Cell(CANNOT, record.basis, run.problem or "no exec was seen")
    told = f"{run.events} events, {run.failed} lost"
    word = "it balances" if run.balanced else "it does not balance"
    return Cell(word, record.basis, f"{told}; {run.problem}" if run.problem else told)
