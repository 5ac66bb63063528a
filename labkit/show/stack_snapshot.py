"""The stack at one step of the verifier's walk as HTML: 16 slots of 8 bytes per row, 128 bytes.

The limit is a thick line between two rows; what lies below it is outside. A letter stands for what
the verifier knows of a slot, and each slot's tooltip says the same in words. Where a reader strips
the style sheet, a table with letters and the word "outside" is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from markupsafe import Markup

from labkit.plots.style import BAD, GOOD, LIMIT, SLOT_LOOKS
from labkit.show.style import badge, join, page, table, tag
from labkit.stack.snapshot import MEANINGS, SLOT, Access, Slot, Snapshot, outside, snapshot_of

if TYPE_CHECKING:
    from labkit.stack.variables import StackVariables
    from labkit.verifier_log import VerifierLog

ROW = 16 * SLOT  # bytes in a row
_MOST_ROWS_OUTSIDE = 16  # 2 KiB; an access further out is told in words alone
_SHOWN_BEFORE, _SHOWN_AFTER = 4, 3  # steps around the one in question

CSS = """
.lab-stack { border-collapse: separate; border-spacing: 1px; }
.lab .lab-stack td { width: 26px; height: 20px; padding: 0; text-align: center; color: #111;
  font: 12px var(--jp-code-font-family, monospace); border: 1px solid #888; }
.lab .lab-stack td.lab-where { width: auto; border: 0; color: inherit; font: inherit; }
.lab .lab-stack th { padding: 0 8px; text-align: right; font-weight: 400; white-space: nowrap; }
.lab .lab-stack td.lab-out { background: none; border-style: dashed;
  color: var(--jp-content-font-color2, #666); }
.lab .lab-stack td.lab-hit, .lab .lab-stack td.lab-use { outline-offset: -2px; }
.lab .lab-stack td.lab-hit { font-weight: 700; }
.lab mark.lab-here { background: var(--jp-layout-color3, #ddd); }
"""
CSS += f"""
.lab .lab-stack tr.lab-limit > * {{ border-top: 4px double {LIMIT}; padding-top: 2px; }}
.lab .lab-stack td.lab-hit {{ outline: 3px solid {BAD}; }}
.lab .lab-stack td.lab-use {{ outline: 3px solid {GOOD}; }}
""" + "\n".join(
    f".lab .lab-stack td.lab-is-{number} {{ background: {look.colour}; }}"
    for number, look in enumerate(SLOT_LOOKS.values())
)
_CLASS = {letter: f"lab-is-{number}" for number, letter in enumerate(SLOT_LOOKS)}


def step_html(
    log: VerifierLog,
    step: int | None = None,
    variables: StackVariables | None = None,
    limit: int | None = None,
) -> str:
    """Return one step as HTML: what it does, the C line, the instructions around it, the stack.

    ``step`` counts the verifier's walk from 0; None stands for the step that was refused. The
    other two are as in snapshot_of().
    """
    snapshot = snapshot_of(log, step, variables, limit)
    if snapshot is None:
        return page(tag("p", badge("none", "this log shows no instruction"), data_testid="step"))
    return page(
        tag("style", Markup(CSS)),
        tag("p", _headline(snapshot)),
        _facts(snapshot, len(log.instructions), variables),
        tag("pre", *_around(log, snapshot), class_="lab-log", data_testid="around"),
        stack_table(snapshot),
        tag("p", tag("small", _legend(snapshot))),
    )


def step_text(snapshot: Snapshot | None) -> str:
    """Return one step as a line of text."""
    if snapshot is None:
        return "this log shows no instruction"
    one = snapshot.step.instruction
    words = f"instruction {one.index}: {one.disassembly}"
    if snapshot.access is not None:
        words += f"; it {snapshot.access.words}"
    if snapshot.fatal:
        words += f". The verifier refused: {snapshot.fatal}"
    return words


def _headline(snapshot: Snapshot) -> Markup:
    kind = "bad" if snapshot.fatal else "none"
    facts = {
        "data_testid": "step",
        "data_step": snapshot.step.number,
        "data_insn": snapshot.step.instruction.index,
    }
    return badge(kind, step_text(snapshot), **facts)


def _facts(snapshot: Snapshot, steps: int, variables: StackVariables | None) -> Markup:
    rows: list[tuple[str, object]] = [
        ("step", f"{snapshot.step.number:,}, where the last is {steps - 1:,}")
    ]
    source = snapshot.step.source
    if source is not None and source.text:
        place = f"{source.file}:{source.line}" if source.file else "(this kernel tells no line)"
        rows.append((place, tag("code", source.text, data_testid="source")))
    if snapshot.depth:
        rows.append(("in", f"a function {snapshot.depth} calls deep, with a frame of its own"))
    if snapshot.fatal and snapshot.access and snapshot.access.outside and snapshot.name:
        size = f", {snapshot.variable.bytes} bytes" if snapshot.variable else ""
        words = join(["move ", tag("code", snapshot.name), f"{size}, off the stack"])
        rows.append(("what to do", tag("b", words, data_testid="move")))
        past = outside(variables, snapshot.limit)
        others = ", ".join(f"{one.name} ({one.bytes} bytes)" for one in past)
        rows += [("also outside, all of it", others)] if others else []
    return table([], rows, "this step")


def _around(log: VerifierLog, snapshot: Snapshot) -> Iterator[Markup]:
    number = snapshot.step.number
    first = max(0, number - _SHOWN_BEFORE)
    for step in log.instructions[first : number + _SHOWN_AFTER + 1]:
        words = f"{step.instruction.index:>5}: {step.instruction.disassembly}"
        if step.number == number:
            refused = None if snapshot.fatal else "lab-here"  # red is for the refused step alone
            yield join([tag("mark", f"▶ {words}", class_=refused), "\n"])
        else:
            yield join(["  ", words, "\n"])


def stack_table(snapshot: Snapshot) -> Markup:
    """Return the stack as a table: the frame pointer on top, 128 bytes per row."""
    limit = -snapshot.lowest if snapshot.limit is None else snapshot.limit
    lowest = max(snapshot.lowest, -limit - ROW * _MOST_ROWS_OUTSIDE)
    one_outside = 0 if snapshot.limit is None else SLOT  # a row, to show the limit
    rows = [
        tag("tr", *_row(snapshot, end, limit), class_="lab-limit" if end == -limit else None)
        for end in range(0, min(lowest, -limit - one_outside), -ROW)
    ]
    words = tag("caption", "the stack at this step, 128 bytes per row")
    drawn = tag("table", words, tag("tbody", *rows), class_="lab-stack", data_testid="stack")
    return tag("div", drawn, class_="lab-scroll", tabindex=0, role="group", aria_label="the stack")


def _row(snapshot: Snapshot, end: int, limit: int) -> Iterator[Markup]:
    """Yield a row's cells: the slot just below ``end`` first, as the log writes them."""
    outside = end <= -limit
    yield tag("th", f"fp{end}" if end else "fp (r10)", scope="row")
    for offset in range(end - SLOT, end - ROW - 1, -SLOT):
        yield _cell(snapshot, offset, outside=outside)
    yield tag("td", "outside" if outside else "", class_="lab-where")


def _cell(snapshot: Snapshot, offset: int, *, outside: bool) -> Markup:
    slot = snapshot.slots.get(offset, Slot(offset, "?" * SLOT))
    hit = snapshot.access is not None and _touches(snapshot.access, offset)
    kind = "lab-out" if outside else _CLASS.get(slot.letter, _CLASS["?"])
    words = f"fp{offset}: outside the stack" if outside else slot.words
    letter = "" if outside or slot.letter == "?" else slot.letter
    facts = {}
    if hit:
        kind += " lab-hit" if snapshot.fatal else " lab-use"
        letter = "✘" if snapshot.fatal else letter
        facts = {"data_testid": "touched", "data_offset": offset}
    return tag("td", letter, class_=kind, title=words, **facts)


def _touches(access: Access, offset: int) -> bool:
    return access.offset < offset + SLOT and offset < access.offset + access.bytes


def _legend(snapshot: Snapshot) -> str:
    """Return what the letters in this picture mean."""
    letters = dict.fromkeys(letter for slot in snapshot.slots.values() for letter in slot.letters)
    known = [f"{letter} {MEANINGS[letter]}" for letter in letters if letter in MEANINGS]
    words = ["each box is 8 bytes; empty: unwritten", *(one for one in known if one[0] != "?")]
    if snapshot.limit is None:
        return "; ".join([*words, "how much stack there is, is not known here"])
    return "; ".join([*words, f"below the double line: past the {snapshot.limit} bytes of stack"])
