"""bcc's dialect of C and libbpf's: what to write in a cell instead of a line made for libbpf.

    instead_of('SEC("kprobe/vfs_read")')   # line 1: `SEC("kprobe/vfs_read")`: write `int kprobe...`

Only single lines and map definitions are read; it is advice, and the compiler has the last word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

PAGE = 4096  # bytes; only for advice on the size of a ring buffer


class Instead(NamedTuple):
    """What stands in a line, counted from 1, and what bcc takes for it."""

    line: int
    found: str
    write: str

    def __str__(self) -> str:
        return f"line {self.line}: instead of `{self.found}` {self.write}"


_HEADER = re.compile(r'#\s*include\s*[<"](vmlinux\.h|bpf/bpf_\w+\.h|bpf_\w+\.h)[>"]')
_MAP = re.compile(r'struct\s*(?:\w+\s*)?\{([^{}]*)\}\s*(\w+)\s+SEC\s*\(\s*"\.?maps"\s*\)\s*;')
_OLD_MAP = re.compile(r'struct\s+bpf_map_def\s+SEC\s*\(\s*"maps"\s*\)\s*(\w+)')
_ATTRIBUTE = re.compile(r"__(?:uint|type)\s*\(\s*(\w+)\s*,\s*([^;]*?)\s*\)\s*;")
_SECTION = re.compile(r'SEC\s*\(\s*"([^"\n]*)"\s*\)')
_FUNCTION = re.compile(r"\s*(?:static\s+)?(?:int|long)\s+(?:BPF_\w+\s*\(\s*)?(\w+)")
_CALL = re.compile(
    r"\bbpf_(map_\w+_elem|ringbuf_\w+|perf_event_output)\s*\(\s*(?:ctx\s*,\s*)?&(\w+)"
)

# Section of libbpf to the macro of bcc. ``{0}`` and ``{1}`` are what stands after the slash.
_MACROS = (
    (r"(?:tracepoint|tp)/(\w+)/(\w+)", "TRACEPOINT_PROBE({0}, {1})"),
    (r"(?:raw_tracepoint|raw_tp|tp_btf)(?:\.w)?/(\w+)", "RAW_TRACEPOINT_PROBE({0})"),
    (r"(kprobe|kretprobe)/(\w+)", "int {0}__{1}(struct pt_regs *ctx)"),
    (r"fentry(?:\.s)?/(\w+)", "KFUNC_PROBE({0}, ...)"),
    (r"fexit(?:\.s)?/(\w+)", "KRETFUNC_PROBE({0}, ...)"),
    (r"lsm(?:\.s)?/(\w+)", "LSM_PROBE({0}, ...)"),
)
_MAPS = {
    "HASH": "BPF_HASH({name}, {key}, {value}, {entries})",
    "ARRAY": "BPF_ARRAY({name}, {value}, {entries})",
    "PERCPU_ARRAY": "BPF_PERCPU_ARRAY({name}, {value}, {entries})",
    "PERCPU_HASH": "BPF_PERCPU_HASH({name}, {key}, {value}, {entries})",
    "PERF_EVENT_ARRAY": "BPF_PERF_OUTPUT({name})",
    "RINGBUF": "BPF_RINGBUF_OUTPUT({name}, {pages})",
    "STACK_TRACE": "BPF_STACK_TRACE({name}, {entries})",
    "PROG_ARRAY": "BPF_PROG_ARRAY({name}, {entries})",
}
_METHODS = {
    "map_lookup_elem": "{0}.lookup(&key)",
    "map_update_elem": "{0}.update(&key, &value)",
    "map_delete_elem": "{0}.delete(&key)",
    "ringbuf_output": "{0}.ringbuf_output(data, size, 0)",
    "ringbuf_reserve": "{0}.ringbuf_reserve(size)",
    "perf_event_output": "{0}.perf_submit(ctx, data, size)",
}


def instead_of(source: str) -> tuple[Instead, ...]:
    """Return what in a source is libbpf's way of writing, in the order of the source."""
    found = [*_headers(source), *_map_definitions(source), *_sections(source), *_calls(source)]
    return tuple(sorted(found))


def _line(source: str, place: int) -> int:
    return source.count("\n", 0, place) + 1


def _headers(source: str) -> Iterator[Instead]:
    for match in _HEADER.finditer(source):
        yield Instead(_line(source, match.start()), match[0], "write nothing: bcc has it built in")


def _map_definitions(source: str) -> Iterator[Instead]:
    for match in _MAP.finditer(source):
        told = dict(_ATTRIBUTE.findall(match[1]))
        found = f'struct {{ … }} {match[2]} SEC(".maps")'
        yield Instead(_line(source, match.start()), found, f"write `{_map(match[2], told)}`")
    for match in _OLD_MAP.finditer(source):
        words = f"write `BPF_HASH({match[1]}, KEY, VALUE)` or `BPF_ARRAY({match[1]}, VALUE, 1)`"
        yield Instead(_line(source, match.start()), match[0], words)


def _map(name: str, told: dict[str, str]) -> str:
    """Return bcc's definition of a map. A value that is an array needs a struct around it."""
    kind = told.get("type", "").removeprefix("BPF_MAP_TYPE_")
    value, before = told.get("value", "u64"), ""
    array = re.fullmatch(r"(.*?)\s*((?:\[[^\]]*\])+)", value)
    if array:
        value = f"struct {name}_value"
        before = f"{value} {{ {array[1]} items{array[2]}; }}; "
    entries = told.get("max_entries", "1")
    pages = str(-(-int(entries) // PAGE)) if entries.isdigit() else f"({entries}) / {PAGE}"
    plain = f'BPF_TABLE("{kind.lower()}", {{key}}, {{value}}, {{name}}, {{entries}})'
    return (
        before
        + _MAPS.get(kind, plain).format(
            name=name, key=told.get("key", "u32"), value=value, entries=entries, pages=pages
        )
        + ";"
    )


def _sections(source: str) -> Iterator[Instead]:
    for match in _SECTION.finditer(source):
        section = match[1]
        if section in (".maps", "maps"):
            continue
        function = _FUNCTION.match(source, match.end())
        found = match[0] + (f" … {function[1]}(…)" if function else "")
        yield Instead(_line(source, match.start()), found, _program(section, function))


def _program(section: str, function: re.Match[str] | None) -> str:
    if section == "license":
        return "write nothing: bcc takes GPL, `#define BPF_LICENSE` changes it"
    for pattern, macro in _MACROS:
        if match := re.fullmatch(pattern, section):
            context = " (its context is `args`)" if macro.startswith("TRACEPOINT") else ""
            return f"write `{macro.format(*match.groups())}`{context}"
    return "write the function alone" if function else "write nothing"


def _calls(source: str) -> Iterator[Instead]:
    for match in _CALL.finditer(source):
        if match[1] in _METHODS:
            write = f"write `{_METHODS[match[1]].format(match[2])}`"
            yield Instead(_line(source, match.start()), match[0] + " …)", write)
