"""Other ways out: what else gets around the stack limit, when to choose it, and what it costs.

Each way is a program of its own in bpf/alternatives/, with the lesson's event, ring buffer and
counters, so that build(), collect() and the widgets take ``way.variant`` as they take the lesson's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.program.variants import BPF_TREE, Variant

if TYPE_CHECKING:
    import pandas as pd

    from labkit.claims.claim import Result

FOLDER = BPF_TREE / "alternatives"
SMALL_DATA = 416  # bytes of data[] in the event that fits: 448 in all


@dataclass(frozen=True)
class Way:
    """One way out. ``since`` is the first kernel that has it, ``choose`` when to choose it."""

    name: str
    title: str
    since: str
    choose: str
    defines: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The program's file."""
        return FOLDER / f"{self.name}.c"

    @property
    def variant(self) -> Variant:
        """The program as build() and collect() take it."""
        return Variant(self.name, self.path, self.title, defines=self.defines)


WAYS: dict[str, Way] = {
    way.name: way
    for way in (
        Way(
            "percpu_array",
            "per-CPU array, then output",
            "4.6",
            "the default: one program, one event at a time on each CPU",
        ),
        Way(
            "ringbuf_reserve",
            "reserve in the ring buffer, then submit",
            "5.8",
            "a ring buffer is used anyway and the size is known: no scratch, no copy",
        ),
        Way(
            "reserve_or_heap",
            "reserve where there is a ring buffer, else a per-CPU heap",
            "4.6; the reserving half 5.8",
            "one source for kernels with a ring buffer and without: so do bcc's libbpf-tools and "
            "Inspektor Gadget",
        ),
        Way(
            "percpu_hash",
            "per-CPU hash",
            "4.6",
            "several events are under way on a CPU, each with a key of its own",
        ),
        Way(
            "hash_by_task",
            "hash keyed by pid_tgid",
            "3.19",
            "the program may be preempted or sleep, or an event is made in two places",
        ),
        Way(
            "task_storage",
            "task-local storage",
            "5.11; in tracing programs 5.13",
            "as hash_by_task, on a newer kernel: cheaper, and it cleans up after itself",
        ),
        Way(
            "small_event",
            "an event cut down to fit on the stack",
            "any",
            "what is cut away is not missed",
            defines=(f"DATA_BYTES={SMALL_DATA}",),
        ),
        Way(
            "shared_array",
            "one slot for all CPUs",
            "3.19",
            "never for scratch: CPUs tear each other's events; here to be compared",
        ),
    )
}

# Ways without a program here: bcc has no words for them, or they need a second program. Global
# per-CPU variables came with 6e61f4f8b043 (kernel) and f4e64cb65f5a (libbpf), BPF_F_CPU with
# 8eb76cb03f0f; both are read there, not tried.
ALSO: dict[str, tuple[str, str]] = {
    "tail call": ("4.2", "the work falls into stages; each has a stack of its own"),
    "ring buffer dynptr": ("5.19", "the size of the event is known only at run time"),
    "bpf_obj_new": ("6.2", "objects live on in lists and trees; needs BTF, so clang and libbpf"),
    'global variable in SEC(".percpu")': (
        "after 7.3",
        "a per-CPU array of one element underneath, but written as a variable, without look-up and "
        "NULL check; needs clang and a libbpf newer than 1.7.0",
    ),
    "BPF_F_CPU, to read a slot": (
        "7.0",
        "user space wants one CPU's slot: the flag, with the CPU's number from bit 32 up, copies "
        "that one instead of all",
    ),
    "arena": ("6.9", "large structures shared with user space; needs clang and libbpf"),
}


@dataclass(frozen=True, repr=False, eq=False)
class WaysOut:
    """The ways out as a table that is shown whole: when to choose one takes a sentence."""

    table: pd.DataFrame

    def __repr__(self) -> str:
        from labkit.show import ways

        return ways.ways_text(self.table)

    def _repr_html_(self) -> str:
        from labkit.show import ways

        return ways.ways_html(self.table)


def other_ways(cost: Result | None = None) -> WaysOut:
    """Return the ways out, one row each in ``table``: way, file, since, choose_when, ns_per_event.

    ``cost`` is the result of the experiment of that name; without it the last column is left out,
    and it is NaN for a way that was not measured. ``since`` is the kernel that has it first.
    """
    import pandas as pd

    rows = [(way.title, f"{way.name}.c", way.since, way.choose, way.name) for way in WAYS.values()]
    rows += [(name, "", since, choose, "") for name, (since, choose) in ALSO.items()]
    frame = pd.DataFrame(rows, columns=["way", "file", "since", "choose_when", "name"])
    if cost is not None and cost.measured is not None:
        medians = cost.measured.groupby("way").ns_per_event.median().round()
        frame["ns_per_event"] = frame.name.map(medians)
    return WaysOut(frame.drop(columns="name"))
