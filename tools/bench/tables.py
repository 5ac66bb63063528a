"""From bytes to a table, and from a table to a file, beside what everybody writes."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import labkit
from labkit.collecting import records as recorded
from labkit.collecting.run import Run
from labkit.errors import MachineError
from tools.bench.compare import Bar, Contender, Table, in_turn

EVENTS, MANY = 100_000, 1_000_000
LAB, USUAL, FASTEST = "labkit", "callback, slicing the array", "callback, copying the array first"


def a_run(events: int) -> Run:
    """Return a run of that many events: those of a real one, again and again."""
    run: Run = labkit.collect("percpu", seconds=1.0, workload=labkit.exec_storm(rate=0))
    if not len(run):
        raise MachineError("a second of execs gave no event", "./lab check")
    return replace(run, records=np.resize(run.records, events))


class Event(ctypes.Structure):
    """struct big_event, as a bcc script declares it."""

    _fields_ = (
        ("pid", ctypes.c_uint32),
        ("cpu", ctypes.c_uint32),
        ("timestamp", ctypes.c_uint64),
        ("comm", ctypes.c_char * 16),
        ("data", ctypes.c_uint8 * 512),
    )


def slicing(event: Event) -> tuple[bytes, bytes]:
    """Return the check and the name as one writes it first; a slice of a ctypes array is a list."""
    return bytes(event.data[:4]), bytes(event.data[recorded.NAME_AT :])


def copying(event: Event) -> tuple[bytes, bytes]:
    """Return the same as one writes it who has measured."""
    plain = bytes(event.data)
    return plain[:4], plain[recorded.NAME_AT :]


def by_callback(
    raw: np.ndarray[Any, Any], offset: int, parts: Callable[[Event], tuple[bytes, bytes]]
) -> Any:
    """Make a DataFrame as bcc's examples do: C calls Python for each event, which makes a dict.

    libc's lfind() is the loop in C: it calls for each record that lies in memory.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []

    def on_event(_context: int, data: int) -> int:
        event = ctypes.cast(data, ctypes.POINTER(Event)).contents
        check, name = parts(event)
        rows.append(
            {
                "time": event.timestamp + offset,
                "cpu": event.cpu,
                "pid": event.pid,
                "comm": event.comm.decode("utf-8", "replace"),
                "filename": name.partition(b"\0")[0].decode("utf-8", "replace"),
                "data_ok": int.from_bytes(check, "little") == event.pid,
                "timestamp": event.timestamp,
            }
        )
        return 1  # not this one: go on

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(on_event)
    count, start = ctypes.c_size_t(len(raw)), raw.ctypes.data_as(ctypes.c_void_p)
    ctypes.CDLL(None).lfind(None, start, ctypes.byref(count), ctypes.c_size_t(544), callback)
    frame = pd.DataFrame(rows)
    return frame.assign(time=pd.to_datetime(frame["time"], unit="ns", utc=True))


def timed(what: Callable[[], object]) -> float:
    """Return the seconds that it takes."""
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


# In a process of its own: the most that a process had can only be asked of one that did no more.
PEAK = """
import json, resource, sys, time
import numpy as np
import pandas, pyarrow
from labkit.collecting import records
few = records.to_records(open(sys.argv[1], "rb").read(), json.loads(sys.argv[2]))
offset, many = int(sys.argv[3]), np.empty(int(sys.argv[4]), few.dtype)
for start in range(0, len(many), len(few)):
    many[start : start + len(few)] = few[: len(many) - start]
records.to_frame(few[:1000], offset)
before = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
started = time.perf_counter()
frame = records.to_frame(many, offset)
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([seconds, (peak - before) / 1e6]))
"""


def a_million(run: Run) -> tuple[float, float]:
    """Return the seconds for a million events, and how many MB it took at most beside them."""
    layout = json.dumps(labkit.layout()["big_event"])
    with tempfile.NamedTemporaryFile(prefix="labkit-bench-") as kept:
        kept.write(run.records[:50_000].tobytes())
        kept.flush()
        words = [sys.executable, "-c", PEAK, kept.name, layout, str(run.clock_offset), str(MANY)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    seconds, megabytes = json.loads(done.stdout)
    return float(seconds), float(megabytes)


def measure_table(rounds: int, say: Callable[[str], object]) -> list[Table]:
    """Measure the way from the ring buffer's bytes to a DataFrame."""
    run = a_run(EVENTS)
    contenders = [
        Contender(name, partial(timed, partial(make, run.records, run.clock_offset, *how)))
        for name, make, *how in (
            (LAB, recorded.to_frame),
            (USUAL, by_callback, slicing),
            (FASTEST, by_callback, copying),
        )
    ]
    figures, missing = in_turn(contenders, rounds, say)
    how = (
        f"{EVENTS:,} events of a real run, 544 bytes each, to a DataFrame of the same seven"
        " columns. The usual way is a ctypes callback for each event, a dict in it, and"
        " `pd.DataFrame(rows)`; the loop that calls it is C's. It takes the name from the array"
        " of bytes by `bytes(event.data[16:])`, or, faster, by `bytes(event.data)[16:]`."
    )
    table = Table("From bytes to a table", how, "seconds", figures, missing)
    table.ratio(LAB, USUAL, 1 / 20)
    table.ratio(LAB, FASTEST)
    many = [a_million(run) for _ in range(rounds)]
    table.bars.append(Bar(f"{MANY:,} events: seconds", [one[0] for one in many], 1.0))
    table.bars.append(Bar(f"{MANY:,} events: MB beside them", [one[1] for one in many], 400))
    return [table]


def measure_files(rounds: int, say: Callable[[str], object]) -> list[Table]:
    """Measure how long a run takes to be written to a file."""
    run = a_run(EVENTS)
    frame = run.table
    plain = "pandas' to_csv"
    with tempfile.TemporaryDirectory(prefix="labkit-bench-") as folder:
        path = partial(Path, folder)
        contenders = [
            Contender("export_csv", lambda: timed(lambda: labkit.export_csv(run, path("a.csv")))),
            Contender("export_parquet", lambda: timed(lambda: _parquet(run, path("a.parquet")))),
            Contender(plain, lambda: timed(lambda: frame.to_csv(path("b.csv"), index=False))),
        ]
        figures, missing = in_turn(contenders, rounds, say)
    how = (
        f"A run of {EVENTS:,} events, its table made already, to a file. The lab's CSV is safe to"
        " open in a spreadsheet and reads back to the same table; pandas' own is neither."
    )
    table = Table("To a file", how, "seconds", figures, missing)
    table.ratio("export_csv", plain, 2.0)
    table.ratio("export_parquet", plain)
    return [table]


def _parquet(run: Run, path: Path) -> None:
    labkit.export_parquet(run, path)
