"""Reports and events as plain text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from labkit.building.report import OUTCOMES, BuildReport, Gate
from labkit.machine.stack_limit import measured

if TYPE_CHECKING:
    import pandas as pd

    from labkit.collecting.collection import Run

OBJECTS = ("big_event", "extra_buffer", "local_data")
MARK = ">>> "


def banner(layouts: dict[str, Any]) -> str:
    """Return the sizes of the three objects as the compiler sees them, against the limit."""
    sizes = {name: layouts[name]["size"] for name in OBJECTS}
    parts = ", ".join(f"{name} {size}" for name, size in sizes.items())
    total = sum(sizes.values())
    return f"sizes in bytes: {parts}; total {total}, the limit of a BPF stack here is {measured()}"


def gates(report: BuildReport) -> Iterator[str]:
    """Yield a line a gate, in the order in which a program meets them."""
    for number, gate in enumerate(report.gates, 1):
        yield f"gate {number}, the {gate.name}: {_passed(gate)}"


def _passed(gate: Gate) -> str:
    if gate.passed is None:
        return "never reached"
    took = f" ({gate.seconds:.3f} s)" if gate.seconds is not None else ""
    return ("let it through" if gate.passed else "REFUSED") + took


def report(built: BuildReport) -> str:
    """Return a report as text: the gates, what was printed in full, what matters, what to do."""
    return "\n".join(_report_lines(built))


def _report_lines(built: BuildReport) -> Iterator[str]:
    yield f"{built.variant}: {OUTCOMES[built.outcome]}"
    yield from gates(built)
    if built.how_lifted:
        yield f"the compiler's own check was lifted: {built.how_lifted}"
    yield from (f"note: {note}" for note in built.notes)
    explained = built.explain()
    line = explained.line.text.strip() if explained.line else ""
    yield from _marked("what the compiler printed", built.compiler_log, line)
    if not built.accepted:
        yield from _marked("the verifier's log", built.verifier_text, line)
        yield ""
        yield f"What happened: {explained.happened}"
        yield f"Why: {explained.why}"
        yield f"What to do: {explained.change}"
    else:
        depth = "unknown" if built.stack_depth is None else f"{built.stack_depth} bytes"
        yield f"{built.insns_processed} instructions processed, stack depth {depth}"
    yield ", ".join(f"{name} {version}" for name, version in built.versions.items())


def _marked(title: str, text: str, line: str) -> Iterator[str]:
    """Yield a text in full, with the one line that matters marked."""
    if not text.strip():
        return
    yield f"--- {title}:"
    for row in text.rstrip().splitlines():
        yield (MARK if line and line in row else "    ") + row
    yield "---"


def event_lines(frame: pd.DataFrame, data: Any) -> Iterator[str]:
    """Yield a line an event. ``data`` holds the first four bytes of each event's data[]."""
    for row, four in zip(frame.to_dict("records"), data, strict=True):
        check = " ".join(f"0x{byte:02x}" for byte in four)
        seconds = f"{row['timestamp'] // 10**9}.{row['timestamp'] // 10**6 % 1000:03d}"
        broken = "" if row["data_ok"] else " | DATA BROKEN"
        yield (
            f"[{seconds}] PID: {row['pid']:<6} | comm: {row['comm']:<16} | data[0-3]: {check}"
            f" | cpu {row['cpu']} | {row['filename']}{broken}"
        )


def account(run: Run) -> str:
    """Return the account of a run: for each CPU, and whether it balances."""
    if not run.complete:
        return f"the worker died; {len(run)} events were saved, the kernel's counts were not"
    verdict = "it balances" if run.balanced else "IT DOES NOT BALANCE"
    return f"{run.account.to_string()}\n{len(run)} events in {run.seconds:.1f} s; {verdict}"
