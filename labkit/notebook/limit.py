"""What this kernel's limit means for the lesson's program: does it fit, and who refuses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from labkit.building.build import layout
from labkit.building.report import OUTCOMES, BuildReport
from labkit.machine import stack_limit
from labkit.program.variants import STRUCTS

if TYPE_CHECKING:
    import pandas as pd


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
            f"So {total} bytes are too much for the compiler alone:\n"
            f"this kernel grants {lifted.stack_limit} and takes them."
        )
    elif lifted.refused_by == "verifier":
        yield (
            f"So {total} bytes are too much for both: with the compiler's check lifted,\n"
            f"this kernel refuses them, for it grants {lifted.stack_limit}."
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
