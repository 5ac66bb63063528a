"""A tracepoint as the kernel describes it: its format file in tracefs, read when asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.errors import MachineError, UsageError
from labkit.machine.rights import AS_ROOT
from labkit.machine.tracefs import LEGACY_TRACEFS, MOUNT, TRACEFS

if TYPE_CHECKING:
    import pandas as pd

EXEC = "sched:sched_process_exec"

# "<tab>field:unsigned short common_type;<tab>offset:0;<tab>size:2;<tab>signed:0;"
_FIELD = re.compile(
    r"field:(?P<kind>.*?)(?P<name>\w+)(?P<array>\[[^]]*\])?;"
    r"\s*offset:(?P<offset>\d+);\s*size:(?P<size>\d+);"
)


@dataclass(frozen=True)
class Tracepoint:
    """A place in the kernel where a program can be attached, and what it hands to the program."""

    name: str
    text: str  # the format file, as it stands

    @cached_property
    def fields(self) -> pd.DataFrame:
        """One row a field: its type in C, offset and size in bytes."""
        import pandas as pd

        found = [_described(match) for match in _FIELD.finditer(self.text)]
        return pd.DataFrame(found, columns=["type", "name", "offset", "size"]).set_index("name")

    def is_data_loc(self, field: str) -> bool:
        """Whether a field tells where the data lies rather than hold it.

        Its lower 16 bits are then an offset into the record, its upper 16 bits a length.
        """
        if field not in self.fields.index:
            there = ", ".join(self.fields.index)
            raise UsageError(f"{self.name} has no field {field!r}; it has: {there}")
        return str(self.fields.at[field, "type"]).startswith("__data_loc")

    def __repr__(self) -> str:
        return f"<Tracepoint {self.name}: {len(self.fields)} fields>"


def _described(match: re.Match[str]) -> tuple[str, str, int, int]:
    kind = (match["kind"].strip() + (match["array"] or "")).strip()
    return kind, match["name"], int(match["offset"]), int(match["size"])


def read_tracepoint(name: str = EXEC) -> Tracepoint:
    """Read a tracepoint's format file, ``category:event``.

    Raises MachineError where tracefs is not mounted or may not be read, UsageError where this
    kernel has no such tracepoint.
    """
    category, _, event = name.partition(":")
    if not re.fullmatch(r"\w+", category) or not re.fullmatch(r"\w+", event):
        raise UsageError(f"a tracepoint is called category:event, as in {EXEC!r}: {name!r}")
    events = _tracefs() / "events"
    try:
        return Tracepoint(name, (events / category / event / "format").read_text("ascii"))
    except FileNotFoundError:
        raise UsageError(f"this kernel has no tracepoint {name!r}; they are in {events}") from None
    except PermissionError as error:
        raise MachineError(f"{error.filename} may not be read", "run this as root") from None


def _tracefs() -> Path:
    """Return where tracefs is mounted."""
    try:
        return next(
            place for place in map(Path, (TRACEFS, LEGACY_TRACEFS)) if (place / "events").is_dir()
        )
    except StopIteration:
        raise MachineError("tracefs is not mounted", MOUNT) from None
    except PermissionError:
        raise MachineError("tracefs may not be read", AS_ROOT) from None
