"""What user space finds in the per-CPU map after a run, set beside what the ring buffer brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.collecting.records import NAME_AT, shown, to_frame
from labkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from labkit.collecting.run import Run

SLOT = "event_slot"
SHOWN = ["pid", "comm", "filename"]


def look_into_map(run: Run) -> pd.DataFrame:
    """Set each CPU's slot beside that CPU's last event: one row a possible CPU.

    ``same_bytes`` compares all the bytes of the struct; it is <NA> for a CPU that saw no event.
    It is False where the last event was attempted and failed: it reached the slot, not us. Raises
    UsageError for a run without that map.
    """
    import pandas as pd

    slots = _slots(run)
    cpus = np.array(run.cpus or range(len(slots)))
    last = _last_of_each_cpu(run.records, cpus)
    table = _texts(slots, run).add_prefix("slot_").join(_texts(last, run).add_prefix("row_"))
    seen = (slots["timestamp"] > 0) | (last["timestamp"] > 0)
    same = pd.array(_same(slots, last), dtype="boolean")
    same[~seen] = pd.NA
    table["same_bytes"] = same
    return table.set_axis(cpus).rename_axis("cpu")


def _slots(run: Run) -> np.ndarray[Any, Any]:
    if SLOT not in run.slots:
        raise UsageError(f"{run!r} has no map {SLOT}: collect with the variant 'percpu'")
    return run.slots[SLOT]


def _last_of_each_cpu(
    records: np.ndarray[Any, Any], cpus: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Return the last record of each of the CPUs, which are ids; zeros for one without any.

    The ring buffer keeps one CPU's records in the order in which they were sent.
    """
    last = np.zeros(len(cpus), records.dtype)
    places = np.searchsorted(cpus, records["cpu"])
    last[places] = records  # of several values for one place, NumPy keeps the last
    return last


def _texts(records: np.ndarray[Any, Any], run: Run) -> pd.DataFrame:
    """Return pid and names, a row a record, in the order given, which is not that of time."""
    import pandas as pd

    rows = [to_frame(records[n : n + 1], run.clock_offset) for n in range(len(records))]
    return pd.concat(rows, ignore_index=True)[SHOWN]


def _same(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> list[bool]:
    return [a.tobytes() == b.tobytes() for a, b in zip(left, right, strict=True)]


def left_over(run: Run) -> pd.Series[str]:
    """Return, for each event, what stands in data[] behind the NUL of its file name.

    The program did not write that: it is what longer names left in the slot. The order is that of
    ``run.records``; the text is shown() as in the frame, each NUL as a blank.
    """
    import pandas as pd

    behind = [_behind_nul(bytes(data[NAME_AT:])) for data in run.records["data"]]
    return pd.Series(behind, name="left_over", dtype="object")


def _behind_nul(raw: bytes) -> str:
    _name, _nul, rest = raw.partition(b"\0")
    return shown(rest.strip(b"\0").replace(b"\0", b" "))
