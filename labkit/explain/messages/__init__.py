"""The table of messages: all that this lab can explain, as data. To add one, add a row.

A row (:class:`labkit.explain.message.Message`) has a pattern for one line, what is told of it, an
example that it explains, and where the message is printed. Rows are tried in this order, so what
is narrower stands above what is wider; the wordings are those of Linux 4.4 to 7.3, LLVM 10 to 21,
libbpf, bcc, cilium/ebpf, aya, bpftrace and iproute2.
"""

from __future__ import annotations

from labkit.explain.messages import (
    calls,
    compiler,
    flow,
    machine,
    memory,
    objects,
    pointers,
    stack,
)

__all__ = ["MESSAGES"]

MESSAGES = (
    *stack.ROWS,
    *memory.ROWS,
    *pointers.ROWS,
    *flow.ROWS,
    *calls.ROWS,
    *objects.ROWS,
    *machine.ROWS,
    *compiler.ROWS,
)
