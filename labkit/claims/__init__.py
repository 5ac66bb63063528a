"""What is said of the stack limit and of per-CPU arrays, measured on this kernel.

    from labkit import claims

    claims.compare()                  # each sentence, what is known of it, what this machine says
    claims.prove("cost", "loss")      # these, at full length: a Result each
    claims.cost(rounds=400).plot()    # one, with parameters of its own

A claim is a file: the sentence, how it is measured, and the rule that judges. CLAIMS is the one
table of them that the terminal, the notebook and the tests read.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

from labkit.claims.across_cpus import across_cpus
from labkit.claims.call_chain import call_chain
from labkit.claims.claim import NOT_HERE, NOT_MEASURED, VERDICTS, Claim, Result, Results
from labkit.claims.contention import contention
from labkit.claims.cost import cost
from labkit.claims.full_speed import full_speed
from labkit.claims.loss import loss
from labkit.claims.memory import memory
from labkit.claims.null_check import null_check
from labkit.claims.stack_limit import bytes_needed, small_structs, stack_limit
from labkit.claims.stale_bytes import stale_bytes
from labkit.claims.value_cap import value_cap
from labkit.claims.within_a_cpu import within_a_cpu
from labkit.claims.without_jit import without_jit
from labkit.claims.zero_copy import zero_copy
from labkit.errors import MachineError, UsageError

__all__ = [
    "CLAIMS",
    "VERDICTS",
    "Claim",
    "Result",
    "Results",
    "across_cpus",
    "bytes_needed",
    "call_chain",
    "compare",
    "contention",
    "cost",
    "full_speed",
    "loss",
    "memory",
    "null_check",
    "prove",
    "small_structs",
    "stack_limit",
    "stale_bytes",
    "value_cap",
    "within_a_cpu",
    "without_jit",
    "zero_copy",
]

CLAIMS: dict[str, Claim[...]] = {
    one.name: one
    for one in (
        stack_limit,
        small_structs,
        bytes_needed,
        without_jit,
        call_chain,
        value_cap,
        null_check,
        across_cpus,
        within_a_cpu,
        contention,
        cost,
        zero_copy,
        stale_bytes,
        memory,
        loss,
        full_speed,
    )
}

Progress = Callable[[int, int, str], object]


def prove(*names: str, progress: Progress | None = None) -> Results:
    """Measure the claims of these names (all by default); return their results in that order.

    ``progress`` is called as progress(done, total, name) before each, and at the end with the name
    "". All of them take about a minute on two cores. An interrupt leaves nothing loaded and passes
    on. A claim that a defect ends cannot be told here, and its reason names the defect; the others
    are measured all the same. Raises UsageError for an unknown name, MachineError where no Python
    has bcc.
    """
    unknown = [name for name in names if name not in CLAIMS]
    if unknown:
        raise UsageError(f"no claim is called {unknown[0]!r}; there are: {', '.join(CLAIMS)}")
    chosen = names or tuple(CLAIMS)
    tell = progress or (lambda *_: None)
    results = []
    for done, name in enumerate(chosen):
        tell(done, len(chosen), name)
        results.append(_whatever_happens(CLAIMS[name]))
    tell(len(chosen), len(chosen), "")
    return Results(results)


def compare(*results: Result) -> Results:
    """Set each claim beside what is known of it and what this machine answers.

    Of the results that are given, nothing is measured again. Of the others, those that need no load
    are measured now, which takes some seconds; the rest say how to measure them.
    """
    given = {result.name: result for result in results}
    return Results([given.get(name) or _now(one) for name, one in CLAIMS.items()])


def _now(one: Claim[...]) -> Result:
    if one.quick:
        return _whatever_happens(one)
    return Result(one, NOT_MEASURED, f"it takes a run under load: claims.{one.name}() does that.")


def _whatever_happens(one: Claim[...]) -> Result:
    """Measure a claim for a list of them, which one defect must not end."""
    try:
        return one()
    except MachineError:  # of this machine nothing can be told, by any claim
        raise
    except Exception as defect:
        place = traceback.extract_tb(defect.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        said = " ".join(str(defect).split())
        return Result(one, NOT_HERE, f"a defect: {type(defect).__name__} at {where}: {said}")
