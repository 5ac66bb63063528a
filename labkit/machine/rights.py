"""The right to load BPF: what this process has of it, and the words that mend a lack.

Standard library only, Python 3.9: the worker uses it too.
"""

from __future__ import annotations

import os
from pathlib import Path

AS_ROOT = "run it as root: sudo ./lab"
OUT_OF_CONTAINER = "leave the container, or give it CAP_BPF and CAP_PERFMON"

# linux/capability.h; the last two since 5.8
_CAP_SYS_ADMIN, _CAP_PERFMON, _CAP_BPF = 21, 38, 39


def may_load() -> bool:
    """Whether this process has the capabilities that loading and attaching need."""
    held = _effective()
    return bool(held >> _CAP_SYS_ADMIN & 1 or (held >> _CAP_BPF & 1 and held >> _CAP_PERFMON & 1))


def mend() -> str:
    """Return what helps against EPERM: root, or, for root in a container, to leave that."""
    return OUT_OF_CONTAINER if os.geteuid() == 0 else AS_ROOT


def _effective() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0
