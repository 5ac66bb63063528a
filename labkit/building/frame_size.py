"""The largest frame that each gate lets through, by trying: whole builds, as a program meets them.

A frame grows by words of 8 bytes, so sizes are multiples of 8. labkit.machine.stack_limit asks the
kernel alone, with bare instructions and in no time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.building.build import build
from labkit.building.report import COMPILER_REFUSED, VERIFIER_REFUSED, BuildReport
from labkit.errors import MachineError, UsageError
from labkit.machine import rights, stack_limit
from labkit.machine.stack_limit import WORD, bisect
from labkit.program.variants import BPF_TREE, LIFTED_LIMIT, LLVM_LIMIT, Variant

if TYPE_CHECKING:
    import pandas as pd

GATES = ("compiler", "verifier")


def searched() -> int:
    """Return twice what the kernel grants: a frame in bytes that both gates refuse.

    Where the kernel was not to be asked, the compiler's own limit stands in for it.
    """
    return 2 * (stack_limit.measured().bytes or LLVM_LIMIT)


def frame_variant(size: int, gate: str) -> Variant:
    """Return a program with a frame of ``size`` bytes that meets ``gate`` first.

    For the verifier, the compiler's own check is lifted. Raises UsageError.
    """
    if gate not in GATES:
        raise UsageError(f"no gate is called {gate!r}; there are: {', '.join(GATES)}")
    if size <= 0 or size % WORD or size >= LIFTED_LIMIT:
        raise UsageError(f"a frame has a multiple of {WORD} bytes, below {LIFTED_LIMIT}: {size!r}")
    return Variant(
        f"frame of {size} bytes",
        BPF_TREE / "claims" / "frame_size.c",
        "one frame of a chosen size",
        defines=(f"FRAME_BYTES={size}",),
        lifted=gate == "verifier",
    )


def probe_frame(size: int, gate: str) -> BuildReport:
    """Build a program with a frame of ``size`` bytes and return what ``gate`` made of it."""
    return build(frame_variant(size, gate))


def lets_through(size: int, gate: str) -> bool:
    """Whether ``gate`` lets ``size`` bytes through. Raises MachineError if it did not look."""
    report = probe_frame(size, gate)
    passed = {verdict.name: verdict.passed for verdict in report.gates}[gate]
    refused = {"compiler": COMPILER_REFUSED, "verifier": VERIFIER_REFUSED}[gate]
    if not passed and report.outcome != refused:
        if not rights.may_load():
            raise MachineError(f"the {gate} could not be asked about {size} bytes", rights.mend())
        explained = report.explain()
        reason = f"the {gate} gave no verdict on {size} bytes: {explained.happened}"
        raise MachineError(reason, explained.change)
    return bool(passed)


@dataclass(frozen=True)
class Largest:
    """The largest frame that a gate lets through, and every size that was tried on the way."""

    gate: str
    size: int  # bytes
    tries: tuple[tuple[int, bool], ...]  # each size and whether it passed, in order

    @property
    def tried(self) -> pd.DataFrame:
        """One row a build, in order: size, passed."""
        import pandas as pd

        return pd.DataFrame(self.tries, columns=["size", "passed"])

    def __repr__(self) -> str:
        return (
            f"<the {self.gate} lets {self.size} bytes through and refuses {self.size + WORD};"
            f" found in {len(self.tries)} builds>"
        )


def largest_frame(gate: str, upper: int | None = None) -> Largest:
    """Return the largest frame that ``gate`` lets through, found by bisection.

    ``upper`` is a size that the gate refuses, by default searched(). Raises LabError if it lets
    that through as well.
    """
    tries: list[tuple[int, bool]] = []

    def passes(size: int) -> bool:
        tries.append((size, lets_through(size, gate)))
        return tries[-1][1]

    size = bisect(passes, WORD, upper or searched(), WORD)
    return Largest(gate, size, tuple(tries))
