"""Load for experiments: processes pinned to a CPU each, which end when they are done or told to.

    {"kind": "rename", "cpu": 0, "count": 2000}   the task renames itself: tracepoint task_rename
    {"kind": "timer", "cpu": 0}                   sleeps of 20 µs: a timer interrupt each
    {"kind": "exec", "cpu": 0, "paths": [...], "count": 100}   execs the paths in turn

A rename costs 0.5 µs and nothing else in the system does it often; without ``count`` a load goes
on until it is stopped. With ``rate`` it takes that many turns per second instead of all it can.

Run as ``PYTHON labkit/worker load JSON PID``, it starts the loads of a JSON list for the process of
that pid, whose child it is, and ends with it.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from labkit.worker import child

NAP = 20e-6  # seconds
LOOK = 0.1  # seconds between two looks at whether the caller still lives
LOAD_NAME = "labkit-storm"  # of at most 15 bytes: the kernel keeps no more of a task's name
NAMED = ["true"]  # argv of what is exec'd: where `true` is one of many in a file, that goes by it


class Running:
    """Load processes under way."""

    def __init__(self, pids: list[int]) -> None:
        self.pids = pids

    def done(self) -> bool:
        """Whether every process has ended by itself."""
        self.pids = [pid for pid in self.pids if os.waitpid(pid, os.WNOHANG)[0] == 0]
        return not self.pids

    def stop(self) -> None:
        """End what still runs, and wait for it."""
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        for pid in self.pids:
            os.waitpid(pid, 0)
        self.pids = []


def start(wanted: list[dict[str, Any]]) -> Running:
    """Start a process for each wanted load; all begin at the same moment."""
    begin_read, begin_write = os.pipe()
    pids = [_fork(load, begin_read, begin_write) for load in wanted]
    os.close(begin_read)
    os.close(begin_write)  # the end of the pipe is the starting signal
    return Running(pids)


def _fork(load: dict[str, Any], begin_read: int, begin_write: int) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        child.die_with_parent(parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())  # the worker keeps SIGTERM back
        os.sched_setaffinity(0, {load["cpu"]})
        os.close(begin_write)
        os.read(begin_read, 1)
        LOADS[load["kind"]](load)
    finally:
        os._exit(0)


def _turns(load: dict[str, Any]) -> Iterator[int]:
    count, rate = load.get("count"), load.get("rate")
    due = time.monotonic()
    for turn in range(count) if count else itertools.count():
        yield turn
        if rate:
            due += 1 / rate
            time.sleep(max(0.0, due - time.monotonic()))


def _rename(load: dict[str, Any]) -> None:
    comm = os.open("/proc/self/comm", os.O_WRONLY)
    for _ in _turns(load):
        os.write(comm, b"labkit-load")


def _timer(load: dict[str, Any]) -> None:
    for _ in _turns(load):
        time.sleep(NAP)


def _exec(load: dict[str, Any]) -> None:
    paths = load["paths"]
    for turn in _turns(load):
        path = paths[turn % len(paths)]
        os.waitpid(os.posix_spawn(path, NAMED, {}), 0)


LOADS: dict[str, Callable[[dict[str, Any]], None]] = {
    "rename": _rename,
    "timer": _timer,
    "exec": _exec,
}


def main() -> None:
    """Run the loads that the command line asks for until they are done or the caller is gone.

    The caller is asked for again and again: the kernel would tell of its *thread* that started us.
    """
    caller = int(sys.argv[3])  # by now it may be gone
    running = start(json.loads(sys.argv[2]))
    while os.getppid() == caller and not running.done():
        time.sleep(LOOK)
    running.stop()
    if os.getppid() != caller:
        _tidy_up()


def _tidy_up() -> None:
    """Remove the folder that was made for LOAD_NAME: its owner is gone and cannot."""
    if os.listdir() == [LOAD_NAME]:
        os.unlink(LOAD_NAME)
        os.rmdir(os.getcwd())
