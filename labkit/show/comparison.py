"""Records side by side: as text for a terminal, as Markdown, as HTML; and one record alone."""

from __future__ import annotations

import itertools
import shutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

from markupsafe import Markup

from labkit.show.style import SIGNS, badge, folded, page, table, tag
from labkit.survey.cells import CANNOT, CLAIM, LIMIT, NO_RECORD, NOT_TRIED, RUN, WORDS, Key
from labkit.survey.comparison import Comparison, Same
from labkit.survey.records import MISTAKE, NOBODY, VARIANT, Record

TITLES = {
    VARIANT: "variants",
    MISTAKE: "mistakes",
    LIMIT: "stack limits",
    CLAIM: "claims",
    RUN: "real execs",
}
GOOD = {WORDS["accepted"], "true", "it balances"}
BAD = {*(word for word in WORDS.values() if word not in GOOD), "false", "it does not balance"}
FACT = "fact"  # neither good nor bad, such as a number of bytes
INDENT = "    "


def sign(word: str) -> str:
    """Return the kind of a cell's sign (SIGNS of labkit.show.style), or FACT for one without."""
    if word in (CANNOT, NO_RECORD, NOT_TRIED):
        return "none"
    return "good" if word in GOOD else "bad" if word in BAD else FACT


# Text ------------------------------------------------------------


def text(compared: Comparison, width: int = 0) -> str:
    """Return the machines, what differs between them, and what is the same everywhere."""
    width = width or shutil.get_terminal_size().columns
    return "\n".join(_wrapped(_text_lines(compared), width))


def _wrapped(lines: Iterable[str], width: int) -> Iterator[str]:
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        yield from textwrap.wrap(
            line, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
        ) or [""]


def _text_lines(compared: Comparison) -> Iterator[str]:
    yield f"{_count(len(compared.records), 'machine')}:"
    for column in compared.columns:
        times = f" (×{column.count}, all alike)" if column.count > 1 else ""
        when = f", {column.record.when}" if column.record.when else ""
        yield f"  {column.label}{times}: {_about(column.record)} [{column.record.basis}{when}]"
    yield from _bad_lines(compared)
    yield ""
    for key in compared.differing:
        yield f"  {key.label}{_kind(key)} differs:"
        for (word, basis), labels in _by_word(compared, key).items():
            known = "" if basis == NOBODY else f" [{basis}]"
            yield f"{INDENT}{word}{known}: {'; '.join(labels)}"
    if not compared.differing:
        yield "nothing differs between the machines that have a record"
    yield from _same_lines(compared)
    yield from _odd_lines(compared)


def _about(record: Record) -> str:
    told = str(record.machine)
    return f"{told}; {record.problem}" if record.problem else told


def _bad_lines(compared: Comparison) -> Iterator[str]:
    for one in compared.bad:
        yield f"  NOT READ: {one.why}"


def _kind(key: Key) -> str:
    return f" ({key.group})" if key.group in (VARIANT, MISTAKE, CLAIM) else ""


def _by_word(compared: Comparison, key: Key) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for column in compared.columns:
        cell = compared.cell(key, column.number)
        if cell.word != NO_RECORD:
            times = f" (×{column.count})" if column.count > 1 else ""
            found.setdefault((cell.word, cell.basis), []).append(column.label + times)
    return found


def _same_lines(compared: Comparison) -> Iterator[str]:
    counted: Counter[str] = Counter()
    for alike, names in compared.same.items():
        counted[alike.group] += len(names)
    for group, count in counted.items():
        yield ""
        yield f"{_count(count, TITLES[group][:-1])}: the same everywhere"
        for alike, names in compared.same.items():
            if alike.group == group:
                yield f"{INDENT}{alike.word}{_where(compared, alike)}: {', '.join(names)}"


def _where(compared: Comparison, alike: Same) -> str:
    """Say on how many machines, where it is not all of them."""
    total = len(compared.records)
    return "" if alike.machines == total else f" (tried on {alike.machines} of {total} machines)"


def _odd_lines(compared: Comparison) -> Iterator[str]:
    if compared.odd:
        yield ""
        yield "not as the program's own file declares:"
    for label, key, cell in compared.odd:
        yield f"{INDENT}{key.name} on {label}: {cell.word}, but {cell.odd}; {cell.detail}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def record_text(record: Record) -> str:
    """Return one record as text."""
    return "\n".join(_wrapped(_record_lines(record), shutil.get_terminal_size().columns))


def _record_lines(record: Record) -> Iterator[str]:
    about = " ".join(filter(None, ("lab", record.lab.version, record.lab.commit)))
    yield str(record.machine)
    yield f"{record.when}, {record.seconds:.0f} s, {about}"
    if record.problem:
        yield record.problem
    compared = Comparison([record])
    for key in compared.keys:
        cell = compared.cell(key, 0)
        detail = f"  {cell.detail}" if cell.detail and cell.word != WORDS["accepted"] else ""
        odd = f"  NOT AS DECLARED: {cell.odd}" if cell.odd else ""
        yield f"  {key.group:<12} {key.name:<21} {cell.word:<19}{odd}{detail}".rstrip()
    for name, why in record.left_out.items():
        yield f"  left out     {name:<21} {why}"


# Markdown ------------------------------------------------------------


def markdown(compared: Comparison) -> str:
    """Return the machines, a table of what differs, and what is the same everywhere."""
    return "\n".join(_markdown_lines(compared)) + "\n"


def _markdown_lines(compared: Comparison) -> Iterator[str]:
    head = ["machine", "distribution", "bcc", "LLVM", "Python", "CPUs", "basis", "when"]
    yield from _markdown_table(
        head, (_machine_cells(compared, n) for n in range(len(compared.records)))
    )
    yield from (f"\nNot read: {_safe(one.why)}" for one in compared.bad)
    if compared.differing:
        yield ""
        head = ["what differs", *compared.labels]
        basis = ["basis", *(record.basis for record in compared.records)]
        rows = ([_safe(key.label), *_markdown_cells(compared, key)] for key in compared.differing)
        yield from _markdown_table(head, [basis, *rows])
    for alike, names in compared.same.items():
        what = f"{TITLES[alike.group]}, {len(names)}{_where(compared, alike)}"
        listed = ", ".join(f"`{name}`" for name in names)
        yield f"\n**{_safe(alike.word)}** everywhere ({what}): {listed}"
    for label, key, cell in compared.odd:
        yield f"\nNot as declared: `{key.name}` on {label}: {cell.word}, but {_safe(cell.odd)}"


def _machine_cells(compared: Comparison, number: int) -> list[str]:
    record, machine = compared.records[number], compared.records[number].machine
    if record.problem:
        return [
            compared.labels[number],
            f"**no record**: {record.problem}",
            *[""] * 4,
            record.basis,
            "",
        ]
    cpus = f"{machine.online_cpus} of {machine.possible_cpus}" if machine.possible_cpus else ""
    tools = [machine.distribution, machine.bcc, machine.llvm, machine.bcc_python, cpus]
    return [compared.labels[number], *tools, record.basis, record.when]


def _markdown_cells(compared: Comparison, key: Key) -> Iterator[str]:
    signs = {kind: f"{one} " for kind, one in SIGNS.items()} | {FACT: ""}
    for record, cell in zip(compared.records, compared.row(key), strict=True):
        told = "" if cell.basis in (record.basis, cell.word) else f" ({cell.basis})"
        yield f"{signs[sign(cell.word)]}{cell.word}{told}"


def _markdown_table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(map(_safe, row)) + " |"


def _safe(cell: str) -> str:
    return " ".join(cell.split()).replace("|", "\\|").replace("<", "&lt;")


# HTML ------------------------------------------------------------


def html(compared: Comparison) -> str:
    """Return the machines as rows: what differs between them, with the basis in each cell.

    Machines that follow one another and agree in all of it share a row.
    """
    head = ["machine", *(key.label for key in compared.differing)]
    rows = [
        [_who(compared, alike), *(_badge(compared, key, alike) for key in compared.differing)]
        for alike in _rows_of_machines(compared)
    ]
    same = [
        tag(
            "p",
            tag("b", alike.word),
            f" ({TITLES[alike.group]}){_where(compared, alike)}: {', '.join(names)}",
        )
        for alike, names in compared.same.items()
    ]
    total = sum(map(len, compared.same.values()))
    return page(
        table(head, rows, "What differs between the machines", data_testid="machines"),
        folded(
            f"{total} rows are the same on all machines that tried them",
            *same,
            shown=not compared.differing,
        ),
        *(tag("p", f"Not read: {one.why}") for one in compared.bad),
        data_testid="comparison",
    )


def _rows_of_machines(compared: Comparison) -> list[list[int]]:
    def shown(number: int) -> list[object]:
        record = compared.records[number]
        cells = (compared.cell(key, number) for key in compared.differing)
        return [record.basis, record.problem, *((one.word, one.basis, one.odd) for one in cells)]

    numbers = range(len(compared.records))
    return [list(alike) for _, alike in itertools.groupby(numbers, shown)]


def _who(compared: Comparison, numbers: list[int]) -> Markup:
    record, label = compared.records[numbers[0]], compared.labels[numbers[0]]
    machine = record.machine
    tools = f"bcc {machine.bcc}, LLVM {machine.llvm}" if machine.bcc else ""
    about = "; ".join(filter(None, (machine.distribution, tools, record.problem)))
    if len(numbers) > 1:
        label = f"{len(numbers)} machines"
        about = ", ".join(compared.labels[number] for number in numbers)
    return tag("span", tag("b", label), f" ({record.basis}) ", tag("small", about))


def _badge(compared: Comparison, key: Key, numbers: list[int]) -> Markup:
    cell = compared.cell(key, numbers[0])
    kind = sign(cell.word)
    words = tag("b", cell.word) if kind == FACT else badge(kind, cell.word)
    odd = tag("small", f" not as declared: {cell.odd}") if cell.odd else ""
    basis = tag("small", cell.basis, style="display: block")
    detail = cell.detail if len(numbers) == 1 else ""  # of several, each has its own
    return tag("span", words, odd, basis, title=detail or None)
