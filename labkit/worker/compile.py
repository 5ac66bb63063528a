"""The first gate: compile a source with bcc; no program of it is loaded yet."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import re
from pathlib import Path
from typing import Any

from bcc import BPF
from bcc.libbcc import lib

from labkit.worker import versions

BPF_TREE = Path(__file__).resolve().parents[2] / "bpf"
DEBUG_LLVM_IR = 1  # bcc's flag: print the text that code is made from
STACK_OPTION_SINCE = 17  # LLVM's -bpf-stack-size

# bcc's Python declares these C functions only in part (libbcc.h has them all).
for _name, _result, _last in [
    ("bpf_num_tables", ctypes.c_size_t, []),
    ("bpf_table_name", ctypes.c_char_p, [ctypes.c_size_t]),
    ("bpf_table_leaf_desc_id", ctypes.c_char_p, [ctypes.c_size_t]),
    ("bpf_table_leaf_size_id", ctypes.c_size_t, [ctypes.c_size_t]),
    ("bpf_table_type_id", ctypes.c_int, [ctypes.c_size_t]),
    ("bpf_table_fd_id", ctypes.c_int, [ctypes.c_size_t]),
    ("bpf_function_start_id", ctypes.c_void_p, [ctypes.c_size_t]),
    ("bpf_function_size_id", ctypes.c_size_t, [ctypes.c_size_t]),
]:
    getattr(lib, _name).restype = _result
    getattr(lib, _name).argtypes = [ctypes.c_void_p, *_last]


class Module(BPF):  # type: ignore[misc]
    """A compiled source whose programs load only when asked; bcc would load and attach them."""

    def _trace_autoload(self) -> None:
        pass

    def functions(self) -> list[str]:
        """Return the names of the programs, in the order of the source."""
        count = lib.bpf_num_functions(self.module)
        return [lib.bpf_function_name(self.module, i).decode() for i in range(count)]

    def instructions(self, number: int) -> bytes:
        """Return the instructions of a program, by its number in the source, 8 bytes each."""
        start = lib.bpf_function_start_id(self.module, number)
        return ctypes.string_at(start, lib.bpf_function_size_id(self.module, number))

    def maps(self) -> dict[str, dict[str, Any]]:
        """Return each map by name: descriptor, type (of linux/bpf.h), sizes, the value's layout."""
        return dict(self._map(i) for i in range(lib.bpf_num_tables(self.module)))

    def _map(self, number: int) -> tuple[str, dict[str, Any]]:
        described = lib.bpf_table_leaf_desc_id(self.module, number) or b"null"
        return lib.bpf_table_name(self.module, number).decode(), {
            "fd": lib.bpf_table_fd_id(self.module, number),
            "type": lib.bpf_table_type_id(self.module, number),
            "value_size": lib.bpf_table_leaf_size_id(self.module, number),
            "entries": lib.bpf_table_max_entries_id(self.module, number),
            "layout": _layout(json.loads(described)),
        }


def _layout(described: Any) -> dict[str, Any] | None:
    """Turn bcc's description of a struct into offsets; None for a value that is no struct."""
    if not isinstance(described, list):
        return None
    struct: Any = BPF._decode_table_type(described)
    fields = [
        _field(struct, name, kind)
        for name, kind, *_ in struct._fields_
        if not name.startswith("__pad")
    ]
    return {"name": described[0], "size": ctypes.sizeof(struct), "fields": fields}


def _field(struct: Any, name: str, kind: Any) -> dict[str, Any]:
    place = getattr(struct, name)
    length = getattr(kind, "_length_", None)
    element = kind._type_ if length is not None else kind
    code = getattr(element, "_type_", None)
    return {
        "name": name,
        "offset": place.offset,
        "size": ctypes.sizeof(kind),
        "code": code if isinstance(code, str) else None,
        "count": length,
    }


def lift(request: dict[str, Any]) -> str:
    """Take away the compiler's own stack check for this process; return how.

    From LLVM 17 by its option -bpf-stack-size, which bcc's cflags do not reach; before, by a define
    under which the source carves its objects out of the frame pointer.
    """
    version = versions.llvm_version()
    path = versions.llvm_library()
    if path and version and version[0] >= STACK_OPTION_SINCE:
        option = f"-bpf-stack-size={request['lift']}"
        words = (ctypes.c_char_p * 2)(b"labkit", option.encode())
        ctypes.CDLL(path).LLVMParseCommandLineOptions(2, words, None)
        return f"LLVM's option {option}"
    if "CARVE_FROM_FRAME_POINTER" in request["source"]:
        request["defines"].append("CARVE_FROM_FRAME_POINTER")
        return "objects carved from the frame pointer (-DCARVE_FROM_FRAME_POINTER)"
    return ""


_STATEMENT_END = re.compile(r"[;{}]\s*$")
_LINE_END = re.compile(r"\r\n|[\r\n]")  # C has no other: not the form feed, NEL or U+2028
_ARM = re.compile(r"\s*#\s*(?:if|ifdef|ifndef|elif|else|endif)\b.*(?<!\\)$")


def numbered(source: str, name: str) -> str:
    """Return the source with line marks, so that messages and the log tell its own line numbers.

    bcc puts text of its own before and between the lines. A mark stands after each statement,
    after the start and end of each #if arm (the marks in an arm that is left out count for
    nothing) and before an opening brace; LLVM then reads the line's text from the file of that
    name.
    """
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    lines = [f'#line 1 "{quoted}"']
    complete = False
    for number, line in enumerate(_LINE_END.split(source), 1):
        if complete or line.startswith("{"):
            lines.append(f'#line {number} "{quoted}"')
        lines.append(line)
        complete = bool(_STATEMENT_END.search(line) or _ARM.match(line))
    return "\n".join(lines) + "\n"


def compile_source(request: dict[str, Any], scratch: str) -> Module:
    """Compile a request's source. Raises what bcc raises; LLVM may end the process instead."""
    lab_headers = request["headers"] == "lab"
    path = Path(scratch, request["name"])
    path.write_text(request["source"], encoding="utf-8", errors="surrogateescape")
    flags = [f"-D{define}" for define in request["defines"]]
    if lab_headers:
        os.environ["BCC_KERNEL_SOURCE"] = _header_root(scratch)
        flags += ["-I.", f"-DPAGE_SIZE={mmap.PAGESIZE}"]
    else:
        os.environ.pop("BCC_KERNEL_SOURCE", None)
        flags.append(f"-I{BPF_TREE}")
    text = numbered(request["source"], request["name"] if lab_headers else str(path))
    # LLVM holds its own text back until the process ends in good order: as it does when it refuses.
    return Module(text=text.encode("utf-8", "surrogateescape"), cflags=flags, debug=DEBUG_LLVM_IR)


def _header_root(scratch: str) -> str:
    """Make scratch look like a kernel tree to bcc: it compiles in there, beside the source.

    With the lab's headers there too, messages name a file without its folders.
    """
    for target in [BPF_TREE / "headers" / "include", *BPF_TREE.glob("*.h")]:
        link = Path(scratch, target.name)
        if not link.is_symlink():
            link.symlink_to(target)
    return scratch
