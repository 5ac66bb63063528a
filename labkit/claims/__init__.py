"""Every claim is an experiment: what tutorials say of the per-CPU array, measured on this kernel.

    labkit.prove()                        # all of them, a Result each
    labkit.prove("cost").plot()           # one
    claims.cost(rounds=400)   # one, with parameters of its own

EXPERIMENTS is the one table that the terminal, the notebook and the tests read.
"""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from labkit.claims.base import BADGES, VERDICTS, Experiment, Result
from labkit.claims.calls import call_chain
from labkit.claims.costs import cost, zero_copy
from labkit.claims.gates import null_check, stack_limit
from labkit.claims.losses import full_speed, loss
from labkit.claims.maps import memory, stale_bytes, value_cap
from labkit.claims.sharing import across_cpus, within_a_cpu
from labkit.errors import UsageError

__all__ = [
    "EXPERIMENTS",
    "VERDICTS",
    "Experiment",
    "Result",
    "Results",
    "across_cpus",
    "call_chain",
    "cost",
    "full_speed",
    "loss",
    "memory",
    "null_check",
    "prove",
    "stack_limit",
    "stale_bytes",
    "to_json",
    "value_cap",
    "within_a_cpu",
    "zero_copy",
]

EXPERIMENTS: dict[str, Experiment[...]] = {
    one.name: one
    for one in (
        stack_limit,
        across_cpus,
        within_a_cpu,
        cost,
        zero_copy,
        stale_bytes,
        value_cap,
        memory,
        null_check,
        call_chain,
        loss,
        full_speed,
    )
}

Progress = Callable[[int, int, str], object]


class Results(Sequence[Result]):
    """The results of several experiments, in order. ``results["cost"]`` finds one by its name."""

    def __init__(self, results: Sequence[Result]) -> None:
        self._results = tuple(results)

    def __len__(self) -> int:
        return len(self._results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self._results)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return next(result for result in self if result.name == key)
        return self._results[key]

    @property
    def versions(self) -> dict[str, str]:
        """The versions of all that measured."""
        return {name: value for result in self for name, value in result.versions.items()}

    def to_json(self) -> list[dict[str, Any]]:
        """Return the results as plain values."""
        return [result.to_json() for result in self]

    def to_text(self, width: int = 0) -> str:
        """Return the results as a table of ``width`` columns (0: as wide as the terminal)."""
        width = width or min(shutil.get_terminal_size().columns, 120)
        column = max([len(result.name) for result in self], default=0) + 2
        parts = [_lines(result, column, width) for result in self]
        foot = ", ".join(f"{name} {value}" for name, value in self.versions.items())
        return "\n\n".join([*parts, f"measured on {foot}"])

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        from labkit.show.style import badge, page, table, tag

        rows = [(r.name, r.claim, badge(BADGES[r.verdict], r.verdict), r.why) for r in self]
        foot = " · ".join(f"{name} {value}" for name, value in self.versions.items())
        head = ["experiment", "claim", "verdict", "what was measured"]
        return page(table(head, rows), tag("p", foot), data_testid="experiments")


def _lines(result: Result, column: int, width: int) -> str:
    first = textwrap.wrap(f"“{result.claim}”", width - column)
    second = textwrap.wrap(f"{result.verdict.upper()}: {result.why}", width - column)
    indent = " " * column
    return f"{result.name:<{column}}" + f"\n{indent}".join([*first, *second])


def prove(*names: str, progress: Progress | None = None) -> Results:
    """Run the experiments of these names (all by default); return their results in that order.

    ``progress`` is called as progress(done, total, name) before each, and at the end with the name
    "". All of them take about two minutes on two cores. An interrupt leaves nothing loaded and
    passes on. Raises UsageError for an unknown name, MachineError where no Python has bcc.
    """
    unknown = [name for name in names if name not in EXPERIMENTS]
    if unknown:
        raise UsageError(
            f"no experiment is called {unknown[0]!r}; there are: {', '.join(EXPERIMENTS)}"
        )
    chosen = names or tuple(EXPERIMENTS)
    results = []
    for done, name in enumerate(chosen):
        if progress:
            progress(done, len(chosen), name)
        results.append(EXPERIMENTS[name]())
    if progress:
        progress(len(chosen), len(chosen), "")
    return Results(results)


def to_json(results: Results) -> str:
    """Return the results as JSON text: a list of objects, as Result.to_json() makes them."""
    return json.dumps(results.to_json(), indent=2)
