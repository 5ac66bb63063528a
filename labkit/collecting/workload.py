"""Known load to observe: execs of /bin/true at a given rate, pinned to chosen CPUs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable

from labkit.errors import UsageError

PROGRAM = "/bin/true"

# Runs in a fresh interpreter: exec PROGRAM at RATE a second (0: as fast as it goes) until killed.
_SPAWNER = """
import os, sys, time
cpu, rate, program = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
os.sched_setaffinity(0, {cpu})
due = time.monotonic()
parent = os.getppid()
while os.getppid() == parent:  # an orphan's new parent need not be process 1
    os.waitpid(os.posix_spawn(program, [program], {}), 0)
    if rate:
        due += 1 / rate
        time.sleep(max(0, due - time.monotonic()))
"""


class ExecStorm:
    """Execs on chosen CPUs. ``start`` and ``stop`` it, or hand it to collect()."""

    def __init__(self, rate: float, cpus: tuple[int, ...], program: str) -> None:
        self.rate = rate
        self.cpus = cpus
        self.program = program
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start one spawner a CPU; each shares the rate equally."""
        share = str(self.rate / len(self.cpus))
        for cpu in self.cpus:
            words = [sys.executable, "-I", "-S", "-c", _SPAWNER, str(cpu), share, self.program]
            self.processes.append(subprocess.Popen(words, start_new_session=True))

    def stop(self) -> None:
        """End the spawners. Stopping twice is fine."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.clear()

    def __enter__(self) -> ExecStorm:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def exec_storm(
    rate: float = 200.0, cpus: Iterable[int] | None = None, program: str = PROGRAM
) -> ExecStorm:
    """Return a load of ``rate`` execs a second over ``cpus`` (all that are allowed by default).

    A rate of 0 means as fast as it goes. Raises UsageError for a CPU that is not there.
    """
    allowed = os.sched_getaffinity(0)
    chosen = tuple(sorted(allowed if cpus is None else set(cpus)))
    if not chosen or not set(chosen) <= allowed:
        raise UsageError(f"CPUs {list(chosen)} asked for; this process may use {sorted(allowed)}")
    if rate < 0:
        raise UsageError(f"a rate is 0 (as fast as it goes) or more execs a second: {rate!r}")
    return ExecStorm(rate, chosen, program)
