"""bpf(2) without a library: glibc has no function for it, bcc and libbpf offer parts of it.

With it: programs as bare instructions, which need no compiler and may do what bcc cannot build,
such as calls between BPF functions. Standard library only, Python 3.9: the worker uses it too.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from typing import Any

MAP_CREATE, PROG_LOAD, BTF_LOAD, ENABLE_STATS = 0, 5, 18, 32  # enum bpf_cmd in linux/bpf.h

# The number of the system call, by machine (arch/*/syscalls, include/uapi/asm-generic/unistd.h).
_NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "s390x": 351, "ppc64le": 361}
_ATTRIBUTE_BYTES = 128  # at least what any of these commands reads; the rest must be zero


def bpf(command: int, layout: str, *words: int) -> tuple[int, int]:
    """Make the system call with attributes packed by ``layout``; return (result, 0) or (-1, errno).

    ENOSYS also stands for a machine whose number is not known here.
    """
    number = _NUMBERS.get(platform.machine())
    if number is None:
        return -1, errno.ENOSYS
    attributes = ctypes.create_string_buffer(struct.pack(layout, *words), _ATTRIBUTE_BYTES)
    libc: Any = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(number, command, attributes, len(attributes)))
    return result, ctypes.get_errno() if result < 0 else 0


def _bpf_with_memory(command: int, layout: str, *words: int) -> tuple[int, int]:
    """Do so, and once more without a limit on locked memory where that may be what refuses.

    Up to 5.10 maps and programs count as locked memory, those that were just let go too, and the
    kernel answers EPERM (80ee81e0403c took that away). bcc and libbpf raise the limit likewise.
    """
    done = bpf(command, layout, *words)
    if done[1] != errno.EPERM:
        return done
    try:
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.setrlimit(resource.RLIMIT_MEMLOCK, unlimited)
    except (ValueError, OSError):  # no CAP_SYS_RESOURCE
        return done
    return bpf(command, layout, *words)


# linux/bpf.h: program types, map types.
PROGRAM_TYPES = {
    "socket_filter": 1,
    "kprobe": 2,
    "sched_cls": 3,
    "tracepoint": 5,
    "xdp": 6,
    "perf_event": 7,
    "raw_tracepoint": 17,
    "tracing": 26,
    "lsm": 29,
}
MAP_TYPES = {"array": 2, "prog_array": 3, "percpu_hash": 5, "percpu_array": 6}
_LOG_BYTES = 1 << 20
_LOG_LEVEL = 2 | 4  # every instruction, and statistics
_CALL, _LOCAL_CALL = 0x85, 1  # an instruction's code, and the source register that marks it
_INT, _FUNC, _FUNC_PROTO = 1, 12, 13  # kinds of types, linux/btf.h
_WORD = 4  # bytes of a key, and of the values of most maps


def instruction(
    code: int, target: int = 0, source: int = 0, offset: int = 0, number: int = 0
) -> bytes:
    """Return one BPF instruction, as struct bpf_insn in linux/bpf.h lays it out: 8 bytes."""
    little = sys.byteorder == "little"
    registers = source << 4 | target if little else target << 4 | source
    return struct.pack("=BBhi", code, registers, offset, number)


def functions(instructions: bytes) -> list[int]:
    """Return the numbers of the instructions with which functions begin, in order."""
    starts = {0}
    for place in range(0, len(instructions), 8):
        code, registers, _offset, number = struct.unpack_from("=BBhi", instructions, place)
        source = registers >> 4 if sys.byteorder == "little" else registers & 15
        if code == _CALL and source == _LOCAL_CALL:
            starts.add(place // 8 + 1 + number)
    return sorted(starts)


def _types(count: int) -> bytes:
    """Return BTF that says of ``count`` functions that each returns int; see linux/btf.h.

    Since 5.10 the kernel wants to know that of functions that make tail calls (7f6e4312e15a).
    """
    names = b"\0int\0function\0"
    number = struct.pack("=IIII", names.index(b"int"), _INT << 24, 4, 1 << 24 | 32)
    prototype = struct.pack("=III", 0, _FUNC_PROTO << 24, 1)
    function = struct.pack("=III", names.index(b"function"), _FUNC << 24, 2)
    types = number + prototype + function * count
    sizes = (0, len(types), len(types), len(names))
    return struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, *sizes) + types + names


def _describe(starts: list[int]) -> tuple[int, bytes]:
    """Load those types. Return their descriptor (-1 if the kernel takes none) and the func_info."""
    types = ctypes.create_string_buffer(_types(len(starts)))
    size = len(types) - 1  # without the NUL that Python adds
    fd, _ = bpf(BTF_LOAD, "=QQIII", ctypes.addressof(types), 0, size, 0, 0)
    info = (struct.pack("=II", start, 3 + order) for order, start in enumerate(starts))
    return fd, b"".join(info)


def load(instructions: bytes, program_type: str) -> tuple[int, str]:
    """Load a program and let it go. Return errno (0: the kernel took it) and the verifier's log."""
    log = ctypes.create_string_buffer(_LOG_BYTES)
    code, license_ = ctypes.create_string_buffer(instructions), ctypes.create_string_buffer(b"GPL")
    kind, length = PROGRAM_TYPES[program_type], len(instructions) // 8
    words = [kind, length, ctypes.addressof(code), ctypes.addressof(license_)]
    words += [_LOG_LEVEL, _LOG_BYTES, ctypes.addressof(log)]
    starts = functions(instructions)
    types, text = _describe(starts) if len(starts) > 1 else (-1, b"")
    info = ctypes.create_string_buffer(text)
    if types >= 0:
        words += [*[0] * 8, types, 8, ctypes.addressof(info), len(starts)]
    layout = "=IIQQIIQ" + ("II4IIIIIQI" if types >= 0 else "")
    try:
        fd, error = _bpf_with_memory(PROG_LOAD, layout, *words)
    finally:
        if types >= 0:
            os.close(types)
    if fd >= 0:
        os.close(fd)
    return error, log.value.decode("utf-8", "backslashreplace")


def make_map(kind: str, value_bytes: int = _WORD) -> int:
    """Return the descriptor of a new map with one element of that size. Raises OSError."""
    fd, error = _bpf_with_memory(MAP_CREATE, "=IIII", MAP_TYPES[kind], _WORD, value_bytes, 1)
    if fd < 0:
        raise OSError(error, os.strerror(error))
    return fd
