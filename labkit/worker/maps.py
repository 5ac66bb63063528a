"""Read the values of a BPF array map."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from bcc.libbcc import lib

from labkit.machine.cpus import possible_cpus

# BPF_MAP_TYPE_PERCPU_HASH, PERCPU_ARRAY, LRU_PERCPU_HASH, PERCPU_CGROUP_STORAGE
PER_CPU_TYPES = {5, 6, 10, 21}


def fdinfo(fd: int) -> dict[str, Any]:
    """Return what the kernel tells of a program or a map: numbers as int, the rest as text."""
    told = {}
    with open(f"/proc/self/fdinfo/{fd}", encoding="utf-8") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            told[name] = int(value) if value.strip().isdigit() else value.strip()
    return told


class Values:
    """The values of an array map, element after element.

    Of a per-CPU map each element is a value for each possible CPU, in the order of their ids and
    each rounded up to 8 bytes.
    """

    def __init__(self, described: dict[str, Any]) -> None:
        self.fd = described["fd"]
        self.entries = described["entries"]
        size = described["value_size"]
        per_cpu = fdinfo(self.fd)["map_type"] in PER_CPU_TYPES
        self.room = -(-size // 8) * 8 * len(possible_cpus()) if per_cpu else size

    def read(self) -> bytes:
        """Return them as they are now. Raises OSError."""
        return b"".join(map(self._element, range(self.entries)))

    def _element(self, index: int) -> bytes:
        value = ctypes.create_string_buffer(self.room)
        if lib.bpf_lookup_elem(self.fd, ctypes.byref(ctypes.c_uint32(index)), value) < 0:
            error = ctypes.get_errno()
            raise OSError(error, f"cannot read the map: {os.strerror(error)}")
        return value.raw
