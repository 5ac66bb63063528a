"""check(): what this machine has and lacks, and the command that mends each lack.

Everything is tried, not guessed from a version. Only the standard library, so that it works before
anything is set up.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from errno import EPERM
from pathlib import Path
from typing import Any

from labkit import session
from labkit.errors import MachineError
from labkit.machine import rights, tracefs
from labkit.machine.bpf_syscall import MAP_CREATE, bpf
from labkit.machine.stack_limit import measured

NEWER_KERNEL = "boot a kernel of 5.8 or later (uname -r tells which one runs)"
BPFFS = "/sys/fs/bpf"
LOCKDOWN = Path("/sys/kernel/security/lockdown")

_ARRAY, _PERCPU_ARRAY, RINGBUF = 2, 6, 27  # linux/bpf.h: enum bpf_map_type


@dataclass(frozen=True)
class Row:
    """One thing the lab needs: ``ok`` is None where it is worth knowing but not needed."""

    name: str
    ok: bool | None
    found: str
    mend: str = ""


class Checklist(Sequence[Row]):
    """The rows of check(), in the order in which to mend them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = tuple(rows)

    @property
    def ok(self) -> bool:
        """Whether nothing that is needed is missing."""
        return all(row.ok is not False for row in self.rows)

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return "\n".join(line for row in self.rows for line in _lines(row))

    def _repr_html_(self) -> str:
        from labkit import show

        return show.check_html(self)

    def to_json(self) -> dict[str, Any]:
        """Return the rows as plain values, and whether all is well."""
        return {"ok": self.ok, "rows": [vars(row) for row in self.rows]}


def _lines(row: Row) -> Iterator[str]:
    sign = {True: "ok     ", False: "MISSING", None: "note   "}[row.ok]
    yield f"{sign}  {row.name:<18} {row.found}"
    if row.mend:
        yield f"{'':9}{'':<18} -> {row.mend}"


def check() -> Checklist:
    """Try what the lab needs on this machine. Mounts tracefs and bpffs where they are missing."""
    return Checklist([row for probe in _PROBES for row in probe()])


def _kernel() -> Iterator[Row]:
    yield Row("kernel", None, f"Linux {platform.release()} {platform.machine()}")


# What LABKIT_BCC_PYTHON names may have rights that this process has not, or fewer.
_BY_THE_LOADER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from labkit.checklist import map_rows, rights_rows
print(json.dumps([vars(row) for row in (*rights_rows(), *map_rows())]))
"""


def _rights_and_maps() -> Iterator[Row]:
    """Ask the process that loads what it may do, and whether the kernel gives it maps."""
    python = os.environ.get("LABKIT_BCC_PYTHON")
    if python and shutil.which(python):
        root = str(Path(__file__).resolve().parents[1])
        words = [python, "-I", "-c", _BY_THE_LOADER, root]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout:
            yield from (Row(**row) for row in json.loads(done.stdout))
            return
    yield from rights_rows()
    yield from map_rows()


def rights_rows() -> Iterator[Row]:
    """Yield what this process may do."""
    who = "root" if os.geteuid() == 0 else f"user {os.geteuid()}"
    if rights.may_load():
        yield Row("rights", True, who)
    else:
        yield Row("rights", False, f"{who}, without CAP_BPF and CAP_PERFMON", rights.mend())


def create_map(kind: int, key_size: int, value_size: int, entries: int) -> int:
    """Ask the kernel for a map and give it back at once. Return 0, or the errno."""
    fd, errno = bpf(MAP_CREATE, "=IIII", kind, key_size, value_size, entries)
    if fd >= 0:
        os.close(fd)
    return errno


def map_rows() -> Iterator[Row]:
    """Yield which maps the kernel gives to this process; each is given back at once."""
    page = os.sysconf("SC_PAGE_SIZE")
    yield _map_row("bpf() call", create_map(_ARRAY, 4, 8, 1), NEWER_KERNEL)
    yield _map_row("per-CPU array", create_map(_PERCPU_ARRAY, 4, 768, 1), NEWER_KERNEL)
    yield _map_row("ring buffer", create_map(RINGBUF, 0, 0, page), NEWER_KERNEL)


def _map_row(name: str, errno: int, mend: str) -> Row:
    if errno == 0:
        return Row(name, True, "the kernel made one")
    refused = os.strerror(errno)
    if errno == EPERM:
        mend = rights.mend()
    return Row(name, False, refused, mend)


def stack_limit_rows() -> Iterator[Row]:
    """How much stack a program may have: some fifty small programs were loaded to find out."""
    found = measured()
    yield Row("stack limit", None, str(found))
    if found.chain_rule:
        yield Row("call chains", None, found.chain_rule)


def _tracefs() -> Iterator[Row]:
    try:
        done = tracefs.mount_tracefs()
    except OSError as error:
        yield Row("tracefs", False, str(error.strerror), tracefs.mend(error))
        return
    place = tracefs.tracefs_place()
    yield Row("tracefs", True, f"{done} just now" if done else f"mounted on {place}")
    event = Path(place or tracefs.TRACEFS, "events/sched/sched_process_exec/id")
    there = event.exists()
    yield Row(
        "tracepoint",
        there,
        "sched:sched_process_exec " + ("is there" if there else "is missing"),
        "" if there else "boot a kernel with CONFIG_EVENT_TRACING=y",
    )


def _bpffs() -> Iterator[Row]:
    if _mounted("bpf", BPFFS):
        yield Row("bpffs", None, f"mounted on {BPFFS}")
        return
    try:
        yield Row("bpffs", None, f"{tracefs.mount('bpf', BPFFS)} just now")
    except OSError as error:
        mend = f"sudo mount -t bpf bpf {BPFFS} (only bpftool's pinning needs it)"
        yield Row("bpffs", None, str(error.strerror), mend)


def _mounted(kind: str, place: str) -> bool:
    words = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return any(word[1] == place and word[2] == kind for word in words)


def _bcc() -> Iterator[Row]:
    try:
        warm = session.shared()
    except MachineError as error:
        yield Row("bcc", False, error.reason, error.mend)
        return
    versions = warm.versions
    tried = f" (tried before: {'; '.join(warm.problems)})" if warm.problems else ""
    yield Row("bcc", True, f"{versions['bcc']}, in {warm.python}{tried}")
    yield Row("LLVM in bcc", None, _llvm(versions["llvm"]))


def _llvm(version: str) -> str:
    major = version.partition(".")[0]
    if not major.isdigit():
        return f"{version}: linked into libbcc"
    lifting = (
        "an option lifts its stack check" if int(major) >= 17 else "no option lifts its stack check"
    )
    return f"{version}: {lifting}"


def _cpus() -> Iterator[Row]:
    folder = Path("/sys/devices/system/cpu")
    numbers = {name: folder.joinpath(name).read_text().strip() for name in ("possible", "online")}
    yield Row("CPUs", None, f"possible {numbers['possible']}, online {numbers['online']}")


def _lockdown() -> Iterator[Row]:
    if not LOCKDOWN.exists():
        yield Row("kernel lockdown", None, "not in use")
        return
    level = LOCKDOWN.read_text().partition("[")[2].partition("]")[0]
    if level == "confidentiality":
        mend = "turn Secure Boot off, or boot with lockdown=integrity"
        yield Row("kernel lockdown", False, "confidentiality: BPF may not read the kernel", mend)
    else:
        yield Row("kernel lockdown", True, level or "none")


# In a process of its own, so that this one's limit stays as it is.
_MEMLOCK_PROBE = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from labkit.checklist import create_map
resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]))
print(create_map(2, 4, 65536, 1))
"""


def _memlock() -> Iterator[Row]:
    """Whether maps count against RLIMIT_MEMLOCK (not since 5.11, which charges the cgroup)."""
    if create_map(_ARRAY, 4, 8, 1) != 0:
        return
    root = str(Path(__file__).resolve().parents[1])
    probe = [sys.executable, "-I", "-S", "-c", _MEMLOCK_PROBE, root]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    told = {"0": "does not count BPF maps", str(EPERM): "counts BPF maps; bcc raises it by itself"}
    yield Row(
        "RLIMIT_MEMLOCK", None, told.get(done.stdout.strip(), "whether it counts is not known")
    )


_PROBES: tuple[Callable[[], Iterator[Row]], ...] = (
    _kernel,
    _rights_and_maps,
    stack_limit_rows,
    _tracefs,
    _bpffs,
    _bcc,
    _cpus,
    _lockdown,
    _memlock,
)
