"""bpf(2) without a library: glibc has no function for it, bcc and libbpf offer parts of it.

Standard library only: the worker uses it, and so does labkit where it asks the kernel itself.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
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
