"""Which kernel has what first: the one table behind every sentence that names a kernel's version.

A sentence needs no entry of its own. tests/test_kernel_facts.py finds each version in notebooks,
README, docs, bpf/ and what labkit says, and looks here for a fact of that version whose ``about``
stands in the sentence or beside it. So a fact is written once, and a sentence that says another
version of the same subject fails.

A fact has a source (``read``: the kernel's commit, or a document), or a ``row``: what the published
records (docs/kernels/*.json, written by ./lab kernels) must show on either side of the version; or
both. A sentence that cites a commit itself needs no fact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BCC = "github.com/iovisor/bcc, docs/kernel-versions.md"


@dataclass(frozen=True)
class Row:
    """What a record shows, as a text (None: it does not tell), before that version and since.

    ``before`` and ``since`` are regular expressions; "" where anything may be: before, because
    distributions took the change back into older kernels; since, because later ones changed again.
    """

    look: Callable[[dict[str, Any]], str | None]
    before: str
    since: str
    arch: str = "x86_64"


@dataclass(frozen=True)
class Fact:
    """Since ``version`` it is so; with ``last``, up to that version."""

    version: str
    about: str  # a regular expression, without regard to case
    read: str = ""
    row: Row | None = None
    last: bool = False


def of_program(name: str, key: str) -> Callable[[dict[str, Any]], str | None]:
    """Return a look at one value of what became of a program of bpf/."""

    def look(record: dict[str, Any]) -> str | None:
        tried = (one for one in record.get("programs", ()) if not one.get("problem"))
        return next((str(one[key]) for one in tried if one["name"] == name and key in one), None)

    return look


def limit_alone(record: dict[str, Any]) -> str | None:
    """Look at the bytes of stack of one frame: those of all types of program that were measured."""
    sizes = {one["alone"] for one in record.get("limits", ()) if one.get("alone") is not None}
    return "+".join(map(str, sorted(sizes))) or None


REFUSED, ACCEPTED = "^verifier_refused$", "^accepted$"
BOUNDED_LOOPS = r"\bloops?\b|back-edge"
PRIVATE_STACKS = r"private stack|stack (?:of its own|for each|each)|tracing programs|first two"
RING_BUFFER = r"ring ?buf"

FACTS = (
    # The stack.
    Fact(
        "7.3",
        r"2048|larger limit|limit itself|\b512\b|two part|1568|\bJIT\b",
        "the kernel's tree after 7.3: MAX_BPF_STACK_JIT, selftests verifier_large_stack.c",
        Row(limit_alone, before="^512$", since=""),
        last=True,
    ),
    Fact(
        "6.13",
        PRIVATE_STACKS,
        row=Row(of_program("call_chain_tracing", "outcome"), before=REFUSED, since=ACCEPTED),
    ),
    Fact("6.17", PRIVATE_STACKS, "6c17a882d380 (arm64's JIT)"),
    Fact(
        "6.9",
        r"rounded up",
        row=Row(of_program("call_chain", "message"), before=r"\b640\b", since=r"\b608\b"),
    ),
    Fact("7.2", r"functions deep|frames in a chain|16 ", "include/linux/bpf_verifier.h of 7.2"),
    Fact("4.16", r"function calls|bpf2bpf|call each other", BCC),
    Fact(
        "5.12",
        r"invalid stack off=|wording",
        "01f810ace9ed",
        Row(of_program("stack_write", "message"), before="", since="^invalid write to stack"),
    ),
    Fact(
        "5.10",
        r"Debian did|took the newer wording",
        row=Row(of_program("stack_write", "message"), before="", since="^invalid write to stack"),
    ),
    Fact(
        "6.3",
        r"unwritten|never written|such bytes|old data",
        "6715df8d5d24, which 6.1 took back",
        Row(of_program("stack_unwritten", "outcome"), before="", since=ACCEPTED),
    ),
    # The verifier.
    Fact(
        "6.14",
        r"constant|NULL check|null-check|key",
        "d2102f2f5d75",
        Row(of_program("null_check_constant", "outcome"), before=REFUSED, since=ACCEPTED),
    ),
    Fact("5.3", BOUNDED_LOOPS, "2589726d12a1"),
    Fact("5.17", r"bpf_loop\(\)", "e6f2dd0f8067"),
    Fact("6.4", r"bpf_for\(\)", "06accc8779c1"),
    Fact("5.2", r"instructions|131,072", "c04c0d2b968a"),
    Fact("6.9", r"file and line|@ file|number stands|line's text|line number", "7cc13adbd057"),
    Fact("6.4", r"\blog\b.*(?:fit|buffer|end)|\bend when the buffer", "1216640938035"),
    Fact("5.12", r"atomics", "5ca419f2864a"),
    Fact("5.1", r"32-bit jumps", "092ed0968bb6"),
    Fact("6.6", r"sign extension", "1f9a1ea821ff"),
    Fact("4.14", r"bounds of a value", "b03c9f9fdc37"),
    # Running, and side by side.
    Fact("7.0", r"preempt|raw(?: ones|\*? tracepoint)", "a46023d5616e"),
    Fact("7.0", r"BPF_F_CPU", "8eb76cb03f0f"),
    Fact("7.3", r"global variable in SEC\(\"\.percpu\"\)", "6e61f4f8b043, after 7.3", last=True),
    # Maps, and other ways to get memory.
    Fact("3.19", r"hash|one slot for all CPUs", BCC),
    Fact("4.2", r"tail call", BCC),
    Fact("4.6", r"per-CPU|stack traces", BCC),
    Fact("4.11", r"LPM", BCC),
    Fact("5.2", r"global data|global variable|\.data\b|\.rodata", "d8eca5bbb2be"),
    Fact("5.8", RING_BUFFER, "457f44363a88"),
    Fact("5.8", r"\b5\.8 or later|kernel of (?:version )?5\.8", "457f44363a88"),
    Fact("5.11", r"task-local|task storage", "4cf1bc1f1045"),
    Fact("5.13", r"task-local|task storage", "a10787e6d58c"),
    Fact("5.16", r"bloom", "9330986c0300"),
    Fact("5.19", r"dynptr", "bc34dee65a65"),
    Fact("6.1", r"user ring buffer", "583c1f420173"),
    Fact("6.2", r"bpf_obj_new", "958cf2e273f0"),
    Fact("6.9", r"arena", "317460317a02"),
    # Helpers, types, rights.
    Fact("5.16", r"bpf_trace_vprintk", "10aceb629e19"),
    Fact("5.5", r"probe_read", "6ae08ae3dea2"),
    Fact("5.8", r"CAP_BPF|CAP_PERFMON|CAP_SYS_ADMIN", "a17b53c4a4b5, 980737282232"),
    Fact("5.11", r"MEMLOCK|memlock|locked memory|ulimit", "80ee81e0403c"),
    Fact("5.2", r"pahole|kernel's types", "e83b9f55448a"),
    Fact("6.12", r"sched_ext", "f0e1a0643a59"),
)
