"""The lab as a command under way, what it holds in the kernel meanwhile, and what it ended with."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import labkit
from labkit.collecting.run import Run
from tools import processes

ROOT = Path(__file__).resolve().parents[2]
LAB = (sys.executable, "-m", "labkit")
BUILD = (*LAB, "build", "percpu")
MARK = "LABKIT_SOAK"  # in the environment of all that a trial starts
END_LIMIT = 60.0  # seconds for a command to end by itself
CLEAN_LIMIT = 3.0  # seconds in which all that it had must be gone

TRACEBACK = re.compile(r"Traceback \(most recent call last\):.*", re.S)
# A sentence that says what to do: a command, or at least a step; or where all of it is now.
ADVICE = re.compile(
    r"(?i)\bto mend\b|what to do|sudo |\./lab |labkit\.|apt-get|mount -t|once more|^wrote /", re.M
)


class Lab:
    """A command of the lab that has been started."""

    def __init__(
        self,
        command: Sequence[str] = BUILD,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.mark = secrets.token_hex(8)
        self.programs: set[int] = set()
        self._out = tempfile.TemporaryFile()  # noqa: SIM115  closed in end()
        self._err = tempfile.TemporaryFile()  # noqa: SIM115
        paths = {"PYTHONPATH": str(ROOT), MARK: self.mark}
        self.process = subprocess.Popen(
            [*prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            cwd=ROOT,
            env={**os.environ, **paths, **(environment or {})},
            start_new_session=True,
        )

    def pids(self) -> list[int]:
        """Return the processes that it consists of now, whoever their parents are, oldest first."""
        wanted = f"{MARK}={self.mark}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if wanted in (entry / "environ").read_bytes():
                    found.append((processes.born(int(entry.name)), int(entry.name)))
        return [pid for _born, pid in sorted(found)]

    def look(self) -> list[int]:
        """Note which BPF programs it holds now; return its processes."""
        pids = self.pids()
        self.programs |= processes.programs_of(pids)
        return pids

    def freeze(self) -> list[int]:
        """Stop all of its processes, note what they hold, and return them."""
        for pid in self.pids():
            send(pid, signal.SIGSTOP)
        return self.look()

    def wait(self) -> bool:
        """Wait for its end, looking on; return whether it came."""
        end = time.monotonic() + END_LIMIT
        while self.process.poll() is None and time.monotonic() < end:
            self.look()
            time.sleep(0.02)
        return self.process.poll() is not None

    @property
    def out(self) -> str:
        """What it printed on standard output so far."""
        return _all(self._out)

    @property
    def err(self) -> str:
        """What it printed on standard error so far."""
        return _all(self._err)

    def end(self) -> None:
        """Kill what is left of it."""
        for pid in self.pids():
            send(pid, signal.SIGKILL)
        self.process.wait()
        self._out.close()
        self._err.close()


def _all(file: IO[bytes]) -> str:
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), size, 0).decode("utf-8", "replace")


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def what_stays(lab: Lab) -> list[str]:
    """Return what is left of a command that has ended: processes, programs in the kernel."""
    end = time.monotonic() + CLEAN_LIMIT
    while time.monotonic() < end and (lab.pids() or processes.still_loaded(lab.programs)):
        lab.look()
        time.sleep(0.05)
    faults = []
    if left := lab.pids():
        faults.append(f"processes stay: {', '.join(map(_name, left))}")
    if loaded := processes.still_loaded(lab.programs):
        faults.append(f"BPF programs stay loaded: {sorted(loaded)}")
    return faults


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        return f"{pid} ({words.decode('utf-8', 'replace').strip()[:80]})"
    return str(pid)


def what_is_wrong(lab: Lab, statuses: Sequence[int]) -> list[str]:
    """Return what is wrong with how a command ended: its status, its words, what stays of it."""
    ended = lab.wait()
    status = lab.process.poll()
    faults = [] if ended else [f"it did not end within {END_LIMIT:g} s: {_waiting(lab)}"]
    told = TRACEBACK.search(lab.err + lab.out)
    if told:
        faults.append(f"a traceback: {_where(told[0])}")
    elif ended and status not in statuses:
        faults.append(f"status {status}, not one of {list(statuses)}: {_tail(lab)}")
    if status in (2, 3) and not ADVICE.search(lab.err + lab.out):
        faults.append(f"no word of what to do: {_tail(lab)}")
    return faults + (what_stays(lab) if ended else [])


def _waiting(lab: Lab) -> str:
    """Return what its processes are waiting for, and the last that was printed."""
    told = []
    for pid in lab.pids():
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            told.append(f"{_name(pid)} {state} in {Path(f'/proc/{pid}/wchan').read_text()}")
    return "; ".join([*told, _tail(lab)])


def _where(traceback: str) -> str:
    """Return the last line of a traceback, and the last place in labkit that it names."""
    places = re.findall(r'(labkit/\S+)", line (\d+)', traceback)
    return f"{traceback.strip().splitlines()[-1]} at {':'.join(places[-1]) if places else '?'}"


def _tail(lab: Lab) -> str:
    return repr((lab.err or lab.out).strip()[-400:])


def kept_files() -> set[str]:
    """Return the files of runs that were left unfinished up to now."""
    return {str(run.file) for run in labkit.recover()}


def newly_kept(before: set[str]) -> list[Run]:
    """Return the runs that were left unfinished since then."""
    return [run for run in labkit.recover() if str(run.file) not in before]


def next_call_works() -> list[str]:
    """Return what is wrong with a plain build after all that."""
    lab = Lab()
    try:
        return [f"the next call: {fault}" for fault in what_is_wrong(lab, [0])]
    finally:
        lab.end()


def trial(
    command: Sequence[str] = BUILD,
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    statuses: Sequence[int] = (3,),
) -> tuple[list[str], str]:
    """Run a command where something is wrong; return what is wrong with it, and all it printed."""
    lab = Lab(command, prefix, environment)
    try:
        faults = what_is_wrong(lab, statuses)
        return faults, lab.out + lab.err
    finally:
        lab.end()
