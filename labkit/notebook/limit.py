"""Find the limit yourself: the largest frame that each gate lets through, by trying.

A frame grows by words of 8 bytes, so sizes are multiples of 8. Here both gates are asked through
whole builds, as a program meets them; labkit.machine.stack_limit asks the kernel alone, in no time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.building.build import build, layout
from labkit.building.report import COMPILER_REFUSED, OUTCOMES, VERIFIER_REFUSED, BuildReport
from labkit.errors import MachineError, UsageError
from labkit.machine import stack_limit
from labkit.machine.stack_limit import WORD, bisect
from labkit.program.variants import BPF_TREE, LIFTED_LIMIT, LLVM_LIMIT, STRUCTS, Variant

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


# What follows for the lesson's program on this machine ------------------------------------------


def fits() -> pd.DataFrame:
    """Return the lesson's objects against this kernel's stack: object, bytes, "on this stack"."""
    import pandas as pd

    sizes = {name: layout()[name]["size"] for name in STRUCTS}
    sizes["together"] = sum(sizes.values())
    limit = stack_limit.largest_frame()
    rows = [(name, size, _room(size, limit)) for name, size in sizes.items()]
    return pd.DataFrame(rows, columns=["object", "bytes", "on this stack"]).set_index("object")


def _room(size: int, limit: int) -> str:
    return f"{size - limit} too many" if size > limit else f"fits, {limit - size} to spare"


def fates(reports: Mapping[str, BuildReport]) -> str:
    """Say what became of each variant, a line each, and what that tells of this kernel."""
    lines = [f"{name}: {OUTCOMES[report.outcome]}" for name, report in reports.items()]
    return "\n".join([*lines, *_so(reports)])


def _so(reports: Mapping[str, BuildReport]) -> Iterator[str]:
    lifted, total = reports["stack_lifted"], fits().bytes["together"]
    if lifted.accepted:
        yield (
            f"So {total} bytes are too much for the compiler alone: this kernel grants"
            f" {lifted.stack_limit} and takes them."
        )
    elif lifted.refused_by == "verifier":
        yield (
            f"So {total} bytes are too much for both: with the compiler's check lifted, this kernel"
            f" refuses them, for it grants {lifted.stack_limit}."
        )


def outlook() -> str:
    """Say whether the lesson's objects fit on this kernel's stack, and what that would leave."""
    total, limit = fits().bytes["together"], stack_limit.largest_frame()
    if total > limit:
        return f"{total} bytes do not fit the {limit} that this kernel grants."
    return (
        f"{total} bytes fit the {limit} that this kernel grants, and leave {limit - total} for all"
        " that is called from there. A kernel with the older limit refuses the same program."
    )
