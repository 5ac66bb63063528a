"""Names of variables out of single lines of C, without a parser. Good guesses, never an error."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["locals_in", "names_in"]

_WORDS = frozenset(
    """auto break case char const continue default do double else enum extern float for goto if
    inline int long register return short signed sizeof static struct switch typedef union unsigned
    void volatile while bool s8 s16 s32 s64 u8 u16 u32 u64 asm NULL true false""".split()  # noqa: SIM905
)
_LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"?|\'(?:[^\'\\\n]|\\.)*\'?|/\*.*?\*/|//[^\n]*', re.DOTALL)
_TYPE = (
    r"(?:(?:const|volatile|static|unsigned|signed|long|short)\s+)*"
    r"(?P<type>(?:(?:struct|union|enum)\s+)?[A-Za-z_]\w*)"
)
_DECLARED = re.compile(
    rf"(?:^|(?<=[;{{}}]))\s*{_TYPE}(?P<star>\s*\*+\s*|\s+)(?P<name>[A-Za-z_]\w*)\s*"
    r"(?P<array>(?:\[[^\]]*\]\s*)*)(?=[=;,]|$)",
    re.MULTILINE,
)
_ASSIGNED = re.compile(
    r"[(*\s]*(?:\([^()]*\)\s*)?\(*([A-Za-z_]\w*)(?:\s*(?:->|\.)\s*\w+|\[[^\]]*\]|\))*"
    r"\s*(?:(?:[-+*/|&^%]|<<|>>)?=(?!=)|\+\+|--)"
)
_NAME = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)(?!\w|\s*\()")
_BYTES = {"char": 1, "bool": 1, "short": 2, "int": 4, "long": 8, "float": 4, "double": 8}


def _plain(line: str) -> str:
    return re.sub(r"\bsizeof\s*\([^)]*\)", "0", _LITERAL.sub(" ", line))


def names_in(line: str) -> tuple[str, ...]:
    """Return the variables that a line of C deals with, the one it writes first.

    ``struct big_event event = {}`` gives ``event``; ``bpf_get_current_comm(&e->comm, 16)`` gives
    ``e``. Function names, types, members and macros in capitals are left out.
    """
    plain = _plain(line)
    found: list[str] = []
    declared, assigned = _DECLARED.match(plain), _ASSIGNED.match(plain)
    if declared and declared["type"].split()[0] not in ("return", "goto", "else", "case"):
        found.append(declared["name"])
    elif assigned:
        found.append(assigned[1])
    types = set(re.findall(r"\b(?:struct|union|enum)\s+(\w+)", plain))
    if declared:
        types.update(declared["type"].split())
    found.extend(name for name in _NAME.findall(plain) if name not in types)
    return tuple(name for name in dict.fromkeys(found) if not _is_word(name))


def _is_word(name: str) -> bool:
    return name in _WORDS or name.isupper() or name.endswith("_t") or name.startswith("__")


def locals_in(source: str) -> dict[str, tuple[str, int | None]]:
    """Return arrays and structs that functions declare: name to (type, bytes or None).

    The size is known for arrays of plain types with a number between the brackets, and for the
    structs it is not. What stands in structs and outside functions is left out.
    """
    found: dict[str, tuple[str, int | None]] = {}
    for body in _bodies(_LITERAL.sub(" ", source)):
        for match in _DECLARED.finditer(body):
            if "*" in match["star"] or match["type"] in ("return", "goto", "else", "case"):
                continue
            if match["array"] or match["type"].startswith(("struct", "union")):
                found.setdefault(match["name"], (match["type"], _size(match)))
    return found


def _size(match: re.Match[str]) -> int | None:
    numbers = re.findall(r"\[\s*(\d{1,9})\s*\]", match["array"])
    each = _bytes_of(match["type"].removeprefix("__"))
    if each is None or not numbers or len(numbers) != match["array"].count("["):
        return None
    total = each
    for number in numbers:
        total *= int(number)
    return total


def _bytes_of(name: str) -> int | None:
    plain = re.fullmatch(r"[us](8|16|32|64)|u?int(8|16|32|64)_t", name)
    if plain:
        return int(plain[1] or plain[2]) // 8
    return _BYTES.get(name)


def _bodies(source: str) -> Iterator[str]:
    """Yield the bodies of functions: what outermost braces hold that follow a ``)``."""
    depth = start = 0
    function = False
    for match in re.finditer(r"[{}]", source):
        if match[0] == "{":
            if depth == 0:
                start = match.end()
                function = source[: match.start()].rstrip().endswith(")")
            depth += 1
        elif depth > 0:
            depth -= 1
            if depth == 0 and function:
                yield source[start : match.start()]
