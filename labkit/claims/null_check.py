"""Whether the verifier insists that a look-up's result is checked for NULL."""

from __future__ import annotations

import pandas as pd

from labkit.building.build import build
from labkit.claims import measuring
from labkit.claims.claim import FALSE, HALF_TRUE, NOT_HERE, TRUE, Measured, Ruling, claim
from labkit.claims.sources import TUTORIAL


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for the NULL check.

    Cannot be told if the program with the check is refused as well. True if every program without
    it is refused, false if every one is accepted, half true if it depends on the key.
    """
    checked, unchecked = table[table.checked], table[~table.checked]
    if not checked.accepted.all():
        return Ruling(NOT_HERE, f"refused even with the check: {checked.said.max()}.")
    told = "; ".join(
        f"{row.key} key {'accepted' if row.accepted else f'refused ({row.said})'}"
        for row in unchecked.itertuples()
    )
    accepted = int(unchecked.accepted.sum())
    word = {0: TRUE, len(unchecked): FALSE}.get(accepted, HALF_TRUE)
    return Ruling(word, f"without the check: {told}.")


@claim(
    "A look-up without a NULL check is always refused.",
    judge,
    truth="False from 6.14 on, for a constant key inside an array.",
    files=("null_check",),
    quick=True,
    said_by=TUTORIAL,
)
def null_check() -> Measured:
    """Load a look-up with and without the check, with a constant key in range and a variable one.

    Columns: key (constant, variable), checked, accepted, said (the verifier's line of refusal).
    """
    rows = []
    for checked in (True, False):
        for key in ("constant", "variable"):
            defines = [] if checked else ["NO_NULL_CHECK"]
            defines += ["KEY_FROM_KERNEL"] if key == "variable" else []
            report = build(measuring.source("null_check", *defines))
            said = "" if report.accepted else measuring.last_line(report)
            rows.append((key, checked, report.accepted, said))
    table = pd.DataFrame(rows, columns=["key", "checked", "accepted", "said"])
    return Measured(table, report.versions)
