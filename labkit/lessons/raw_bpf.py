"""Programs as bare instructions, handed to the kernel by bpf(2): no compiler, no bcc, no libbpf.

For what bcc cannot build: calls between BPF functions, and tail calls in them.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

from labkit.worker.bpf_call import BTF_LOAD, MAP_CREATE, PROG_LOAD, bpf

# linux/bpf.h: program types, map types.
PROGRAM_TYPES = {"socket_filter": 1, "kprobe": 2, "tracepoint": 5, "raw_tracepoint": 17}
MAP_TYPES = {"array": 2, "prog_array": 3}
_LOG_BYTES = 1 << 20
_LOG_LEVEL = 2 | 4  # every instruction, and statistics
_CALL, _LOCAL_CALL = 0x85, 1  # an instruction's code, and the source register that marks it
_INT, _FUNC, _FUNC_PROTO = 1, 12, 13  # kinds of types, linux/btf.h
_WORD = 4  # bytes of a key, and of a value


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
    fd, _errno = bpf(BTF_LOAD, "=QQIII", ctypes.addressof(types), 0, size, 0, 0)
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
        fd, errno = bpf(PROG_LOAD, layout, *words)
    finally:
        if types >= 0:
            os.close(types)
    if fd >= 0:
        os.close(fd)
    return errno, log.value.decode("utf-8", "backslashreplace")


def make_map(kind: str) -> int:
    """Return the descriptor of a new map with one element of 4 bytes. Raises OSError."""
    fd, errno = bpf(MAP_CREATE, "=IIII", MAP_TYPES[kind], _WORD, _WORD, 1)
    if fd < 0:
        raise OSError(errno, os.strerror(errno))
    return fd
