"""The second gate: hand each program of a compiled source to the verifier, and keep its log."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

from bcc.libbcc import lib

from labkit.machine.bpf_syscall import PROGRAM_TYPES
from labkit.worker.compile import Module

LOG_BYTES = 32 << 20  # a longer log is not kept; pages that a log does not reach cost nothing
LOG_SECONDS = 3.0  # a log that takes longer to write is given up
END_BYTES = 1 << 20  # of such a log this much is shown, its end
TICK = 0.01  # seconds; a load that was given up is tried again by libbpf, and given up again
STATISTICS = 4  # log level: the verdict and the figures, no step
END_LEVEL = 1 | STATISTICS  # the path that was refused too

# By the first part of a function's name (bcc's macros make it), and by the context it takes.
_BY_NAME = {
    "tracepoint": "tracepoint",
    "raw_tracepoint": "raw_tracepoint",
    "kprobe": "kprobe",
    "kretprobe": "kprobe",
    "kfunc": "tracing",
    "kretfunc": "tracing",
    "bpf_iter": "tracing",
    "lsm": "lsm",
}
_BY_CONTEXT = {
    "pt_regs": "kprobe",
    "bpf_perf_event_data": "perf_event",
    "__sk_buff": "sched_cls",
    "xdp_md": "xdp",
}


def type_of(name: str, source: str, default: str) -> str:
    """Return the type of the program ``name``: its name or its context tells, else ``default``."""
    prefix, mark, _ = name.partition("__")
    if mark and prefix in _BY_NAME:
        return _BY_NAME[prefix]
    context = re.search(rf"\b{name}\s*\(\s*(?:const\s+)?struct\s+(\w+)\s*\*", source)
    return _BY_CONTEXT.get(context[1], default) if context else default


def load(module: Module, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Load each program and yield its verdict; stop at the first that is refused."""
    for name in module.functions():
        kind = type_of(name, request["source"], request["program_type"])
        verdict = _load_one(module, name, PROGRAM_TYPES[kind], request["log_level"])
        yield {**verdict, "program_type": kind}
        if not verdict["passed"]:
            return


def _load_one(module: Module, name: str, kind: int, level: int) -> dict[str, Any]:
    """Load with all of the log; ``cut`` is the reason, if any, why only its end is there."""
    verdict = _try_load(module, name, kind, level, LOG_BYTES)
    if verdict["errno"] == errno.EINVAL and not verdict["log"] and level > STATISTICS:
        verdict = _try_load(module, name, kind, 2, LOG_BYTES)  # no statistics before Linux 5.2
    if verdict["cut"]:
        _let_go(module, name)
        short = _try_load(
            module, name, kind, STATISTICS, END_BYTES, limit=0
        )  # a verdict it must be
        if not short["passed"]:
            end = _try_load(module, name, kind, END_LEVEL, END_BYTES)["log"]
            if end.endswith(short["log"][-40:]):  # since Linux 6.4 a full log keeps its end
                short["log"] = end[end.find("\n") + 1 :]
        verdict = {**short, "cut": verdict["cut"]}
    return verdict


def _let_go(module: Module, name: str) -> None:
    if name.encode() in module.funcs:
        os.close(module.funcs.pop(name.encode()).fd)


def _try_load(
    module: Module, name: str, kind: int, level: int, size: int, limit: float = LOG_SECONDS
) -> dict[str, Any]:
    """Load one program with a log buffer of our own, which bcc's load_func has no word for."""
    memory = mmap.mmap(-1, size)
    log = (ctypes.c_char * size).from_buffer(memory)
    plain = lib.bcc_func_load
    lib.bcc_func_load = _with_log(plain, level, log, size)
    error = 0
    with _given_up_after(limit):
        started = time.monotonic()
        try:
            module.load_func(name, kind)
        except Exception:
            error = ctypes.get_errno() or errno.EIO
        seconds = time.monotonic() - started
    lib.bcc_func_load = plain
    end = memory.find(b"\0")
    cut = ""
    if error in (errno.EAGAIN, errno.ENOSPC) and seconds > LOG_SECONDS:
        cut = f"it takes more than {LOG_SECONDS:.0f} seconds to write"
    elif error == errno.ENOSPC or end >= size - 2:
        cut = f"it has more than {size >> 20} MB"
    return {
        "name": name,
        "passed": error == 0,
        "errno": error,
        "seconds": seconds,
        "log": memory[:end].decode("utf-8", "backslashreplace"),
        "cut": cut,
    }


@contextlib.contextmanager
def _given_up_after(seconds: float) -> Iterator[None]:
    """Have the verifier give up after so long (0: never), as when a signal is pending (EAGAIN).

    What bcc prints meanwhile is the log once more, and is dropped.
    """
    printed, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, seconds, TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        os.dup2(printed, 2)
        os.close(printed)
        os.close(nothing)


def _with_log(plain: Callable[..., int], level: int, log: Any, size: int) -> Callable[..., int]:
    """Replace arguments 7 to 9 (level, buffer, its size): the same places in each bcc release."""

    def load_with_log(*arguments: Any) -> int:
        return plain(*arguments[:7], level, log, size, *arguments[10:])

    return load_with_log
