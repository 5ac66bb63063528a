"""Reports and events as plain text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from labkit.building.report import OUTCOMES, BuildReport, Gate
from labkit.machine.stack_limit import measured
from labkit.program.variants import STRUCTS
from labkit.show.log import index_in

if TYPE_CHECKING:
    import numpy as np

    from labkit.collecting.run import Run
    from labkit.collecting.run_file import RunFile

MARK = ">>> "


def banner(layouts: dict[str, Any]) -> str:
    """Return the sizes of the three objects as the compiler sees them, against the limit."""
    sizes = {name: layouts[name]["size"] for name in STRUCTS}
    parts = ", ".join(f"{name} {size}" for name, size in sizes.items())
    total = sum(sizes.values())
    return f"sizes in bytes: {parts}; total {total}, the limit of a BPF stack here is {measured()}"


def gates(report: BuildReport) -> Iterator[str]:
    """Yield one line per gate, in the order in which a program meets them."""
    for number, gate in enumerate(report.gates, 1):
        yield f"gate {number}, the {gate.name}: {_passed(gate)}"


def _passed(gate: Gate) -> str:
    if not gate.reached:
        return "never reached"
    took = f" ({gate.seconds:.3f} s)" if gate.seconds is not None else ""
    return {True: "let it through", False: "REFUSED", None: "gave no verdict"}[gate.passed] + took


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
    printed, log = built.compiler_log, built.verifier_text
    yield from _marked("what the compiler printed", printed, index_in(explained, "compiler"))
    yield from built.pointed_at
    if not built.accepted:
        yield from _marked("the verifier's log", log, index_in(explained, "verifier"))
        yield ""
        yield f"What happened: {explained.happened}"
        yield f"Why: {explained.why}"
        yield f"What to do: {explained.change}"
    else:
        depth = "unknown" if built.stack_depth is None else f"{built.stack_depth} bytes"
        depth += f" of {built.stack_limit}" if built.stack_limit else ""
        yield f"{built.insns_processed} instructions processed, stack depth {depth}"
    yield ", ".join(f"{name} {version}" for name, version in built.versions.items())


def _marked(title: str, text: str, matters: int | None) -> Iterator[str]:
    """Yield a text in full, with the one line that matters marked."""
    if not text.strip():
        return
    yield f"--- {title}:"
    for number, row in enumerate(text.rstrip().split("\n")):
        yield (MARK if number == matters else "    ") + row
    yield "---"


_HEX = [f"0x{byte:02x}" for byte in range(256)]


def event_lines(records: np.ndarray[Any, Any]) -> Iterator[str]:
    """Yield one line per event, in order of time, each with its newline."""
    from labkit.collecting.records import each_text, to_arrow  # only a run pays for their start

    ordered = records[records["timestamp"].argsort(kind="stable")]
    table = to_arrow(ordered, clock_offset=0)
    numbers = [table[n].to_numpy().tolist() for n in ("timestamp", "pid", "cpu", "data_ok")]
    names = [each_text(table[name]) for name in ("comm", "filename")]
    fours = ordered["data"][:, :4].tolist()
    for timestamp, pid, cpu, data_ok, comm, filename, (a, b, c, d) in zip(
        *numbers, *names, fours, strict=True
    ):
        milliseconds = timestamp // 10**6
        yield (
            f"[{milliseconds // 1000}.{milliseconds % 1000:03d}] PID: {pid:<6} | comm: {comm:<16}"
            f" | data[0-3]: {_HEX[a]} {_HEX[b]} {_HEX[c]} {_HEX[d]}"
            f" | cpu {cpu} | {filename}{'' if data_ok else ' | DATA BROKEN'}\n"
        )


def progress(file: RunFile, before: int, seconds: float) -> str:
    """Return how a run stands: its events, how fast they came of late, what was lost, its size."""
    events, lost = len(file), int(file.counters()["failed"].sum())
    size = events * file.event.itemsize / 1e6
    rate = (events - before) / max(seconds, 1e-3)
    return f"{events:,} events, {rate:,.0f} per second, {lost:,} lost, {size:,.0f} MB"


def account(run: Run) -> str:
    """Return the account of a run: of each CPU that saw something, and whether it balances."""
    if not run.complete:
        kept = f" in {run.file}: labkit.recover() opens it" if run.file else ""
        return f"the worker died; {len(run)} events were saved{kept}; the kernel's counts were not"
    verdict = "it balances" if run.balanced else "IT DOES NOT BALANCE"
    busy = run.account[run.account.any(axis="columns")]
    lines = [busy.to_string()] if len(busy) else []
    if len(busy) < len(run.account):
        lines += [f"{len(run.account) - len(busy)} of {len(run.account)} CPUs saw nothing"]
    lines += [f"{len(run)} events in {run.seconds:.1f} s; {verdict}"]
    if run.problem:
        lines.append(f"it ended before its time: {run.problem}")
    return "\n".join(lines)
