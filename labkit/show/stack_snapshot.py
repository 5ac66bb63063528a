"""The stack at one step of the verifier's walk as HTML: 16 slots of 8 bytes a row, 128 bytes.

The limit is a thick line between two rows; what lies below it is outside. A letter stands for what
the verifier knows of a slot, and each slot's tooltip says the same in words. Where a reader strips
the style sheet, a table with letters and the word "outside" is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from labkit.program.variants import STACK_LIMIT
from labkit.show.style import Html, badge, join, page, table, tag
from labkit.stack.snapshot import KINDS, SLOT, Access, Moment, Slot, moment_of, outside

if TYPE_CHECKING:
    from labkit.stack.variables import StackUsers
    from labkit.verifier_log import VerifierLog

ROW = 16 * SLOT  # bytes in a row
_MOST_ROWS_OUTSIDE = 16  # 2 KiB; an access further out is told in words alone
_SHOWN_BEFORE, _SHOWN_AFTER = 4, 3  # steps around the one in question

CSS = """
.lab-stack { border-collapse: separate; border-spacing: 1px; }
.lab .lab-stack td { width: 26px; height: 20px; padding: 0; text-align: center; color: #111;
  font: 12px var(--jp-code-font-family, monospace); border: 1px solid #888; }
.lab .lab-stack th { padding: 0 8px; text-align: right; font-weight: 400; white-space: nowrap; }
.lab .lab-stack tr.lab-limit > * { border-top: 4px double #CC79A7; padding-top: 2px; }
.lab .lab-stack td.lab-out { background: none; border-style: dashed;
  color: var(--jp-content-font-color2, #666); }
.lab .lab-stack td.lab-hit { outline: 3px solid #D55E00; outline-offset: -2px; font-weight: 700; }
.lab .lab-stack td.lab-use { outline: 3px solid #0072B2; outline-offset: -2px; }
""" + "\n".join(
    f".lab .lab-stack td.lab-is-{number} {{ background: {kind.colour}; }}"
    for number, kind in enumerate(KINDS.values())
)
_CLASS = {letter: f"lab-is-{number}" for number, letter in enumerate(KINDS)}


def step_html(log: VerifierLog, step: int | None = None, users: StackUsers | None = None) -> str:
    """Return one step as HTML: what it does, the C line, the instructions around it, the stack.

    ``step`` counts the verifier's walk from 0; None stands for the step that was refused.
    """
    moment = moment_of(log, step, users)
    if moment is None:
        return page(tag("p", badge("none", "this log shows no instruction"), data_testid="step"))
    return page(
        tag("style", Html(CSS)),
        tag("p", _headline(moment)),
        _facts(moment, len(log.instructions), users),
        tag("pre", *_around(log, moment), class_="lab-log", data_testid="around"),
        stack_table(moment),
        tag("p", tag("small", _legend(moment))),
    )


def step_text(moment: Moment | None) -> str:
    """Return one step as a line of text."""
    if moment is None:
        return "this log shows no instruction"
    one = moment.step.instruction
    words = f"instruction {one.index}: {one.disassembly}"
    if moment.access is not None:
        words += f"; it {moment.access.words}"
    if moment.fatal:
        words += f". The verifier refused: {moment.fatal}"
    return words


def _headline(moment: Moment) -> Html:
    kind = "bad" if moment.fatal else "none"
    facts = {
        "data_testid": "step",
        "data_step": moment.step.number,
        "data_insn": moment.step.instruction.index,
    }
    return badge(kind, step_text(moment), **facts)


def _facts(moment: Moment, steps: int, users: StackUsers | None) -> Html:
    rows: list[tuple[str, object]] = [
        ("step", f"{moment.step.number:,}, where the last is {steps - 1:,}")
    ]
    source = moment.step.source
    if source is not None and source.text:
        place = f"{source.file}:{source.line}" if source.file else "(this kernel tells no line)"
        rows.append((place, tag("code", source.text, data_testid="source")))
    if moment.depth:
        rows.append(("in", f"a function {moment.depth} calls deep, with a frame of its own"))
    if moment.fatal and moment.access and moment.access.outside and moment.name:
        size = f", {moment.variable.bytes} bytes" if moment.variable else ""
        words = join(["move ", tag("code", moment.name), f"{size}, off the stack"])
        rows.append(("what to do", tag("b", words, data_testid="move")))
        others = ", ".join(f"{user.name} ({user.bytes} bytes)" for user in outside(users))
        rows += [("also outside, all of it", others)] if others else []
    return table(["", ""], rows)


def _around(log: VerifierLog, moment: Moment) -> Iterator[Html]:
    number = moment.step.number
    first = max(0, number - _SHOWN_BEFORE)
    for step in log.instructions[first : number + _SHOWN_AFTER + 1]:
        words = f"{step.instruction.index:>5}: {step.instruction.disassembly}"
        if step.number == number:
            yield join([tag("mark", f"▶ {words}"), "\n"])
        else:
            yield join(["  ", words, "\n"])


def stack_table(moment: Moment) -> Html:
    """Return the stack as a table: the frame pointer on top, 128 bytes a row."""
    lowest = max(moment.lowest, -STACK_LIMIT - ROW * _MOST_ROWS_OUTSIDE)
    ends = range(0, min(lowest, -STACK_LIMIT - SLOT), -ROW)  # one row outside, to show the limit
    rows = [tag("tr", *_row(moment, end), class_=_row_class(end)) for end in ends]
    return tag("table", tag("tbody", *rows), class_="lab-stack", data_testid="stack")


def _row_class(end: int) -> str | None:
    return "lab-limit" if end == -STACK_LIMIT else None


def _row(moment: Moment, end: int) -> Iterator[Html]:
    """Yield a row's cells: the slot just below ``end`` first, as the log writes them."""
    outside = end <= -STACK_LIMIT
    yield tag("th", f"fp{end}" if end else "fp (r10)")
    for offset in range(end - SLOT, end - ROW - 1, -SLOT):
        yield _cell(moment, offset, outside=outside)
    yield tag("th", "outside" if outside else "")


def _cell(moment: Moment, offset: int, *, outside: bool) -> Html:
    slot = moment.slots.get(offset, Slot(offset, "?" * SLOT))
    hit = moment.access is not None and _touches(moment.access, offset)
    kind = "lab-out" if outside else _CLASS.get(slot.letter, _CLASS["?"])
    words = f"fp{offset}: outside the stack" if outside else slot.words
    letter = "" if outside or slot.letter == "?" else slot.letter
    facts = {}
    if hit:
        bad = outside or moment.fatal
        kind += " lab-hit" if bad else " lab-use"
        letter = "✘" if bad else letter
        facts = {"data_testid": "touched", "data_offset": offset}
    return tag("td", letter, class_=kind, title=words, **facts)


def _touches(access: Access, offset: int) -> bool:
    return access.offset < offset + SLOT and offset < access.offset + access.bytes


def _legend(moment: Moment) -> str:
    """Return what the letters in this picture mean."""
    letters = dict.fromkeys(letter for slot in moment.slots.values() for letter in slot.letters)
    known = [f"{letter} {KINDS[letter].word}" for letter in letters if letter in KINDS]
    words = ["each box is 8 bytes; empty: unwritten", *(one for one in known if one[0] != "?")]
    return "; ".join([*words, f"below the double line: past the {STACK_LIMIT} bytes of stack"])
