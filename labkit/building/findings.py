"""What the lab itself finds in a program that neither gate words well: one line, or nothing.

The compiler, bcc and the kernel each see a part. That a tracepoint does not exist, that a text has
no program in it, or that a missing memset() is a variable too large for the stack, none of them
says. Each line tells what was found and, after "to mend it: ", what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labkit.program import dialect
from labkit.program.llvm_ir import Local
from labkit.program.variants import BPF_TREE, LLVM_LIMIT

HEADERS = BPF_TREE / "headers" / "include"
LARGE = 64  # bytes: smaller variables are pointed at only where the stack is full
MEND = "; to mend it: "
SHOWN = 4  # lines of bcc's dialect in one sentence
_INSTALL = "install the kernel's headers (linux-headers-$(uname -r) on Debian and Ubuntu)"
_MEMORY_FUNCTION = re.compile(r"built-in function '(mem\w+)'")
_IMPLICIT = re.compile(
    r"(?:implicit declaration of|undeclared(?: library)?|implicitly declaring library)"
    r" function '(\w+)'"
)
_NOINLINE = re.compile(r"\bnoinline\b[^;{}()]*\)*[^;{}()]*?\b(\w+)\s*\(")
_NOT_STATIC = re.compile(r"(\S+:\d+):\d+: error: cannot call non-static helper function")
_ARRAY_TYPE = re.compile(
    r"\b(?P<macro>BPF_\w+)\s*\(\s*(?P<name>\w+)\s*,\s*(?P<before>(?:[^\n;\[]*,\s*)?)"
    r"(?P<type>\w+(?: \w+)*)\s*(?P<size>(?:\[[^\]\n]*\])+)(?P<after>[^;\n]*?)\)\s*;"
)
_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"\n]+)[>"]', re.M)


def is_ours(reason: str) -> bool:
    """Whether a reason is a line of this room, and not what the kernel or the worker said."""
    return MEND in reason


def own_headers(source: str) -> tuple[str, ...]:
    """Return what a source includes of the lab's own small headers, as it names them."""
    names = dict.fromkeys(_INCLUDE.findall(source))
    return tuple(name for name in names if ".." not in name and (HEADERS / name).is_file())


def no_tracepoint(event: Mapping[str, Any]) -> str:
    """Say that this kernel lacks a tracepoint, and which are near."""
    near = f"one that there is, such as {', '.join(event['near'])}" if event["near"] else "another"
    return (
        f"this kernel has no tracepoint {event['name']}, so the program would never run; to mend"
        f" it: name {near}"
    )


NO_PROGRAM = (
    "there is no program here, and types, maps and static functions alone are nothing to load; to"
    " mend it: write a function that is not static, such as"
    " TRACEPOINT_PROBE(sched, sched_process_exec) { return 0; }"
)


def unlinked(event: Mapping[str, Any], source: str, printed: str) -> str:
    """Say which call bcc left without a target, as far as the source or the compiler tell."""
    name = event["function"].replace("tracepoint__", "")
    unknown = _IMPLICIT.search(printed)
    if unknown:
        return (
            f"the program calls `{unknown[1]}`, and there is no function or helper of that name; to"
            " mend it: look at its spelling, and whether this release of bcc has it (of the C"
            " library nothing is there: bpf_trace_printk() prints, a bounded loop compares)"
        )
    apart = _NOINLINE.search(source)
    called = f"the call of `{apart[1]}`" if apart else "the call of a function"
    return (
        f"bcc left {called} in {name} unlinked (instruction {event['instruction']}), for it does"
        " not join the functions of one program; to mend it: let it be inlined: take `noinline`"
        " away, and write `static inline`"
    )


def in_compiler_log(log: str, source: str, variables: tuple[Local, ...]) -> str:
    """Say what a compiler's refusal comes from, where it says so only in other words."""
    stack = large_variable(log, variables)
    if stack:
        return stack
    if not_static := _NOT_STATIC.search(log):
        return (
            f"{not_static[1]} calls a function that is not static, which bcc takes for a program of"
            " its own; to mend it: write `static inline` before that function"
        )
    if array := _ARRAY_TYPE.search(source):
        return array_type(array)
    written = dialect.instead_of(source)
    if not written:
        return ""
    more = f" (and {len(written) - SHOWN} more)" if len(written) > SHOWN else ""
    lines = "; ".join(map(str, written[:SHOWN]))
    return f"cells take bcc's dialect of C, and this is libbpf's; to mend it: {lines}{more}"


def array_type(found: re.Match[str]) -> str:
    """Say that bcc's macros take the name of a type, and write the lines for the one given."""
    name, array = found["name"], f"{found['type']}{found['size']}"
    value = f"struct {name}_value"
    return (
        f"{found['macro']}({name}, …) takes a type by its name, and `{array}` is none; to mend it:"
        f" wrap it in a struct: `{value} {{ {found['type']} bytes{found['size']}; }};`, then"
        f" `{found['macro']}({name}, {found['before']}{value}{found['after']});`"
    )


def point_at(variables: tuple[Local, ...], source: str, file: str) -> tuple[str, ...]:
    """Show the lines that declare the large variables, with what each takes and leaves.

    The stack is filled in the order of the text; a caret stands where it is full.
    """
    left, shown = LLVM_LIMIT, []
    for one in sorted(variables, key=lambda local: local.line or 0):
        full = one.bytes > left > 0
        place = _declared(one, source) if one.file == file else None
        if place and (full or one.bytes >= LARGE):
            line, text, column = place
            mark = ("-" if one.bytes <= left else "^") + "~" * (len(one.name) - 1)
            then = (
                f"leaves {left - one.bytes}" if one.bytes <= left else f"the stack has {left} left"
            )
            shown.append(f"{line:>5} | {text}")
            shown.append(f"      | {' ' * column}{mark} {one.bytes} bytes, {then}")
        left = max(0, left - one.bytes)
    return tuple(shown)


def _declared(one: Local, source: str) -> tuple[int, str, int] | None:
    """Return line, text and column of a declaration; bcc moves those of static functions by one."""
    lines = source.split("\n")
    for number in (one.line or 0, (one.line or 0) - 1):
        text = lines[number - 1].expandtabs(4) if 0 < number <= len(lines) else ""
        if found := re.search(rf"\b{re.escape(one.name)}\s*[\[=;,]", text):
            return number, text, found.start()
    return None


def is_stack(log: str) -> bool:
    """Whether a compiler's refusal may be about the stack: LLVM says so, or lacks a memset()."""
    return "BPF stack limit" in log or _MEMORY_FUNCTION.search(log) is not None


def large_variable(log: str, variables: tuple[Local, ...]) -> str:
    """Say that the stack is too small, where LLVM speaks of the memset() that would fill it."""
    function = _MEMORY_FUNCTION.search(log)
    total = sum(one.bytes for one in variables)
    if not function or total <= LLVM_LIMIT:
        return ""
    largest = max(variables, key=lambda one: one.bytes)
    others = f", {total} bytes with the others" if len(variables) > 1 else ""
    return (
        f"`{largest.name}` takes {largest.bytes} bytes of stack{others}, and the compiler grants"
        f" {LLVM_LIMIT}; to mend it: move it into a per-CPU array of one element"
        f" (BPF_PERCPU_ARRAY), whose value may have 32 KiB ({function[1]}(), which the compiler"
        " names, is how it would have filled those bytes; BPF has no such function)"
    )


def of_own_headers(names: tuple[str, ...]) -> str:
    """Say where small headers come from; empty where there are none."""
    if not names:
        return ""
    which = f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}"
    return (
        f"{which} the lab's own here (bpf/headers), without the kernel's structs; for those,"
        f" {_INSTALL}."
    )
