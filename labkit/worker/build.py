"""The jobs `build`, a source through both gates, and `intermediate`, LLVM's own text of it."""

from __future__ import annotations

import ctypes
import os
import re
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

from labkit.machine import tracefs
from labkit.worker import compile as compiling
from labkit.worker import symbols, verify

CALL, LOCAL_CALL, OPEN = 0x85, 1, -1  # an instruction's code, its source register, its target

LARGEST_TEXT = 16 << 20  # bytes of LLVM's text that are sent
LIBC = ctypes.CDLL(None)

# Of such a program bcc reads the arguments in tracefs. Any other compiles without it.
_NEEDS_TRACEFS = re.compile(r"\bTRACEPOINT_PROBE\b|\btracepoint__\w")
_NO_ARGUMENTS = re.compile(r"'struct tracepoint__\w+'")  # a macro of ours had one in it

at_exit: list[Any] = []  # keeps the function that C calls

Emit = Callable[..., None]


def run(request: dict[str, Any], emit: Emit, scratch: str) -> compiling.Module | None:
    """Pass the source through both gates. Return the module if both let it through."""
    module = _compile(request, emit, scratch)
    missing = _missing_tracepoint(module)
    if missing:
        emit("no_tracepoint", **missing)
    if module is None or missing:
        return None
    open_call = next(_open_calls(module), None)
    if open_call:
        emit("unlinked", **open_call)
        return None
    passed = True
    for verdict in verify.load(module, request):
        emit("loaded", **verdict)
        passed = verdict["passed"]
    return module if passed else None


def print_intermediate(request: dict[str, Any], emit: Emit, scratch: str) -> None:
    """Compile and have LLVM print its intermediate text. Nothing is loaded."""
    _compile(request, emit, scratch)
    LIBC.exit(0)  # LLVM keeps what it prints until the process ends in good order


def _compile(request: dict[str, Any], emit: Emit, scratch: str) -> compiling.Module | None:
    mounted, lacking = None, ""
    try:
        mounted = tracefs.mount_tracefs()
    except OSError as error:
        lacking = f"{error.strerror}; to mend it: {tracefs.mend(error)}"
        if _NEEDS_TRACEFS.search(request["source"]):
            emit("host_refused", reason=lacking)
            return None
    if mounted:
        emit("note", text=mounted)
    if request["lift"]:
        emit("lifted", how=compiling.lift(request))
    symbols.shorten_list(scratch)  # after tracefs, which is mounted for everybody
    _tell_intermediate(emit)
    emit("compiling")
    started = time.monotonic()
    try:
        module = compiling.compile_source(request, scratch)
    except Exception:  # bcc raises Exception itself; what it printed tells the reason
        if lacking and _NO_ARGUMENTS.search(_printed()):
            emit("host_refused", reason=lacking)
            return None
        emit("compiled", passed=False, seconds=time.monotonic() - started)
        return None
    seconds = time.monotonic() - started
    LIBC.fflush(None)
    emit("compiled", passed=True, seconds=seconds, printed=_printed(), maps=module.maps())
    return module


def _tell_intermediate(emit: Emit) -> None:
    """At exit(), which LLVM calls when it refuses, send what it then prints to standard output."""
    text = os.memfd_create("intermediate")
    os.dup2(text, 1)

    def send(_status: int, _nothing: None) -> None:
        size = os.fstat(text).st_size
        if size <= LARGEST_TEXT:
            emit("intermediate", text=os.pread(text, size, 0).decode("utf-8", "backslashreplace"))

    at_exit.append(ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)(send))
    LIBC.on_exit(at_exit[-1], None)  # what is registered first is called last


def _printed() -> str:
    """Return what was printed so far; the server gave this process a file for it."""
    return os.pread(2, os.lseek(2, 0, os.SEEK_END), 0).decode("utf-8", "backslashreplace")


def _missing_tracepoint(module: compiling.Module | None) -> dict[str, Any] | None:
    """Return the first tracepoint that the source names and this kernel lacks, and near ones.

    Where the source did not compile, the compiler may have said so of the tracepoint's struct.
    """
    if module is None:
        names = re.findall(r"'struct (tracepoint__\w+)'", _printed())
    else:
        names = module.functions()
    for name in names:
        kind, _, rest = name.partition("__")
        if kind == "tracepoint" and "__" in rest:
            wanted = rest.replace("__", ":", 1)
        elif kind == "raw_tracepoint":
            wanted = rest
        else:
            continue
        near = tracefs.near_tracepoints(wanted)
        if near is not None:
            return {"name": wanted, "near": near}
    return None


def _open_calls(module: compiling.Module) -> Iterator[dict[str, Any]]:
    """Yield the calls of functions that bcc did not join to their targets."""
    for number, name in enumerate(module.functions()):
        for index, one in enumerate(struct.iter_unpack("=BBhi", module.instructions(number))):
            code, registers, _offset, target = one
            if code == CALL and target == OPEN and LOCAL_CALL in (registers >> 4, registers & 15):
                yield {"function": name, "instruction": index}
