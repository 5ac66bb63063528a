"""What the gates let through: the largest frame, and a look-up without its check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.building.build import build
from labkit.claims import measuring
from labkit.claims.base import FALSE, HALF_TRUE, NOT_HERE, TRUE, Observed, Verdict, experiment
from labkit.claims.measuring import NotTold
from labkit.errors import LabError
from labkit.machine.stack_limit import WORD
from labkit.notebook import limit
from labkit.program.variants import BPF_TREE, Variant

if TYPE_CHECKING:
    import pandas as pd

CLAIMED = 512  # bytes: what is said of every kernel


def judge_limit(frame: pd.DataFrame) -> Verdict:
    """Rule for the limit.

    True if both gates let 512 bytes through and nothing larger; half true if only one of them does;
    false if neither does.
    """
    largest = frame[frame.passed].groupby("gate").bytes.max()
    told = ", ".join(f"the {gate} {size}" for gate, size in largest.items())
    exact = int((largest == CLAIMED).sum())
    word = FALSE if not exact else TRUE if exact == len(largest) else HALF_TRUE
    return Verdict(word, f"largest frame in bytes that each gate lets through: {told}.")


@experiment(
    "A frame may have 512 bytes, for the compiler as for the verifier.",
    judge_limit,
    ("frame_size",),
)
def stack_limit() -> Observed:
    """Find the largest frame that each gate lets through, by bisection.

    For the verifier, the compiler's own check is lifted. Columns: gate, bytes, passed; a row a size
    that was tried, in that order.
    """
    import pandas as pd

    try:
        found = [limit.largest_frame(gate) for gate in limit.GATES]
        versions = build(limit.frame_variant(WORD, "compiler")).versions
    except LabError as error:
        raise NotTold(str(error)) from error
    parts = [one.tried.rename(columns={"size": "bytes"}).assign(gate=one.gate) for one in found]
    return Observed(pd.concat(parts, ignore_index=True)[["gate", "bytes", "passed"]], versions)


def judge_null_check(frame: pd.DataFrame) -> Verdict:
    """Rule for the NULL check.

    Cannot be told if the program with the check is refused as well. True if every program without
    it is refused, false if every one is accepted, half true if it depends on the key.
    """
    checked, unchecked = frame[frame.checked], frame[~frame.checked]
    if not checked.accepted.all():
        return Verdict(NOT_HERE, f"refused even with the check: {checked.said.max()}.")
    told = "; ".join(
        f"{row.key} key {_said(row.accepted, row.said)}" for row in unchecked.itertuples()
    )
    accepted = int(unchecked.accepted.sum())
    word = TRUE if not accepted else FALSE if accepted == len(unchecked) else HALF_TRUE
    return Verdict(word, f"without the check: {told}.")


def _said(accepted: object, said: object) -> str:
    return "accepted" if accepted else f"refused ({said})"


@experiment("A look-up without a NULL check is always refused.", judge_null_check, ("null_check",))
def null_check() -> Observed:
    """Load a look-up with and without the check, with a constant key in range and a variable one.

    Columns: key (constant, variable), checked, accepted, said (the verifier's line of refusal).
    """
    import pandas as pd

    plan = [(key, checked) for checked in (True, False) for key in ("constant", "variable")]
    program = Variant("null_check", BPF_TREE / "claims" / "null_check.c", "is NULL checked?")
    reports = [build(program, defines=_defines(*planned)) for planned in plan]
    rows = [
        (key, checked, report.accepted, "" if report.accepted else measuring.last_line(report))
        for (key, checked), report in zip(plan, reports, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["key", "checked", "accepted", "said"])
    return Observed(frame, reports[0].versions)


def _defines(key: str, checked: bool) -> list[str]:
    unknown = ["KEY_FROM_KERNEL"] if key == "variable" else []
    return unknown if checked else [*unknown, "NO_NULL_CHECK"]
