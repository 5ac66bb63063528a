"""Exercises 6 to 10, about per-CPU arrays and events: the questions and their checks.

A program is run and judged by the bytes it sends and by what it counts. A check never raises for a
wrong answer; only a machine that cannot build raises, MachineError.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import numpy as np

from labkit.building.build import layout
from labkit.building.report import BuildReport
from labkit.claims.measuring import RING
from labkit.collecting.folders import EVENT
from labkit.collecting.records import NAME_AT, balances, shown
from labkit.collecting.run import Run
from labkit.collecting.run_file import COUNTS
from labkit.machine.bpf_syscall import MAP_TYPES
from labkit.machine.cpus import possible_cpus
from labkit.machine.stack_limit import WORD
from labkit.notebook.exercises import trial
from labkit.notebook.exercises.answers import (
    ASK_FIRST,
    is_placeholder,
    loaded,
    whole_number,
)
from labkit.notebook.exercises.solved import noted
from labkit.notebook.exercises.trial import Seen
from labkit.notebook.feedback import Feedback, not_tried, not_yet, right
from labkit.program.variants import BPF_TREE, STRUCTS

OWN_BYTES = 1000  # what the reader's own program must write into one value
START = {name: BPF_TREE / "exercises" / f"{name}.c" for name in ("own_scratch", "stale_event")}
ARRAYS = (MAP_TYPES["array"], MAP_TYPES["percpu_array"])

_draw = random.SystemRandom()
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|\s+", re.DOTALL)
_CALLED = re.compile(r"\bcall (bpf_ringbuf_\w+)#")


def _is_untouched(made: object, start: str) -> bool:
    """Whether a program is still the one that the exercise begins with, comments aside."""
    report = made.report if isinstance(made, Run) else made
    text = START[start].read_text("utf-8")
    return isinstance(report, BuildReport) and (
        _COMMENT.sub("", report.source) == _COMMENT.sub("", text)
    )


@noted("own_scratch")
def check_own(made: object = None) -> Feedback:
    """Run what a %%bpf cell left: it must write OWN_BYTES into one value of an array."""
    if _is_untouched(made, "own_scratch"):
        return not_tried("the program is still as it was")
    report = loaded(made)
    if isinstance(report, Feedback):
        return report
    large = [name for name, facts in report.maps.items() if facts["value_size"] >= OWN_BYTES]
    if not large:
        return not_yet(f"it loads, but no map has a value of {OWN_BYTES} bytes: too small")
    arrays = [name for name in large if report.maps[name]["type"] in ARRAYS]
    if not arrays:
        return not_yet(f"{' and '.join(large)} is no array, whose values could be looked at")
    filled = trial.largest_filled(report, arrays)
    if isinstance(filled, Feedback):
        return filled
    if not filled:
        return not_yet(
            f"it loads, but nothing was written into {' or '.join(arrays)} while programs were"
            " started: is it used, and at the tracepoint?"
        )
    if filled < OWN_BYTES:
        return not_yet(f"too small: not all the {OWN_BYTES} bytes were written")
    return right(f"{filled} bytes were written into one value, {_of_stack(report)}")


def _of_stack(report: BuildReport) -> str:
    depth = report.stack_depth
    return "with less of stack" if depth is None else f"with {depth} bytes of stack"


@dataclass(frozen=True)
class Memory:
    """Three per-CPU arrays of one element each: bytes of the element, by struct."""

    sizes: dict[str, int]

    def __repr__(self) -> str:
        return "\n".join(f"{name} {size} bytes" for name, size in self.sizes.items())

    @property
    def bytes(self) -> int:
        """What their values take here, all CPUs together."""
        return sum(-(-size // 8) * 8 for size in self.sizes.values()) * len(possible_cpus())


def memory() -> Memory:
    """Return the lesson's structs in sizes that are others each time, as the compiler has them."""
    data, buffer = (WORD * _draw.randint(20, 120) for _ in range(2))
    sizes = layout(f"DATA_BYTES={data}", f"BUFFER_BYTES={buffer}", f"VALUES={_draw.randint(8, 60)}")
    return Memory({name: sizes[name]["size"] for name in STRUCTS})


@noted("memory")
def check_memory(asked: object = None, answer: object = None) -> Feedback:
    """Compare with the bytes that the values of these arrays take on this machine."""
    if not isinstance(asked, Memory):
        return not_tried(ASK_FIRST)
    taken = whole_number(answer, "bytes")
    if isinstance(taken, Feedback):
        return taken
    if taken == asked.bytes:
        return right(f"each of {len(possible_cpus())} possible CPUs has its own")
    if taken == sum(asked.sizes.values()):
        return not_yet("too small: that is the memory of one CPU")
    return not_yet("too small" if taken < asked.bytes else "too large")


def _attached(run: object) -> Run | Feedback:
    if is_placeholder(run):
        return not_tried("there is no run yet: labkit.collect() returns one")
    if not isinstance(run, Run):
        return not_yet(
            f"a {type(run).__name__} was given; asked for is the run itself, from labkit.collect()"
        )
    if not run.attached:
        return not_yet(f"nothing was attached: {run.report.explain().happened}")
    return run


@noted("loss")
def check_loss(given: object = None) -> Feedback:
    """Check a run that was to lose events: it did, and each loss was counted."""
    run = _attached(given)
    if isinstance(run, Feedback):
        return run
    if not run.complete:
        return not_yet("its worker died, so its account is not known")
    total = run.account.sum()
    told = f"{total.attempted} attempted = {total.delivered} delivered + {total.failed} failed"
    if not total.attempted:
        return not_yet("no event was attempted: did any program start meanwhile?")
    if not run.balanced:
        return not_yet("the account does not balance")
    if not total.failed:
        return not_yet(told, "no event was lost: a smaller ring buffer, or more at a time?")
    return right(told, "lost, but not in silence")


@noted("longest_gap")
def check_longest_gap(given: object = None, nanoseconds: object = None) -> Feedback:
    """Compare with the longest time between two events in a row on the same CPU."""
    run = _attached(given)
    if isinstance(run, Feedback):
        return run
    answer = whole_number(nanoseconds, "nanoseconds")
    if isinstance(answer, Feedback):
        return answer
    gaps = run.table.groupby("cpu").timestamp.diff().dropna()
    if gaps.empty:
        return not_yet("this run has no two events on one CPU: collect again")
    truth = int(gaps.max())
    if answer == truth:
        return right(f"{truth / 1e6:,.1f} ms, before row {gaps.idxmax()}")
    if answer == int(run.table.timestamp.diff().max()):
        return not_yet("too small: that is between two events of whichever CPU")
    if answer in (truth // 1000, truth // 1_000_000):
        return not_yet("too small: is it in nanoseconds?")
    return not_yet("too small" if answer < truth else "too large")


@noted("clean")
def check_clean(made: object = None) -> Feedback:
    """Run the reader's program: no event may carry what an older one left."""
    report = _sender(made)
    seen = report if isinstance(report, Feedback) else trial.run(report)
    if isinstance(seen, Feedback):
        return seen
    return _faults(seen) or right(
        f"{len(seen.sent)} events of names of many lengths, nothing left over in any of them"
    )


@noted("direct")
def check_direct(made: object = None) -> Feedback:
    """Run the reader's program: sound and clean events, written in the ring buffer itself."""
    report = _sender(made)
    if isinstance(report, Feedback):
        return report
    scratch = [name for name in report.maps if name not in (RING, COUNTS)]
    if scratch:
        return not_yet(f"it loads, but there is a scratch still: {', '.join(scratch)}")
    called = set(_CALLED.findall(report.verifier_text))
    if "bpf_ringbuf_output" in called:
        return not_yet("it loads, but ringbuf_output() copies an event that was made elsewhere")
    if not any(name.startswith("bpf_ringbuf_reserve") for name in called):
        return not_yet("it loads, but reserves no place in the ring buffer")
    seen = trial.run(report)
    if isinstance(seen, Feedback):
        return seen
    return _faults(seen) or right(f"{len(seen.sent)} events, written in the ring buffer itself")


def _sender(made: object) -> BuildReport | Feedback:
    """Return the report of a program that can be run as the lesson's is; or what it lacks."""
    if _is_untouched(made, "stale_event"):
        return not_tried("the program is still as it was")
    report = loaded(made)
    if isinstance(report, Feedback):
        return report
    missing = [name for name in (RING, COUNTS) if name not in report.maps]
    if missing:
        return not_yet(f"it has no map called {' and none called '.join(missing)}")
    counts = report.maps[COUNTS]
    fields = (counts["layout"] or {}).get("name")
    if counts["type"] != MAP_TYPES["percpu_array"] or fields != "counters":
        return not_yet(f"keep BPF_PERCPU_ARRAY({COUNTS}, struct counters, 1): the check reads it")
    return report


def _faults(seen: Seen) -> Feedback | None:
    """Return what is wrong with the events of a program, if anything is: the first of it."""
    for fault in (_unsound, _unaccounted, _stale):
        if words := fault(seen):
            return not_yet(*words)
    return None


def _unsound(seen: Seen) -> list[str]:
    if not seen.sent:
        return ["no event came, though programs were started"]
    largest = layout()[EVENT]["size"]
    if max(map(len, seen.sent)) > largest:
        return ["an event is larger than struct big_event"]
    events = seen.events
    spelt = np.ascontiguousarray(events["data"][:, :4]).view("<u4").ravel()
    if (spelt != events["pid"]).any() or not events["pid"].all():
        return ["data[0..3] does not hold the pid in every event"]
    if not events["timestamp"].all() or (events["comm"] == b"").any():
        return ["an event lacks its time or its comm: fill_identity() sets them"]
    return _lacking_names(seen)


def _lacking_names(seen: Seen) -> list[str]:
    room = layout()[EVENT]["size"] - _name_at() - 1
    wanted = {name[:room] for name in seen.names}
    got = {_name(raw) for raw in seen.sent}
    if not any(name.startswith(b"/") for name in got):
        return [f"no event has a file name in data, from byte {NAME_AT} on"]
    if any(name and name not in wanted and _begins_one(name, wanted) for name in got):
        return ["a long file name arrived cut off: too small"]
    if not wanted <= got:
        return ["some programs were started, and no event has their file name"]
    return []


def _begins_one(name: bytes, wanted: set[bytes]) -> bool:
    return any(full.startswith(name) and len(full) > len(name) for full in wanted)


def _name_at() -> int:
    """Return where the file name begins in an event, in bytes."""
    [data] = [field for field in layout()[EVENT]["fields"] if field["name"] == "data"]
    return int(data["offset"]) + NAME_AT


def _name(raw: bytes) -> bytes:
    return raw[_name_at() :].partition(b"\0")[0]


def _unaccounted(seen: Seen) -> list[str]:
    total = seen.account.sum()
    if total.attempted < seen.execs:
        return ["attempted is too small: not every start of a program was counted"]
    if not balances(seen.account):
        counted = ", ".join(f"{total[name]} {name}" for name in total.index)
        return [f"the account does not balance: {counted}", "what could not be sent has failed"]
    return []


def _stale(seen: Seen) -> list[str]:
    """Look behind the NUL that ends the name, and between the pid and the name."""
    at = _name_at()
    behind = [raw[at - NAME_AT + 4 : at] + raw[at:].partition(b"\0")[2] for raw in seen.sent]
    dirty = [rest.strip(b"\0") for rest in behind if any(rest)]
    if not dirty:
        return []
    return [
        f"{len(dirty)} of {len(seen.sent)} events carry bytes of older ones",
        f"for instance: {shown(dirty[0].replace(bytes(1), b' '))[-40:]!r}",
    ]
