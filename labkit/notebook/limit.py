"""What this kernel's limit means for the lesson's program: does it fit, and who refuses it."""

from __future__ import annotations

from collections.abc import Mapping

from labkit.building.build import build, layout
from labkit.building.frame_size import GATES, lets_through
from labkit.building.report import (
    ACCEPTED,
    COMPILER_REFUSED,
    IN_SHORT,
    VERIFIER_REFUSED,
    BuildReport,
)
from labkit.errors import MachineError
from labkit.machine import rights, stack_limit
from labkit.notebook.prediction import Measured
from labkit.program.variants import STRUCTS

VERDICTS = ("it loads", "it is refused")  # the choices of a question
REFUSERS = ("nobody", "the compiler", "the verifier", "both")
_VERDICT = {ACCEPTED: VERDICTS[0], COMPILER_REFUSED: VERDICTS[1], VERIFIER_REFUSED: VERDICTS[1]}


def verdict(variant: str, *defines: str) -> Measured:
    """Build a variant now: the verdict on it, one of VERDICTS, with the report as evidence.

    Where neither gate gave one, it is what became of the build, in the words of IN_SHORT.
    """
    report = build(variant, defines=defines)
    value = _VERDICT.get(report.outcome, IN_SHORT[report.outcome])
    return Measured(value, report.explain().happened, report)


def first_refused(reports: Mapping[str, BuildReport]) -> BuildReport:
    """Return the first of these reports in which the verifier refused the program.

    Raises MachineError where there is none, as where no program may be loaded.
    """
    for report in reports.values():
        if report.outcome == VERIFIER_REFUSED:
            return report
    told = "; ".join(f"{name}: {IN_SHORT[report.outcome]}" for name, report in reports.items())
    raise MachineError(f"the verifier refused none of these programs ({told})", rights.mend())


def who_refuses(size: int) -> str:
    """Ask both gates now about a frame of ``size`` bytes; return which refuses, of REFUSERS."""
    refusing = [gate for gate in GATES if not lets_through(size, gate)]
    return {0: "nobody", 1: f"the {refusing[0]}" if refusing else "", 2: "both"}[len(refusing)]


def chain_verdict(*frames: int, program_type: str) -> Measured:
    """Load functions with frames of these bytes, each called by the one before: one of VERDICTS."""
    chain = stack_limit.call_chain(*frames, program_type=program_type)
    return Measured(VERDICTS[0 if chain.passed else 1], chain.said, chain)


def total() -> int:
    """Return the bytes of the lesson's three objects, as this machine's compiler lays them out."""
    layouts = layout()
    return sum(layouts[name]["size"] for name in STRUCTS)


def outlook() -> str:
    """Say whether the lesson's objects fit on this kernel's stack, and what that would leave."""
    needed, limit = total(), stack_limit.largest_frame()
    if needed > limit:
        return f"{needed} bytes do not fit the {limit} that this kernel grants."
    return (
        f"{needed} bytes fit the {limit} that this kernel grants, and leave {limit - needed} for"
        " all that is called from there. A kernel with the older limit refuses the same program."
    )
