"""Comparison: any number of records side by side.

A row is a program, a limit or a claim; a column is a machine. Each cell says what came of it there,
and how that is known: tried here, tried there, or read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labkit.errors import UsageError
from labkit.survey.cells import GROUPS, LIMIT, NO_RECORD, NOT_TRIED, Cell, Key, cells
from labkit.survey.labels import labels_of
from labkit.survey.records import MISTAKE, NOBODY, VARIANT, BadRecord, Program, Record, Records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

DRAWN = (VARIANT, MISTAKE, LIMIT)  # what the picture has rows for


@dataclass(frozen=True)
class Column:
    """A machine, or several that agree in all: the first's place, label and record; how many."""

    number: int
    label: str
    record: Record
    count: int = 1


class Same(NamedTuple):
    """In what several things are alike: the word that all machines have that tried them."""

    group: str
    word: str
    machines: int  # how many tried them


class Row(NamedTuple):
    """A row of the picture: one thing, or several that came out alike on each machine."""

    label: str
    key: Key  # of the first
    size: int = 1


class Comparison:
    """Records side by side: this machine's first, then by kernel.

    ``groups`` are the rows that are wanted, all by default; ``bad`` lists the files that are no
    records. Raises UsageError without a record.
    """

    def __init__(self, records: Iterable[Record], groups: Sequence[str] = GROUPS) -> None:
        self.records = tuple(sorted(records, key=_order))
        self.bad: tuple[BadRecord, ...] = records.bad if isinstance(records, Records) else ()
        if not self.records:
            raise UsageError("there is nothing to compare: no record was given")
        self.labels = labels_of(self.records)
        self._cells = [
            {key: cell for key, cell in cells(record) if key.group in groups}
            for record in self.records
        ]

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """What there are rows for: in the groups' order, then as the records have them."""
        found = dict.fromkeys(key for cells in self._cells for key in cells)
        return tuple(sorted(found, key=lambda key: GROUPS.index(key.group)))

    def cell(self, key: Key, column: int) -> Cell:
        """Return what came of it on the machine of that column."""
        record = self.records[column]
        found = self._cells[column].get(key)
        if found is not None:
            return found
        if record.problem:
            return Cell(NO_RECORD, NOBODY, record.problem)
        return Cell(NOT_TRIED, NOBODY, record.left_out.get(key.name, "its record lacks it"))

    def row(self, key: Key) -> list[Cell]:
        """Return the cells of a row, a machine each."""
        return [self.cell(key, column) for column in range(len(self.records))]

    @property
    def table(self) -> pd.DataFrame:
        """The words, a row for (group, name), a column for a machine by its label."""
        return self._frame(lambda cell: cell.word)

    @property
    def basis(self) -> pd.DataFrame:
        """How each cell of ``table`` is known."""
        return self._frame(lambda cell: cell.basis)

    def _frame(self, told: Callable[[Cell], str]) -> pd.DataFrame:
        import pandas as pd

        index = pd.MultiIndex.from_tuples(self.keys, names=["group", "name"])
        rows = [[told(cell) for cell in self.row(key)] for key in self.keys]
        return pd.DataFrame(rows, index=index, columns=list(self.labels), dtype=object)

    def tried(self, key: Key) -> list[Cell]:
        """Return the cells of the machines where it was tried, or read."""
        return [cell for cell in self.row(key) if cell.word not in (NO_RECORD, NOT_TRIED)]

    def agrees(self, key: Key) -> bool:
        """Whether all machines that tried it say the same."""
        return len({cell.word for cell in self.tried(key)}) == 1

    @property
    def differing(self) -> tuple[Key, ...]:
        """The rows in which machines differ."""
        return tuple(key for key in self.keys if not self.agrees(key))

    @property
    def same(self) -> dict[Same, list[str]]:
        """The names of the rows in which all agree that tried it."""
        found: dict[Same, list[str]] = {}
        for key in self.keys:
            if self.agrees(key):
                cells = self.tried(key)
                alike = Same(key.group, cells[0].word, len(cells))
                found.setdefault(alike, []).append(key.name)
        return found

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The machines, those that agree in every cell and are known alike folded into one."""
        alike: dict[Any, list[int]] = {}
        for number, record in enumerate(self.records):
            said = tuple(
                (c.word, c.basis, bool(c.odd))
                for c in (self.cell(key, number) for key in self.keys)
            )
            alike.setdefault((_what_decides(record), record.problem, said), []).append(number)
        groups = list(alike.values())
        labels = labels_of([_of_several(self.records, group) for group in groups])
        return tuple(
            Column(group[0], label, self.records[group[0]], len(group))
            for group, label in zip(groups, labels, strict=True)
        )

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The picture's rows: what differs and the variants alone, what is the same folded."""
        alone = {key for key in self.keys if key.group == VARIANT or not self.agrees(key)}
        found: dict[Any, list[Key]] = {}
        for key in self.keys:
            if key.group in DRAWN:
                words = tuple(cell.word for cell in self.row(key))
                folded = key if key in alone else (key.group, words)
                found.setdefault(folded, []).append(key)
        return tuple(Row(_row_label(keys), keys[0], len(keys)) for keys in found.values())

    @property
    def odd(self) -> list[tuple[str, Key, Cell]]:
        """What is not as the files declare: machine, row, cell."""
        return [
            (self.labels[n], key, cell)
            for key in self.keys
            for n, cell in enumerate(self.row(key))
            if cell.odd
        ]

    def long(self) -> pd.DataFrame:
        """Return one row a cell: the machine, the thing, what came of it, and how that is known."""
        import pandas as pd

        return pd.DataFrame(list(self._long_rows()))

    def _long_rows(self) -> Iterator[dict[str, Any]]:
        for number, record in enumerate(self.records):
            machine = record.machine
            about = {
                "machine": self.labels[number],
                "kernel": machine.kernel,
                "distribution": machine.distribution,
                "arch": machine.arch,
                "bcc": machine.bcc,
                "llvm": machine.llvm,
                "when": record.when,
            }
            programs = {one.name: one for one in record.programs}
            for key in self.keys:
                cell = self.cell(key, number)
                one = programs.get(key.name, Program(""))
                yield {
                    **about,
                    "group": key.group,
                    "name": key.name,
                    "outcome": cell.word,
                    "gate": one.gate,
                    "message": cell.detail,
                    "reason": one.reason,
                    "stack_depth": one.stack_depth,
                    "instructions": one.instructions,
                    "declared": one.declared,
                    "not_as_declared": cell.odd,
                    "basis": cell.basis,
                }

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write ``long()`` to a file; return its path. Raises UsageError where that cannot be."""
        return written(path, self.long().to_csv(index=False))

    def to_text(self, width: int = 100) -> str:
        """Return the comparison as text: the machines, what differs, what is the same."""
        from labkit.show import comparison

        return comparison.text(self, width)

    def to_markdown(self) -> str:
        """Return the comparison as Markdown."""
        from labkit.show import comparison

        return comparison.markdown(self)

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw program × machine; return the Axes."""
        from labkit.plots import comparison

        return comparison.programs_by_machine(self, axes)

    def save_picture(self, path: str | os.PathLike[str]) -> Path:
        """Draw the picture into a file (PNG, SVG or PDF, by its name); return its path.

        Raises UsageError where that cannot be.
        """
        target = Path(path)
        try:
            figure = self.plot().get_figure(root=True)
            assert figure is not None
            figure.savefig(target, dpi=110)
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot draw {target}: {error}; name a .png of yours") from error
        return target

    @property
    def alt_text(self) -> str:
        """The picture in words."""
        from labkit.plots import alt

        return alt.programs_by_machine(self)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        from labkit.show import comparison

        return comparison.html(self)


def written(path: str | os.PathLike[str], content: str) -> Path:
    """Write a text to a file. Raises UsageError where that cannot be."""
    target = Path(path)
    try:
        target.write_text(content, "utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write {target}: {error.strerror}; name a file in a folder of yours"
        ) from error
    return target


def _order(record: Record) -> tuple[bool, list[int]]:
    """Return what machines are sorted by: this one first, then the numbers of the kernel."""
    return not record.here, [int(number) for number in re.findall(r"\d+", record.machine.kernel)]


def _row_label(keys: list[Key]) -> str:
    return keys[0].label if len(keys) == 1 else f"{len(keys)} {keys[0].group}s"


def _of_several(records: Sequence[Record], group: list[int]) -> Record:
    """Return the record that a column is named by: of several machines none has its own name."""
    first = records[group[0]]
    return first if len(group) == 1 else replace(first, name="", path=None)


def _what_decides(record: Record) -> tuple[str, ...]:
    machine = record.machine
    return machine.kernel, machine.arch, machine.bcc, machine.llvm
