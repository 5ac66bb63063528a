"""Spare bcc the kernel's whole list of symbols, which it reads for two names at each compile.

bcc wants to know whether the kernel has bpf_probe_read_kernel() and bpf_probe_read_user() (5.5),
and takes all of /proc/kallsyms into a table for that: two thirds of the time that a small program
takes to compile (measured with bcc 0.26 on 122,000 symbols; bcc's b_frontend_action.cc). The
kernel's type information tells the same at once. So the process that compiles gets a mount
namespace of its own, in which the list has these two lines.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

LIST = "/proc/kallsyms"
WANTED = (b"bpf_probe_read_kernel", b"bpf_probe_read_user")
CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_SLAVE = 0x1000, 0x4000, 0x80000


def _has_wanted() -> bool:
    """Whether the kernel's types say that it has both. Not known is no: then bcc shall look."""
    try:
        with open("/sys/kernel/btf/vmlinux", "rb") as types:
            text = types.read()
    except OSError:
        return False
    return all(b"\0%s\0" % name in text for name in WANTED)


HAS_WANTED = _has_wanted()


def shorten_list(scratch: str) -> bool:
    """Show this process, and none else, a short list of symbols. Return whether that was done.

    Without the right to (CAP_SYS_ADMIN), nothing changes but the time it takes.
    """
    if not HAS_WANTED:
        return False
    short = os.path.join(scratch, "kallsyms")
    with open(short, "wb") as lines:
        lines.writelines(b"ffffffff8100000%d T %s\n" % (n, name) for n, name in enumerate(WANTED))
    libc: Any = ctypes.CDLL(None)
    # A slave: what is mounted here stays here, what the machine mounts later shows here too.
    return bool(
        libc.unshare(CLONE_NEWNS) == 0
        and libc.mount(None, b"/", None, MS_REC | MS_SLAVE, None) == 0
        and libc.mount(short.encode(), LIST.encode(), None, MS_BIND, None) == 0
    )
