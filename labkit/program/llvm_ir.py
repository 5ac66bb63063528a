"""Which variables LLVM keeps on the stack: read out of its intermediate text. Pure and total.

That text is what LLVM optimises before it makes BPF instructions, with the debug information that
would become DWARF. It exists even for a program whose frame LLVM then refuses. Wordings of LLVM 14
to 19: debug calls (``call void @llvm.dbg.declare``) up to 18, then records (``#dbg_declare``).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

__all__ = ["Local", "locals_on_stack", "structs_in"]


@dataclass(frozen=True, slots=True)
class Local:
    """One variable on the stack.

    :param name: as in the C source.
    :param type: such as ``struct big_event``; an array is ``char[]``, ``""`` has no name.
    :param bytes: its size.
    :param offset: bytes from the frame pointer, negative; None where LLVM has yet to choose.
    :param line: where it is declared, in the file ``file``.
    """

    name: str
    type: str
    bytes: int
    offset: int | None
    line: int | None
    file: str = ""


_MODULE = re.compile(r"^; ModuleID.*$", re.M)
_FUNCTION = re.compile(r"^define .*?^}", re.M | re.S)
_NODE = re.compile(r"^(!\d+) = (?:distinct )?!(DI\w+)\((.*)\)\s*$", re.M)
_LIST = re.compile(r"^(!\d+) = !\{(.*)\}\s*$", re.M)
_FIELD = re.compile(r'(\w+): (?:"((?:[^"\\]|\\.)*)"|([^\s,()]+))')
_ALLOCA = re.compile(r"^\s*(%[\w.$-]+) = alloca (.*?), align", re.M)
_LOST = re.compile(r"dbg[._]declare\([^\n]*?(?:undef|poison), (?:metadata )?(!\d+)")
# An address that the source took from the frame pointer by hand: %12 = call i8* asm "$0 = r10...
_CARVED = re.compile(r'^\s*(%[\w.$-]+) = .*asm [^"]*"\$0 = r10; \$0 \+= \$1".*\(i32 (-\d+)\)', re.M)
_NAMED = re.compile(
    r"(?:dbg[._](?:declare|value))\([^\n]*?(?P<value>%[\w.$-]+), (?:metadata )?(?P<var>!\d+)"
    r"|dbg[._]assign\(.*?, (?:metadata )?(?P<var_assign>!\d+), .*?(?:ptr|\*) (?P<at>%[\w.$-]+),"
)
_CAST = re.compile(r"^\s*(%[\w.$-]+) = bitcast \S+ (%[\w.$-]+) to ", re.M)  # before LLVM 15
# What DWARF calls a number, and its bits: the type codes of ctypes, as bcc gives them.
_CODES = {
    ("DW_ATE_signed_char", "8"): "c",
    ("DW_ATE_unsigned_char", "8"): "B",
    ("DW_ATE_signed", "16"): "h",
    ("DW_ATE_unsigned", "16"): "H",
    ("DW_ATE_signed", "32"): "i",
    ("DW_ATE_unsigned", "32"): "I",
    ("DW_ATE_signed", "64"): "l",
    ("DW_ATE_unsigned", "64"): "L",
}
_SAME_TYPE = {"DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type"}
_TAGS = {"DW_TAG_structure_type": "struct ", "DW_TAG_union_type": "union "}


def locals_on_stack(text: str) -> tuple[Local, ...]:
    """Return what the last module in the text keeps on the stack, in the order of the program.

    Objects that LLVM keeps have no place yet. Those that the source carved out of the frame pointer
    have one; one that is no struct reaches up to the one above it. Nothing is raised, whatever the
    text.
    """
    module = _MODULE.split(text)[-1]
    nodes = {m[1]: (m[2], _fields(m[3])) for m in _NODE.finditer(module)}
    found: list[Local] = []
    for function in _FUNCTION.finditer(module):
        found += _in_function(function[0], nodes)
    return tuple(found)


def structs_in(text: str) -> dict[str, dict[str, Any]]:
    """Return the layout of each struct that the text's debug information tells, by its name.

    A struct is as labkit.layout() has it; the ``code`` of what is no number or array is None.
    """
    found: dict[str, dict[str, Any]] = {}
    for module in _MODULE.split(text):
        found.update(_structs_of(module))
    return found


def _structs_of(module: str) -> dict[str, dict[str, Any]]:
    nodes = {m[1]: (m[2], _fields(m[3])) for m in _NODE.finditer(module)}
    lists = {m[1]: re.findall(r"!\d+", m[2]) for m in _LIST.finditer(module)}
    found = {}
    for kind, fields in nodes.values():
        name, size = fields.get("name", ""), fields.get("size", "")
        of_struct = kind == "DICompositeType" and fields.get("tag") == "DW_TAG_structure_type"
        if of_struct and name and size.isdigit():
            members = [nodes.get(one, ("", {}))[1] for one in lists.get(fields.get("elements"), [])]
            inside = [_member(member, nodes) for member in members]
            found[name] = {"name": name, "size": int(size) // 8, "fields": inside}
    return found


def _member(member: dict[str, str], nodes: Nodes) -> dict[str, Any]:
    kind, offset = member.get("baseType", ""), member.get("offset", "0")
    size = _type(kind, nodes)[1]
    code, array = _code(kind, nodes)
    return {
        "name": member.get("name", ""),
        "offset": int(offset) // 8 if offset.isdigit() else 0,  # left out where it is 0
        "size": size,
        "code": code,
        "count": size // struct.calcsize(code) if array and code else None,
    }


def _code(node: str, nodes: Nodes, array: bool = False, depth: int = 0) -> tuple[str | None, bool]:
    """Return the type code of a number, or of an array's elements, and whether it is an array."""
    kind, fields = nodes.get(node, ("", {}))
    if kind == "DIBasicType":
        return _CODES.get((fields.get("encoding", ""), fields.get("size", ""))), array
    array = array or fields.get("tag") == "DW_TAG_array_type"
    alike = kind == "DICompositeType" or fields.get("tag") in _SAME_TYPE
    if alike and depth < 32:
        return _code(fields.get("baseType", ""), nodes, array, depth + 1)
    return None, array


Nodes = dict[str, tuple[str, dict[str, str]]]


def _fields(text: str) -> dict[str, str]:
    return {m[1]: m[2] if m[2] is not None else m[3] for m in _FIELD.finditer(text)}


def _in_function(body: str, nodes: Nodes) -> Iterator[Local]:
    names = _names(body, nodes)
    lost = [nodes[node][1] for node in _LOST.findall(body) if node in nodes]
    for match in _ALLOCA.finditer(body):
        for variable in names.get(match[1]) or _of_size(match[2], lost, nodes):
            kind, size = _type(variable.get("type", ""), nodes)
            yield _local(variable, nodes, kind, size, None)
            break
    carved = [(int(m[2]), names.get(m[1], [])) for m in _CARVED.finditer(body)]
    tops = sorted({0, *(offset for offset, _ in carved)})
    for offset, variables in carved:
        # The first may be the macro's own void pointer; what it is for comes after.
        told = [v for v in variables if _pointee(v, nodes)[0]] or variables
        for variable in told[:1]:
            above = next(top for top in tops if top > offset or top == 0)
            kind, size = _pointee(variable, nodes)
            size = size if kind.startswith("struct ") else above - offset
            yield _local(variable, nodes, kind, size, offset)


def _of_size(kind: str, lost: list[dict[str, str]], nodes: Nodes) -> Iterator[dict[str, str]]:
    """Take the variable, of those whose place LLVM forgot, that an array of that type must be."""
    array = re.fullmatch(r"((?:\[\d+ x )+)i(\d+)\]+", kind)
    if array:
        size = prod(map(int, re.findall(r"\d+", array[1]))) * int(array[2]) // 8
        for variable in [one for one in lost if _type(one.get("type", ""), nodes)[1] == size]:
            lost.remove(variable)
            yield variable


def _names(body: str, nodes: Nodes) -> dict[str, list[dict[str, str]]]:
    """Return the variables that hold, or lie at, each value of a function, as they come."""
    found: dict[str, list[dict[str, str]]] = {}
    same = {m[1]: m[2] for m in _CAST.finditer(body)}
    for match in _NAMED.finditer(body):
        kind, fields = nodes.get(match["var"] or match["var_assign"], ("", {}))
        if kind == "DILocalVariable":
            value = match["value"] or match["at"]
            found.setdefault(same.get(value, value), []).append(fields)
    return found


def _local(
    variable: dict[str, str], nodes: Nodes, kind: str, size: int, offset: int | None
) -> Local:
    line = variable.get("line", "")
    file = nodes.get(variable.get("file", ""), ("", {}))[1].get("filename", "")
    return Local(
        variable.get("name", ""), kind, size, offset, int(line) if line.isdigit() else None, file
    )


def _pointee(variable: dict[str, str], nodes: Nodes) -> tuple[str, int]:
    fields = nodes.get(variable.get("type", ""), ("", {}))[1]
    if fields.get("tag") != "DW_TAG_pointer_type":
        return "", 0
    return _type(fields.get("baseType", ""), nodes)


def _type(node: str, nodes: Nodes, depth: int = 0) -> tuple[str, int]:
    """Return a type's name and its bytes, through typedefs and qualifiers; 0 if unknown."""
    fields = nodes.get(node, ("", {}))[1]
    base = fields.get("baseType", "")
    inner = _type(base, nodes, depth + 1) if base in nodes and depth < 32 else ("", 0)
    bits = fields.get("size", "")
    size = int(bits) // 8 if bits.isdigit() else inner[1]
    if fields.get("tag") == "DW_TAG_array_type":
        return f"{inner[0]}[]", size
    name = fields.get("name") or inner[0]
    return _TAGS.get(fields.get("tag", ""), "") + name if name else "", size
