"""What a picture shows, in words, for those who do not see it.

Each function that draws says it with describe(), from the data that it drew. Where a front end asks
for a figure as HTML, labkit.show.pictures gives these words as the text of the image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from labkit.program.variants import STRUCTS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from labkit.building.frame_size import Largest
    from labkit.claims.claim import Result
    from labkit.stack.snapshot import Snapshot
    from labkit.stack.variables import StackVariables
    from labkit.survey.cells import Key
    from labkit.survey.comparison import Comparison

MOST_NAMED = 16  # things that are told one by one; the rest is counted


def describe(axes: Axes, words: str) -> Axes:
    """Keep what these axes show, in a sentence or two. Return the axes."""
    axes.set_label(" ".join(words.split()))
    return axes


def alt_text(figure: Any) -> str:
    """Return what all axes of a figure show; empty where nobody has said it."""
    return " ".join(label for axes in figure.axes if (label := str(axes.get_label())))


def listed(words: Iterable[str]) -> str:
    """Return words with commas between them; of many, the first ones and how many more."""
    every = list(words)
    more = len(every) - MOST_NAMED
    return ", ".join(every[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def struct_sizes(layouts: Mapping[str, Any], limit: int | None) -> str:
    """Say how large each struct is, and all together, against the stack."""
    sizes = {name: int(layouts[name]["size"]) for name in STRUCTS}
    total = sum(sizes.values())
    each = listed(f"{name} {size} bytes" for name, size in sizes.items())
    if limit is None:
        return f"Bars to scale: {each}; together {total} bytes. The stack's size is not known here."
    over = f", {total - limit} too many" if total > limit else ", which fits"
    return f"Bars to scale: a BPF stack of {limit} bytes; {each}; together {total} bytes{over}."


def limit_search(found: Iterable[Largest]) -> str:
    """Say what each search tried, and where it ended."""
    return " ".join(
        f"The {one.gate}: {len(one.tries)} builds, beginning with {one.tries[0][0]} bytes; at most"
        f" {one.size} bytes are let through."
        for one in found
    )


def stack_snapshot(snapshot: Snapshot | None, title: str) -> str:
    """Say which step of the verifier's walk this is, and where its access falls."""
    if snapshot is None:
        return f"An empty frame. {title}."
    known = "not known here" if snapshot.limit is None else f"{snapshot.limit} bytes"
    written = sum(slot.letter != "?" for slot in snapshot.slots.values())
    words = f"{title}. The stack there is: {known}, {written} slots of 8 bytes written."
    if snapshot.access is not None:
        words += f" The instruction {snapshot.access.words}."
    return f"{words} {snapshot.fatal}"


def stack_variables(variables: StackVariables) -> str:
    """Say who takes how many bytes, and how the sum compares."""
    each = listed(f"{one.name} {one.bytes} bytes" for one in variables.variables)
    return f"Who takes the stack of {variables.variant}: {each}; {variables.sum.strip()}."


def percpu_array(sizes: Mapping[str, int], cpus: int, limit: int | None) -> str:
    """Say what a CPU's slot holds, how many slots there are, and what that is beside a stack."""
    each = listed(f"{name} {size} bytes" for name, size in sizes.items())
    total = sum(sizes.values())
    stack = f"a stack of {limit} bytes" if limit else "a stack whose size is not known here"
    return (
        f"Below {stack}, {cpus} equal slots, one per possible CPU, each with {each}: {total} bytes."
    )


def events_per_cpu(cpus: pd.DataFrame, account: str) -> str:
    """Say how many events each CPU brought."""
    rows = zip(cpus.index, cpus.delivered, cpus.failed, strict=True)
    each = listed(
        f"CPU {cpu} {delivered}" + (f" and {failed} failed" if failed else "")
        for cpu, delivered, failed in rows
    )
    return f"Events per CPU: {each or 'no events'}. In all {account}."


def timeline(table: pd.DataFrame, seconds: float) -> str:
    """Say over which time the events lie, on which CPUs, and whether their data held."""
    counts = table.cpu.value_counts().sort_index()
    each = listed(f"{count} on CPU {cpu}" for cpu, count in counts.items())
    broken = int((~table.data_ok.astype(bool)).sum())
    held = f"; of {broken} the data check failed" if broken else ""
    return f"Events over {seconds:.1f} seconds, a stroke each: {each or 'none'}{held}."


def busiest(counts: pd.Series[int]) -> str:
    """Say how many events each command had, the busiest first."""
    each = listed(f"{name or '(no name)'} {count}" for name, count in counts.items())
    return f"Events by command, the busiest first: {each or 'none'}."


def rate(events: int, seconds: float, highest: float) -> str:
    """Say how many events per second there were on average, and at most."""
    return (
        f"Events per second over {seconds:.1f} seconds: {events / seconds:.0f} on average,"
        f" {highest:.0f} in the busiest moment."
    )


def claim(result: Result) -> str:
    """Say the claim, the verdict, and the figures that it rests on."""
    return f"“{result.claim}”: {result.verdict}. {result.why}"


def programs_by_machine(compared: Comparison) -> str:
    """Say for each row of the picture what came out, and on which machines if they differ."""
    columns = compared.columns
    machines = "; ".join(f"{c.label} (×{c.count})" if c.count > 1 else c.label for c in columns)
    told = ". ".join(f"{row.label}: {_by_machine(compared, row.key)}" for row in compared.rows)
    return f"Programs by machine. Machines: {machines}. {told}."


def _by_machine(compared: Comparison, key: Key) -> str:
    words: dict[str, list[str]] = {}
    for one in compared.columns:
        words.setdefault(compared.cell(key, one.number).word, []).append(one.label)
    if len(words) == 1:
        return f"{next(iter(words))} everywhere"
    return "; ".join(f"{word} on {listed(labels)}" for word, labels in words.items())
