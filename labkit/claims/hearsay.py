"""Claims that circulate about the limit, the truth, and what this machine says when it is asked.

The claims are in one table, CLAIMS. What can be measured here is measured when claims() is called.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from labkit.building.build import build
from labkit.claims import measuring
from labkit.machine.check import create_map
from labkit.machine.stack_limit import WORD, bisect, call_chain
from labkit.machine.stack_limit import largest_frame as of_kernel
from labkit.notebook.limit import GATES, Largest, largest_frame
from labkit.program.variants import Variant

if TYPE_CHECKING:
    import pandas as pd

PERCPU_ARRAY = 6  # linux/bpf.h: BPF_MAP_TYPE_PERCPU_ARRAY
SEARCHED_VALUE = 1 << 20  # bytes: a per-CPU value of that size is expected to be refused


class Asked:
    """The machine: what several claims want to know of it is asked only once."""

    @cached_property
    def largest(self) -> dict[str, Largest]:
        """For each gate, the largest frame that it lets through."""
        return {gate: largest_frame(gate) for gate in GATES}


IN_NOTEBOOK_02 = "takes a run: measured in notebook 02, section 8"


class Claim(NamedTuple):
    """What is said, what is true, and how to ask this machine; a text where this table does not."""

    claim: str
    truth: str
    measure: Callable[[Asked], str] | str


def largest_value() -> int:
    """Return the largest value that this kernel takes in a per-CPU array, in bytes."""
    return bisect(lambda size: create_map(PERCPU_ARRAY, 4, size, 1) == 0, 8, SEARCHED_VALUE, 1)


def null_check(*defines: str) -> Variant:
    """Return the program that looks up a value, with or without the check for NULL."""
    return measuring.source("null_check", *defines)


def _small(asked: Asked) -> str:
    return f"the verifier lets {asked.largest['verifier'].size} bytes through"


def _each_function(_: Asked) -> str:
    results = [call_chain(304, 304, program_type=kind) for kind in ("tracepoint", "socket_filter")]
    return "; ".join(
        f"304 + 304 as a {one.program_type}: {one.said or 'accepted'}" for one in results
    )


def _needed(asked: Asked) -> str:
    sizes = {gate: largest.size + WORD for gate, largest in asked.largest.items()}
    return "; ".join(f"the {gate} refuses from {size} bytes" for gate, size in sizes.items())


def _bypass(_: Asked) -> str:
    size = largest_value()
    return f"up to {size:,} bytes a value, {size // of_kernel()} times the stack"


def _forgotten(_: Asked) -> str:
    words = {"constant key": (), "key known only at run time": ("KEY_FROM_KERNEL",)}
    outcomes = {
        name: build(null_check("NO_NULL_CHECK", *more)).outcome for name, more in words.items()
    }
    return "; ".join(f"{name}: {outcome}" for name, outcome in outcomes.items())


CLAIMS = (
    Claim(
        "Before Linux 5.x even small structs are refused.",
        "False: 512 bytes on every kernel, and small structs fit.",
        _small,
    ),
    Claim(
        "Since 5.x each function has 512 bytes of its own.",
        "False: 512 for a whole chain of calls. From 6.13 (x86-64) tracing programs have a private "
        "stack, and only there each frame may have 512.",
        _each_function,
    ),
    Claim(
        "On 6.x it takes 1568 bytes to trigger the limit.",
        "False: a few bytes past 512 are enough, and the compiler stops one word earlier.",
        _needed,
    ),
    Claim(
        "A per-CPU array bypasses the limit.",
        "True, up to 32 KiB a value.",
        _bypass,
    ),
    Claim(
        "Forgetting the NULL check is always refused.",
        "False from 6.14 on, for a constant key inside an array.",
        _forgotten,
    ),
    Claim(
        "A per-CPU array is concurrency-safe without a lock.",
        "Half true: safe across CPUs; not against a second program that uses the same map on that "
        "CPU, nor where the program can be preempted or sleep.",
        IN_NOTEBOOK_02,
    ),
    Claim(
        "It has no cache-line contention.",
        "Mostly true, while only BPF on that CPU touches it.",
        "this lab has no measurement for it",
    ),
    Claim(
        "It is zero copy.",
        "False with ringbuf_output, which copies; ringbuf_reserve and submit are the zero-copy "
        "way, and need no scratch at all.",
        IN_NOTEBOOK_02,
    ),
)


@dataclass(frozen=True)
class Claims:
    """The table with this machine's answers; shows as HTML, prints as text."""

    rows: tuple[tuple[str, str, str], ...]
    kernel: str

    @property
    def frame(self) -> pd.DataFrame:
        """One row a claim: claim, truth, measured."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=["claim", "truth", "measured"])

    def __repr__(self) -> str:
        return "\n\n".join(
            f"“{claim}”\n  {truth}\n  measured on Linux {self.kernel}: {measured}"
            for claim, truth, measured in self.rows
        )

    def _repr_html_(self) -> str:
        from labkit.show.style import page, table

        return page(table(["claim", "truth", f"measured on Linux {self.kernel}"], self.rows))


def claims() -> Claims:
    """Ask this machine about each claim that can be asked about; takes about ten seconds."""
    asked = Asked()
    rows = (
        (claim, truth, measure if isinstance(measure, str) else measure(asked))
        for claim, truth, measure in CLAIMS
    )
    return Claims(tuple(rows), platform.release())
