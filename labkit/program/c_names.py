"""Names of variables out of single lines of C, without a parser. Good guesses, never an error."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

__all__ = ["argument", "indexed", "locals_in", "names_in", "root"]

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

    The size is known for arrays and structs of plain types with numbers between the brackets, or
    names that ``#define`` gives a number. What stands in structs and outside functions is left out.
    """
    plain = _DEFINED.sub("", source)
    for name, number in _DEFINED.findall(source):
        plain = re.sub(rf"\b{name}\b", number, plain)
    plain = _LITERAL.sub(" ", plain)
    structs: dict[str, tuple[int, int]] = {}
    for name, body in _STRUCT.findall(plain):
        layout = _laid_out(body, structs)
        structs.update({f"struct {name}": layout} if layout else {})
    found: dict[str, tuple[str, int | None]] = {}
    for body in _bodies(plain):
        for match in _DECLARED.finditer(body):
            if "*" in match["star"] or match["type"] in ("return", "goto", "else", "case"):
                continue
            if match["array"] or match["type"].startswith(("struct", "union")):
                each = _layout_of(match["type"], match["array"], structs)
                found.setdefault(match["name"], (match["type"], each[0] if each else None))
    return found


_DEFINED = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+\(?(\d{1,9})\)?[ \t]*$", re.M)
_STRUCT = re.compile(r"\bstruct\s+(\w+)\s*\{([^{}]*)\}")
_MEMBER = re.compile(rf"\s*{_TYPE}(?P<star>[\s*]+)(?P<name>\w+)\s*(?P<array>(?:\[[^\]]*\]\s*)*)$")


def _laid_out(body: str, structs: dict[str, tuple[int, int]]) -> tuple[int, int] | None:
    """Return size and alignment of a struct's members in bytes, or None if one is not known."""
    size, widest = 0, 1
    for member in filter(str.strip, body.split(";")):
        match = _MEMBER.match(member)
        stars = match is not None and "*" in match["star"]
        each = match and _layout_of("u64" if stars else match["type"], match["array"], structs)
        if not each:
            return None
        size, widest = -(-size // each[1]) * each[1] + each[0], max(widest, each[1])
    return -(-size // widest) * widest, widest


def _layout_of(
    name: str, array: str, structs: dict[str, tuple[int, int]]
) -> tuple[int, int] | None:
    one = _bytes_of(name.removeprefix("__"))
    layout = (one, one) if one else structs.get(" ".join(name.split()))
    counts = re.findall(r"\[\s*(\d{1,9})\s*\]", array)
    if layout is None or len(counts) != array.count("["):
        return None
    return math.prod(map(int, counts)) * layout[0], layout[1]


def _bytes_of(name: str) -> int | None:
    plain = re.fullmatch(r"[us](8|16|32|64)|u?int(8|16|32|64)_t", name)
    if plain:
        return int(plain[1] or plain[2]) // 8
    return _BYTES.get(name)


# bcc writes map.update(&key, &value) for bpf_map_update_elem(map, &key, &value, 0). Helper to the
# methods that bcc turns into it, and for R1, R2, ... which argument of the method it is.
_METHODS = {
    "bpf_map_lookup_elem": (r"lookup\w*", ".1"),
    "bpf_map_update_elem": (r"(?:update|insert|\w*increment|lookup_or_\w+)", ".12"),
    "bpf_map_delete_elem": (r"delete", ".1"),
    "bpf_map_push_elem": (r"push", ".12"),
    "bpf_ringbuf_output": (r"ringbuf_output", ".123"),
    "bpf_ringbuf_submit": (r"ringbuf_submit", "12"),
    "bpf_ringbuf_discard": (r"ringbuf_discard", "12"),
    "bpf_perf_event_output": (r"perf_submit\w*", "1..23"),
}


def argument(line: str, helper: str, number: int) -> str:
    """Return what a line of C hands to a helper as argument ``number``, counted from 1; or ``""``.

    The call may be cut off at the end of the line, written as bcc's method of a map, or be one of
    libbpf's macros around the helper.
    """
    plain = _LITERAL.sub(" ", line)
    macro = r"|bpf_(?:core_read|probe_read)\w*" if helper.startswith("bpf_probe_read") else ""
    call, place = re.search(rf"\b(?:{re.escape(helper)}{macro})\s*\(", plain), str(number)
    if call is None and helper in _METHODS:
        method, order = _METHODS[helper]
        call, place = re.search(rf"\.\s*{method}\s*\(", plain), order[number - 1 : number]
    given = _split(plain[call.end() :]) if call else []
    return given[int(place) - 1].strip() if place.isdigit() and int(place) <= len(given) else ""


def _split(text: str) -> list[str]:
    """Split at the commas of the outermost call, up to its end."""
    parts, depth = [""], 0
    for letter in text:
        if letter in ")]}":
            depth -= 1
        if depth < 0:
            break
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
        depth += letter in "([{"
    return parts


_CAST = re.compile(r"\(\s*(?:const\s+)?(?:struct\s+|union\s+|enum\s+)?\w+[\s*]*\*\s*\)")
_CHAIN = re.compile(r"[A-Za-z_]\w*(?:\s*(?:->|\.)\s*[A-Za-z_]\w*)*")


def root(expression: str) -> str:
    """Return the variable that an expression is about: ``e`` of ``&e->comm``; ``""`` if none."""
    found = names_in(_CAST.sub("", expression))
    return found[0] if found else ""


def indexed(line: str) -> tuple[str, str]:
    """Return the array and the index of the last access in a line whose index is no constant.

    ``data->buf[(data->off) & (MAX - 1)] = 1`` gives ``("data->buf", "data->off")``, and a sum is
    one index: ``buf[off + i]`` gives ``("buf", "off + i")``. Two empty texts where there is none.
    """
    plain = _LITERAL.sub(" ", line)
    found, declared = ("", ""), _DECLARED.match(plain)
    for match in re.finditer(r"\[([^\[\]]*)\]|\*\s*\(\s*([\w>.-]+)\s*\+\s*([^()]*)\)", plain):
        inside = match[1] if match[1] is not None else match[3]
        names = [name for name in _CHAIN.findall(inside) if not _is_word(name.strip())]
        before = re.search(r"[A-Za-z_][\w\s>.-]*$", plain[: match.start()])
        array = match[2] or (before[0] if before else "")
        if names and array and not (declared and match.start() < declared.end()):
            is_sum = "+" in inside and not re.search(r"[&|%<?]", inside)
            index = " ".join(inside.split()) if is_sum else re.sub(r"\s", "", names[0])
            found = (re.sub(r"\s", "", array), index)
    return found


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
