"""What user space finds in the per-CPU map after a run, set beside what the ring buffer brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.collecting.records import NAME_AT, shown, to_frame
from labkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from labkit.collecting.run import Run

MAP = "event_slot"
SHOWN = ["pid", "filename"]


def look_into_map(run: Run) -> pd.DataFrame:
    """Set each CPU's value of the map beside that CPU's last event: one row per CPU that saw one.

    The index is the CPU's id. ``same_bytes`` compares all the bytes of the struct. It is False
    where the last event was attempted and failed: it reached the map, not us. Raises UsageError
    for a run without that map.
    """
    import pandas as pd

    if MAP not in run.slots:
        raise UsageError(f"{run!r} has no map {MAP}: collect with the variant 'percpu'")
    values = run.slots[MAP]
    cpus = pd.Index(run.cpus or range(len(values)), name="cpu")
    last = _last_of_each_cpu(run.records, cpus)
    table = _texts(values).add_prefix("map_").join(_texts(last).add_prefix("row_"))
    pairs = zip(values, last, strict=True)
    table["same_bytes"] = [a.tobytes() == b.tobytes() for a, b in pairs]
    seen = (values["timestamp"] != 0) | (last["timestamp"] != 0)
    of_each: pd.DataFrame = table.set_axis(cpus)[seen]
    return of_each


def _last_of_each_cpu(records: np.ndarray[Any, Any], cpus: pd.Index[int]) -> Any:
    """Return the last record of each of these CPUs; zeros for one without any.

    The ring buffer keeps one CPU's records in the order in which they were sent.
    """
    import pandas as pd

    seen = pd.Series(records["cpu"].astype("int64")).drop_duplicates(keep="last")
    place = pd.Series(seen.index, index=seen.array).reindex(cpus, fill_value=-1).to_numpy()
    last = np.zeros(len(cpus), records.dtype)
    last[place >= 0] = records[place[place >= 0]]
    return last


def _texts(records: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Return pid and file name, one row per record, in the order given."""
    in_order = records.copy()
    in_order["timestamp"] = np.arange(len(records))  # a frame is sorted by it
    return to_frame(in_order, 0)[SHOWN]


def left_over(run: Run) -> pd.Series[str]:
    """Return, for each event, what stands in data[] behind the NUL of its file name.

    The program did not write that: it is what longer names left in the map. The order is that of
    ``run.records``; the text is shown() as in the frame, each NUL as a blank.
    """
    import pandas as pd

    behind = [_behind_nul(bytes(data[NAME_AT:])) for data in run.records["data"]]
    return pd.Series(behind, name="left_over", dtype="object")


def _behind_nul(raw: bytes) -> str:
    _name, _nul, rest = raw.partition(b"\0")
    return shown(rest.strip(b"\0").replace(b"\0", b" "))
