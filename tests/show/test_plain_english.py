"""What people read says "per" where "per" is meant: events per second, not "an event a second"."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import labkit

LABKIT = Path(labkit.__file__).parent
AN_FOR_PER = re.compile(
    r"(?:\b(?:ns|µs|MB|bytes|events|execs|rows?|lines?|lanes?|strokes?|pictures?|one)|\}) an? "
    r"(?:second|event|run|CPU|possible CPU|row|round|gate|instruction|million)\b"
)


def texts(path: Path) -> Iterator[str]:
    """Yield the text constants of a module; of an f-string, with {} for what is put in."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_a_fault_would_be_found() -> None:
    for text in ("ns an event", "12 events a second", "{} a second", "one row a possible CPU"):
        assert AN_FOR_PER.search(text)
    assert not AN_FOR_PER.search("an event of a second program, one event per CPU")


def test_per_is_said_where_it_is_meant() -> None:
    found = {
        (path.relative_to(LABKIT).as_posix(), match[0])
        for path in sorted(LABKIT.rglob("*.py"))
        for text in texts(path)
        for match in AN_FOR_PER.finditer(text)
    }
    assert not found
