"""Load object files that clang made, with libbpf: bcc cannot load calls between BPF functions.

Only what is declared here of libbpf is used; all of it is there since libbpf 0.7.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any

LIBRARIES = ("libbpf.so.1", "libbpf.so.0")
LOG_BYTES = 1 << 20
LOG_LEVEL = 1 | 4  # the failing path, and statistics
PROGRAM_TYPES = {"socket_filter": 1, "tracepoint": 5}


def run(request: dict[str, Any], emit: Callable[..., None]) -> None:
    """Load each of ``objects`` (path, program_type), tell the verdict and let it go again."""
    libbpf = _library()
    if libbpf is None:
        emit("host_refused", reason="libbpf is not installed")
        return
    for number, wanted in enumerate(request["objects"]):
        emit("object", number=number, **_load(libbpf, wanted))


def _library() -> Any:
    for name in LIBRARIES:
        try:
            libbpf = ctypes.CDLL(name)
        except OSError:
            continue
        if hasattr(libbpf, "bpf_program__set_log_buf"):
            for function in (libbpf.bpf_object__open, libbpf.bpf_object__next_program):
                function.restype = ctypes.c_void_p
            return libbpf
    return None


def _load(libbpf: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    found = ctypes.c_void_p(libbpf.bpf_object__open(wanted["path"].encode()))
    if not found:
        return {"error": "libbpf could not open the object file", "log": ""}
    log = ctypes.create_string_buffer(LOG_BYTES)
    program = ctypes.c_void_p(libbpf.bpf_object__next_program(found, None))
    libbpf.bpf_program__set_type(program, PROGRAM_TYPES[wanted["program_type"]])
    libbpf.bpf_program__set_log_buf(program, log, ctypes.c_size_t(LOG_BYTES))
    libbpf.bpf_program__set_log_level(program, LOG_LEVEL)
    error = -int(libbpf.bpf_object__load(found))
    libbpf.bpf_object__close(found)
    text = log.value.decode("utf-8", "backslashreplace")
    return {"error": os.strerror(error) if error else "", "log": text}
