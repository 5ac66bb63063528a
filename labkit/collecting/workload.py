"""Known load to observe: execs at a given rate, pinned to chosen CPUs, under a name of their own.

Others exec on this machine too, /bin/true among it. So the load execs a link to that by the name
LOAD_NAME: it is ``comm`` and ``filename`` of its events, and by it they are told from the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from labkit.errors import UsageError
from labkit.worker.load import LOAD_NAME

WORKER = Path(__file__).resolve().parents[1] / "worker"
PROGRAM = "/bin/true"


class ExecStorm:
    """Execs on chosen CPUs. ``start`` and ``stop`` it, or hand it to collect().

    ``program`` is what the events of this load have for their ``filename``.
    """

    def __init__(self, rate: float, cpus: tuple[int, ...], program: str) -> None:
        self.rate = rate
        self.cpus = cpus
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.folder: tempfile.TemporaryDirectory[str] | None = None

    def start(self) -> None:
        """Start one process per CPU; each has an equal share of the rate."""
        share = self.rate / len(self.cpus)
        exec_ = {"kind": "exec", "paths": [self.program], "rate": share}
        wanted = json.dumps([{**exec_, "cpu": cpu} for cpu in self.cpus])
        words = [sys.executable, "-I", "-S", str(WORKER), "load", wanted, str(os.getpid())]
        if self.program == LOAD_NAME:
            self.folder = tempfile.TemporaryDirectory(prefix="labkit-")
            os.symlink(PROGRAM, os.path.join(self.folder.name, LOAD_NAME))
        folder = self.folder.name if self.folder else None
        self.process = subprocess.Popen(words, cwd=folder, start_new_session=True)

    def stop(self) -> None:
        """End them. Stopping twice is fine."""
        process, self.process = self.process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        folder, self.folder = self.folder, None
        if folder is not None:
            folder.cleanup()

    def __enter__(self) -> ExecStorm:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def exec_storm(
    rate: float = 200.0, cpus: Iterable[int] | None = None, program: str = LOAD_NAME
) -> ExecStorm:
    """Return a load of ``rate`` execs per second over ``cpus`` (all that are allowed by default).

    A rate of 0 means as fast as it goes. ``program`` is the path of another program, which must do
    nothing and end. Raises UsageError for a CPU that is not there.
    """
    allowed = os.sched_getaffinity(0)
    chosen = tuple(sorted(allowed if cpus is None else set(cpus)))
    if not chosen or not set(chosen) <= allowed:
        raise UsageError(f"CPUs {list(chosen)} asked for; this process may use {sorted(allowed)}")
    if rate < 0:
        raise UsageError(f"a rate is 0 (as fast as it goes) or more execs per second: {rate!r}")
    return ExecStorm(rate, chosen, program)
