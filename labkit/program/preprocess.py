"""What the preprocessor leaves of a C text: ``#if`` and its kin resolved, and nothing else done.

A whole preprocessor (such as the package pcpp) also expands macros and takes includes in, which
would show the reader another text than the file's.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from labkit.program.variants import Variant

LINE_END = re.compile(r"\r\n|[\r\n]")  # as C has it: no form feed, NEL or U+2028
_DIRECTIVE = re.compile(r"\s*#\s*(define|undef|ifdef|ifndef|if|elif|else|endif)\b(.*)")
_COMMENT = re.compile(r"/\*.*?(?:\*/|$)|//.*")
_DEFINED = re.compile(r"\bdefined\s*(?:\(\s*([A-Za-z_]\w*)\s*\)|([A-Za-z_]\w*))")
_CONDITION = re.compile(r"(?:\b(?:True|False|0|1)\b|&&|\|\||[!()\s])+")
_AS_PYTHON = {"&&": " and ", "||": " or ", "!": " not ", "0": "False", "1": "True"}


class Unresolved(ValueError):
    """A condition, or a nesting of them, that cannot be told without a whole preprocessor."""


class Numbered(NamedTuple):
    """A line of a file and its number there, from 1."""

    number: int
    text: str


def lines_of(variant: Variant) -> list[Numbered]:
    """Return the lines that the compiler sees of a variant's own file; all, where it's not told."""
    text = variant.text
    try:
        return left_by_preprocessor(text, {w.partition("=")[0]: True for w in variant.defines})
    except Unresolved:
        return _numbered(text)


def left_by_preprocessor(text: str, defines: Mapping[str, bool]) -> list[Numbered]:
    """Return the lines that remain when ``#if`` and its kin are resolved for ``defines``.

    A name that is neither there nor defined by the text counts as not defined. Raises Unresolved
    where a condition is more than ``defined``, ``!``, ``&&``, ``||``, 0, 1 and parentheses, or has
    no name, no beginning or no end.
    """
    defined = dict(defines)
    kept, arms = [], [_Arm(taken=True, live=True)]
    for line in _numbered(text):
        directive = _DIRECTIVE.match(line.text)
        word = directive[1] if directive else ""
        if directive and word not in ("define", "undef"):
            _step(arms, word, _COMMENT.sub(" ", directive[2]).strip(), defined)
        elif arms[-1].live:
            kept.append(line)
            if directive and (name := re.match(r"\s*(\w+)", directive[2])):
                defined[name[1]] = word == "define"
    if len(arms) > 1:
        raise Unresolved("an #if has no #endif")
    return kept


def compiled_text(text: str, defines: Iterable[str]) -> str:
    """Return the text with the lines of arms not taken blank, so that line numbers stay.

    ``defines`` are the compiler's: ``NAME`` or ``NAME=value``. Where a condition cannot be told,
    all arms are there.
    """
    try:
        kept = dict(left_by_preprocessor(text, {word.partition("=")[0]: True for word in defines}))
    except Unresolved:
        return text
    return "\n".join(kept.get(number, "") for number, _line in _numbered(text))


def _numbered(text: str) -> list[Numbered]:
    lines = LINE_END.split(text)
    return [Numbered(n, line) for n, line in enumerate(lines if lines[-1] else lines[:-1], 1)]


@dataclass
class _Arm:
    """One nesting level: whether an arm was taken already, and whether this one is live."""

    taken: bool
    live: bool


def _step(arms: list[_Arm], word: str, rest: str, defined: Mapping[str, bool]) -> None:
    if word in ("endif", "elif", "else") and len(arms) < 2:
        raise Unresolved(f"#{word} has no #if")
    if word == "endif":
        arms.pop()
    elif word in ("elif", "else"):
        arm, parent = arms[-1], arms[-2]
        wanted = parent.live and not arm.taken
        arm.live = wanted and (word == "else" or _holds(rest, defined))
        arm.taken = arm.taken or arm.live
    else:
        condition = rest if word == "if" else f"defined({rest})"
        live = arms[-1].live and _holds(condition, defined) is not (word == "ifndef")
        arms.append(_Arm(taken=live, live=live))


def _holds(condition: str, defined: Mapping[str, bool]) -> bool:
    words = _DEFINED.sub(lambda found: str(bool(defined.get(found[1] or found[2]))), condition)
    if not _CONDITION.fullmatch(words):
        raise Unresolved(f"cannot resolve the condition {condition!r}")
    words = re.sub(r"&&|\|\||!|\b[01]\b", lambda found: _AS_PYTHON[found[0]], words)
    try:
        return _value(ast.parse(words.strip(), mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError):
        raise Unresolved(f"cannot resolve the condition {condition!r}") from None


def _value(node: ast.expr) -> bool:
    """Return the value of an expression of True, False, not, and, or; there is nothing else."""
    if isinstance(node, ast.BoolOp):
        values = [_value(one) for one in node.values]
        return all(values) if isinstance(node.op, ast.And) else any(values)
    if isinstance(node, ast.UnaryOp):
        return not _value(node.operand)
    if isinstance(node, ast.Constant):
        return bool(node.value)
    raise SyntaxError
