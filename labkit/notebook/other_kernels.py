"""What other kernels do with the same programs, and this machine's row, measured now."""

from __future__ import annotations

from dataclasses import replace

from labkit.errors import MachineError
from labkit.program.variants import VARIANTS
from labkit.survey import facts
from labkit.survey.comparison import DRAWN, Comparison
from labkit.survey.reading import published
from labkit.survey.recording import record
from labkit.survey.records import MISTAKE, Record, Records


def kernels() -> Comparison:
    """Return the published machines beside this one, whose row is measured now, in some seconds.

    Tried here are the variants, the stack limits, and those mistakes in which the published
    machines differ. Without the right to load programs this machine's row says so.
    """
    others = published()
    return Comparison([_here(others), *others], groups=DRAWN)


def _here(others: Records) -> Record:
    differing = Comparison(others, groups=(MISTAKE,)).differing if others else ()
    names = [*VARIANTS, *(key.name for key in differing)]
    try:
        return record(claims="none", programs=names, collect=False)
    except MachineError as error:
        return replace(Record(facts.this_machine(), problem=str(error)), here=True)
