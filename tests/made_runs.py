"""Runs made of bytes, for tests that need no root: what the BPF program would have written."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labkit.building.report import ACCEPTED, BuildReport, Gate
from labkit.collecting import records as recorded
from labkit.collecting.run import Run

VERSIONS = {
    "python": "3.11.2",
    "kernel": "6.1.0",
    "machine": "x86_64",
    "bcc": "0.26.0",
    "llvm": "14",
}
SECOND = 1_000_000_000
WALL_CLOCK = 1_700_000_000 * SECOND


def _field(name: str, offset: int, size: int, code: str, count: int | None = None) -> dict:
    return {"name": name, "offset": offset, "size": size, "code": code, "count": count}


BIG_EVENT = {
    "name": "big_event",
    "size": 544,
    "fields": [
        _field("pid", 0, 4, "I"),
        _field("cpu", 4, 4, "I"),
        _field("timestamp", 8, 8, "Q"),
        _field("comm", 16, 16, "c", 16),
        _field("data", 32, 512, "B", 512),
    ],
}
COUNTERS = {
    "name": "counters",
    "size": 24,
    "fields": [
        _field(name, 8 * place, 8, "Q")
        for place, name in enumerate(("attempted", "submitted", "failed"))
    ],
}


def record(
    pid: int = 42,
    cpu: int = 0,
    timestamp: int = SECOND,
    comm: bytes = b"true",
    filename: bytes = b"/bin/true",
    left_over: bytes = b"",
) -> bytes:
    """Return one event as the program writes it; ``left_over`` stands behind the name's NUL."""
    made = np.zeros(1, recorded.record_dtype(BIG_EVENT))
    made["pid"], made["cpu"], made["timestamp"], made["comm"] = pid, cpu, timestamp, comm
    data = pid.to_bytes(4, "little").ljust(recorded.NAME_AT, b"\0") + filename + b"\0" + left_over
    made["data"][0, : len(data)] = np.frombuffer(data, np.uint8)
    return made.tobytes()


def records(*made: bytes) -> NDArray:
    return recorded.to_records(b"".join(made), BIG_EVENT)


def counters(*rows: tuple[int, int, int]) -> NDArray:
    """Return the kernel's counts, one row (attempted, submitted, failed) a CPU."""
    return np.array(list(rows), dtype=recorded.record_dtype(COUNTERS))


def report(outcome: str = ACCEPTED, **facts) -> BuildReport:
    gates = (Gate("compiler", outcome != "compiler_refused", 0.2), Gate("verifier"))
    stated = {"compiler_log": "", "verifier_text": "", "how_lifted": None, "versions": VERSIONS}
    return BuildReport("percpu", outcome, gates, **{**stated, **facts})


def make_run(made: list[bytes] | None = None, *, cpus: int = 2, failed: int = 0, **facts) -> Run:
    """Return a run of those records on ``cpus`` CPUs; ``failed`` more were attempted on CPU 0."""
    taken = records(*(made if made is not None else [record(cpu=n) for n in range(cpus)]))
    delivered = np.bincount(taken["cpu"], minlength=cpus)
    lost = [failed] + [0] * (cpus - 1)
    rows = [(int(d) + f, int(d), f) for d, f in zip(delivered, lost, strict=True)]
    stated = {"report": report(), "seconds": 2.0, "clock_offset": WALL_CLOCK}
    return Run(**{**stated, "records": taken, "counters": counters(*rows), **facts})


def refused_run() -> Run:
    return Run(
        report("compiler_refused", compiler_log="error: <stack> limit"), records(), counters()
    )


def dead_run() -> Run:
    """Return a run whose worker died: its records are there, its account is not known."""
    return make_run(report=report("worker_died"), counters=counters(), complete=False)
