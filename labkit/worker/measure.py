"""The job `measure`: sources through both gates, then steps of attach, load, detach, read.

A step attaches some of the sources, runs a load, detaches, and tells what the kernel counted: for
each program its run time, runs and skipped runs, for each map what the kernel accounts for it and,
where asked, its values, and the ring buffer's records. Nothing of it is pinned, so all of it ends
with this process, the switch for BPF statistics too.
"""

from __future__ import annotations

import base64
import fcntl
import os
import time
from collections.abc import Callable
from typing import Any

from labkit.machine.bpf_syscall import ENABLE_STATS, bpf
from labkit.worker import load
from labkit.worker.attach import attach, detach
from labkit.worker.collect import Stop
from labkit.worker.compile import Module
from labkit.worker.maps import Values, fdinfo
from labkit.worker.ring import Framed, Ring

BPF_STATS_RUN_TIME = 0  # ENABLE_STATS: since 5.8 (d46edd671a14)
PAUSE = 0.001  # seconds between two looks at a load and its ring buffer
COUNTED = ("run_time_ns", "run_cnt", "recursion_misses")


def enable_statistics() -> int:
    """Have the kernel time BPF programs until the returned descriptor is closed (Linux 5.8)."""
    fd, error = bpf(ENABLE_STATS, "=I", BPF_STATS_RUN_TIME)
    if fd < 0:
        raise OSError(error, "the kernel does not time BPF programs")
    return int(fd)


def run(
    request: dict[str, Any],
    build: Callable[[dict[str, Any], Callable[..., None]], Any],
    emit: Callable[..., None],
) -> None:
    """Build each source with ``build``; if all pass, or ``partial`` is asked for, do the steps.

    Records go to files in the folder ``request["records"]``, one a step and source.
    """
    modules = []
    for number, source in enumerate(request["sources"]):

        def emit_of_source(event: str, _number: int = number, **facts: Any) -> None:
            emit(event, source=_number, **facts)

        modules.append(build(source, emit_of_source))
    if None in modules and not request["partial"]:
        return
    try:
        _all_steps(modules, request, emit)
    except OSError as error:
        emit("cannot", reason=error.strerror)


def _all_steps(
    modules: list[Module | None],
    request: dict[str, Any],
    emit: Callable[..., None],
) -> None:
    statistics = enable_statistics() if request["statistics"] else -1
    stop = Stop()
    for number, step in enumerate(request["steps"]):
        if stop.asked:
            break
        wanted = {n: modules[n] for n in step["sources"]}
        chosen = {n: module for n, module in wanted.items() if module is not None}
        place = os.path.join(request["records"], str(number))
        emit("step", step=number, **_step(chosen, step, stop, place))
    if statistics >= 0:
        os.close(statistics)


def _step(
    modules: dict[int, Module], step: dict[str, Any], stop: Stop, place: str
) -> dict[str, Any]:
    """Do one step. Counts are of this step alone, burst by burst; records go to files at place."""
    described = {number: module.maps().get(step["ring"]) for number, module in modules.items()}
    rings = {n: _ring(ring["fd"], step) for n, ring in described.items() if ring}
    order = step["sources"]  # programs at one tracepoint run in the order of their attachment
    attached = [(modules[n], attach(modules[n])) for n in order if n in modules]
    started = time.monotonic()
    try:
        bursts = [_burst(modules, list(rings.values()), step, stop) for _ in range(step["bursts"])]
    finally:
        seconds = time.monotonic() - started
        for module, names in attached:
            detach(module, names)
    return {
        "seconds": seconds,
        "bursts": bursts,
        "values": {n: _read_maps(module, step["read"]) for n, module in modules.items()},
        "maps": {n: _describe_maps(module) for n, module in modules.items()},
        "records": {n: ring.save(f"{place}-{n}") for n, ring in rings.items()},
    }


def _ring(map_fd: int, step: dict[str, Any]) -> Kept | Framed:
    return Framed(map_fd) if step["framed"] else Kept(map_fd, step["keep"])


def _burst(
    modules: dict[int, Module], rings: list[Kept | Framed], step: dict[str, Any], stop: Stop
) -> dict[int, Any]:
    """Run the load once, empty the rings.

    Return for each source what its programs' counters grew by, and what the maps of ``read`` hold.
    """
    before = {number: _programs(module) for number, module in modules.items()}
    _run_load(rings, step, stop)
    after = {number: _programs(module) for number, module in modules.items()}
    if step["bursts"] > 1:
        for ring in rings:
            ring.consume()
    return {
        number: {
            "programs": _since(before[number], after[number]),
            "values": _read_maps(module, step["read"]),
        }
        for number, module in modules.items()
    }


def _run_load(rings: list[Kept | Framed], step: dict[str, Any], stop: Stop) -> None:
    """Run the step's load until it is done, the time is over, or enough bytes are kept."""
    running = load.start(step["load"])
    end = time.monotonic() + step["seconds"]
    try:
        while not running.done() and time.monotonic() < end and not stop.asked:
            stop.wait(PAUSE)
            if step["drain"]:
                for ring in rings:
                    ring.consume()
                if any(ring.failed for ring in rings):
                    break
    finally:
        running.stop()


class Kept(Ring):
    """A ring buffer's first ``keep`` bytes of records, in memory that is sealed at that.

    A record beyond it fails to be written, which ends libbpf's loop; otherwise that would go on
    for as long as programs are faster than it. With ``keep`` 0 the records go to /dev/null.
    """

    def __init__(self, map_fd: int, keep: int) -> None:
        self.keep = keep
        self.memory = _sealed_memory(keep) if keep else os.open(os.devnull, os.O_WRONLY)
        super().__init__(map_fd, self.memory)

    def save(self, path: str) -> str:
        """Take the rest, free the ring's memory here, write what was kept to path; return it."""
        self.consume()
        with open(path, "xb") as file:
            if self.keep:
                file.write(os.pread(self.memory, os.lseek(self.memory, 0, os.SEEK_CUR), 0))
        self.free()
        os.close(self.memory)
        return path


def _sealed_memory(size: int) -> int:
    memory = os.memfd_create("records", os.MFD_ALLOW_SEALING)
    os.ftruncate(memory, size)
    fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
    return memory


def _programs(module: Module) -> dict[str, dict[str, Any]]:
    return {name: fdinfo(module.funcs[name.encode()].fd) for name in module.functions()}


def _since(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return what each program's counters grew by. A counter that this kernel lacks is left out."""
    return {
        name: {
            "id": told.get("prog_id"),
            **{c: told[c] - before[name][c] for c in COUNTED if c in told},
        }
        for name, told in after.items()
    }


def _describe_maps(module: Module) -> dict[str, Any]:
    """Return fdinfo of each map and the layout of its value."""
    return {
        name: {**fdinfo(described["fd"]), "layout": described["layout"]}
        for name, described in module.maps().items()
    }


def _read_maps(module: Module, names: list[str]) -> dict[str, str]:
    """Return in base64 all values of the array maps of these names."""
    maps = module.maps() if names else {}
    return {
        name: base64.b64encode(Values(maps[name]).read()).decode() for name in names if name in maps
    }
