"""A label for each of several machines, that no other has."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from labkit.survey.records import Record


def labels_of(records: Sequence[Record]) -> tuple[str, ...]:
    """Return a label for each machine: its kernel, and as much more as makes it the only one.

    In this order: bcc and LLVM, the architecture, the distribution, the name, the file, a number.
    """
    labels = [record.machine.kernel for record in records]
    if len(labels) > 1:
        here = [
            f"this machine: {label}" if record.here else label
            for label, record in zip(labels, records, strict=True)
        ]
        labels = here
    for more in (_tools, _arch, _distribution, _name, _stem):
        labels = _told_apart(labels, [more(record) for record in records])
    return tuple(_numbered(labels))


def _numbered(labels: list[str]) -> Iterator[str]:
    """Yield the labels; those that several have with a number that no other has."""
    counted, taken = Counter(labels), set(labels)
    for label in labels:
        numbered = (f"{label} #{number}" for number in itertools.count(1))
        chosen = label if counted[label] == 1 else next(n for n in numbered if n not in taken)
        taken.add(chosen)
        yield chosen


def _told_apart(labels: list[str], more: list[str]) -> list[str]:
    """Add the words to the labels of a group that is alike, where they differ within it."""
    groups: dict[str, set[str]] = {}
    for label, words in zip(labels, more, strict=True):
        groups.setdefault(label, set()).add(words)
    return [
        f"{label}, {words}" if words and len(groups[label]) > 1 else label
        for label, words in zip(labels, more, strict=True)
    ]


def _tools(record: Record) -> str:
    machine = record.machine
    named = (
        f"bcc {machine.bcc}" if machine.bcc else "",
        f"LLVM {machine.llvm}" if machine.llvm else "",
    )
    return " ".join(filter(None, named))


def _arch(record: Record) -> str:
    return record.machine.arch


def _distribution(record: Record) -> str:
    return record.machine.distribution


def _name(record: Record) -> str:
    return record.name


def _stem(record: Record) -> str:
    return record.path.stem if record.path else ""
