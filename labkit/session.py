"""Starts the worker, asks it, ends it. A Session is one worker process, warm between requests."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from labkit.errors import MachineError
from labkit.machine import patience
from labkit.worker import wire

WORKER = Path(__file__).resolve().parent / "worker"
SYSTEM_PYTHON = "/usr/bin/python3"
START_LIMIT = 60.0  # seconds for the worker to import bcc, on a machine of usual speed
CLOSE_LIMIT = 3.0  # seconds for the worker to end by itself, likewise
INSTALL_BCC = "apt-get install python3-bpfcc (Fedora: dnf install python3-bcc), or sudo ./lab"

ONCE_MORE = "try it once more; if it fails again: " + INSTALL_BCC
IF_PIP_REFUSES = " (where pip refuses: with --break-system-packages)"


class Session:
    """A worker process and the pipes to it.

    Raises MachineError where no Python on this machine has bcc and answers.
    """

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.versions: dict[str, str] = {}
        self.python = ""
        self.problems: list[str] = []  # the interpreters that were tried before, and what they lack
        self.job: Job | None = None
        self._start_first_that_works()
        _live.add(self)

    def _start_first_that_works(self) -> None:
        mend = INSTALL_BCC
        for python in bcc_pythons():
            hello = self._start(python)
            if "versions" in hello:
                self.python = python
                self.versions = {"python": sys.version.split()[0], **hello["versions"]}
                return
            self.close()
            self.problems.append(describe_problem(python, hello))
            if hello["problem"] == "no_answer":
                mend = ONCE_MORE
            if hello["problem"] == "wrong_bcc":  # it hides the right one, installed or not
                mend = f"sudo {python} -m pip uninstall bcc{IF_PIP_REFUSES}; then {INSTALL_BCC}"
        raise MachineError("no Python here could start bcc: " + "; ".join(self.problems), mend)

    def _start(self, python: str) -> dict[str, Any]:
        read_end, write_end = os.pipe()
        self.stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed in _forget
        self.reply_fd = read_end
        self.decoder = wire.Decoder()
        self.scratch = ""
        self.lost = ""  # why its reply could not be read
        try:
            self.process = subprocess.Popen(
                [python, "-I", str(WORKER), str(write_end)],
                stdin=subprocess.PIPE,
                stdout=self.stderr,
                stderr=self.stderr,
                pass_fds=[write_end],
                start_new_session=True,  # a notebook's interrupt must not reach it
            )
        except OSError as error:
            self._forget()
            return {"problem": "no_python", "detail": str(error)}
        finally:
            os.close(write_end)
        try:
            hello = self._first_frame()
        except BaseException:
            self.close()
            raise
        self.scratch = hello.get("scratch", "")
        return hello

    def _first_frame(self) -> dict[str, Any]:
        deadline = time.monotonic() + START_LIMIT * patience.factor()
        while time.monotonic() < deadline:
            messages = self.read(1.0)
            if messages:
                return messages[0]
            if messages is None:
                break
        self.stderr.seek(0)
        said = self.stderr.read().decode("utf-8", "replace").strip()
        detail = self.lost or said[-500:] or self.how_it_ended()
        return {"problem": "no_answer", "detail": detail}

    def send(self, message: dict[str, Any]) -> None:
        """Send one request. A worker that is gone shows at the next read."""
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError, ValueError):
            wire.write_all(self.process.stdin.fileno(), wire.pack(message))

    def read(self, timeout: float) -> list[dict[str, Any]] | None:
        """Return the messages that arrive within timeout seconds; None once there are no more.

        Of a message that is not as it was sent, ``lost`` tells, and no more are read.
        """
        if self.reply_fd < 0:
            return None
        poller = select.poll()
        poller.register(self.reply_fd, select.POLLIN | select.POLLHUP)
        if not poller.poll(timeout * 1000):
            return []
        data = os.read(self.reply_fd, 1 << 20)
        if not data:
            return None
        try:
            return list(map(json.loads, self.decoder.feed(data)))
        except wire.Garbled as error:
            self.lost = f"the worker's reply could not be read: {error}"
            return None

    def how_it_ended(self) -> str:
        """Say why no more comes from the worker, as far as that can be known here."""
        if self.lost:
            return self.lost
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(CLOSE_LIMIT)  # the pipe ends a moment before the process
        status = self.process.returncode
        if status is None:
            return "the worker runs on, but its reply broke off"
        if status < 0:
            return f"signal {-status} ended the worker before its answer was whole"
        return f"the worker ended before its answer was whole, with status {status}"

    @property
    def usable(self) -> bool:
        """Whether this process owns a living worker."""
        return self.owner == os.getpid() and self.process.poll() is None and self.reply_fd >= 0

    def close(self) -> None:
        """End the worker and all it holds in the kernel. Closing twice is fine.

        An interrupt ends it at once, and passes on.
        """
        _live.discard(self)
        if self.owner != os.getpid() or self.reply_fd < 0:
            return
        assert self.process.stdin
        try:
            self.process.stdin.close()
            self._wait_for_its_end(0.2 if self.job else CLOSE_LIMIT * patience.factor())
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            self._forget()
            if self.scratch:
                shutil.rmtree(self.scratch, ignore_errors=True)

    def _wait_for_its_end(self, seconds: float) -> None:
        """Wait until the pipe says that the worker is gone: Popen.wait() only looks at times."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.read(max(0.0, end - time.monotonic())) is not None:
            pass
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, end - time.monotonic()))

    def _forget(self) -> None:
        os.close(self.reply_fd)
        self.reply_fd = -1
        self.stderr.close()


class Job:
    """One request under way: its events so far, and whether it is over.

    The worker's last event is ``end``. Where that does not come, the last is ``lost``, with the
    reason.
    """

    def __init__(self, session: Session, request: dict[str, Any]) -> None:
        self.session = session
        self.events: list[dict[str, Any]] = []
        self.over = False
        self.seconds = request["time_limit"] + (2 * CLOSE_LIMIT + 5) * patience.factor()
        self.hard_limit = time.monotonic() + self.seconds
        session.job = self
        session.send(request)

    def read(self, timeout: float) -> None:
        """Take in what arrives within timeout seconds. A worker that is gone has said its last."""
        if self.over:
            return
        messages = self.session.read(timeout)
        for message in messages or ():
            self.events.append({**message, "at": time.monotonic()})
            if message["event"] == "end":
                self._finish()
                return
        if messages is None:
            self._lose(self.session.how_it_ended())
        elif time.monotonic() > self.hard_limit:
            self._lose(f"the worker had no end after {self.seconds:.0f} s, and was ended")

    def _lose(self, reason: str) -> None:
        self.events.append({"event": "lost", "reason": reason, "at": time.monotonic()})
        self._finish()
        self.session.close()

    def _finish(self) -> None:
        self.over = True
        self.session.job = None

    def stop(self) -> None:
        """Ask the job to end in good order; it goes on sending until its end."""
        if not self.over:
            self.session.send({"job": "stop"})

    def event(self, name: str) -> dict[str, Any] | None:
        """Return the last event of that name, None if there was none yet."""
        return next((e for e in reversed(self.events) if e["event"] == name), None)


_live: set[Session] = set()
_shared: Session | None = None
_lock = threading.RLock()


def shared() -> Session:
    """Return this process's warm session; start it, or start it anew, where there is none."""
    global _shared  # noqa: PLW0603  one warm worker for the process
    with _lock:
        if _shared is None or not _shared.usable:
            _shared = Session()
        return _shared


def start_ahead() -> None:
    """Start the warm session in the background; who needs it waits for it."""

    def start() -> None:
        with contextlib.suppress(MachineError):
            shared()

    threading.Thread(target=start, daemon=True).start()


def run_to_end(request: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Run one job on the warm session. Return its events and the versions of what did it.

    An interrupt ends the worker, so that nothing stays loaded, and passes on.
    """
    with _lock:
        session = shared()
        job = Job(session, request)
        try:
            while not job.over:
                job.read(0.5)
        except BaseException:
            session.close()
            raise
        return job.events, session.versions


def close() -> None:
    """End every worker of this process. The next build starts a new one."""
    for session in list(_live):
        session.close()


@atexit.register
def _close_at_exit() -> None:
    """End every worker; Ctrl-C only makes it quicker, as the process is ending anyway."""
    while _live:
        with contextlib.suppress(KeyboardInterrupt):
            close()


def bcc_pythons() -> list[str]:
    """Return the interpreters to try, in order: LABKIT_BCC_PYTHON, this one, the distribution's."""
    chosen = os.environ.get("LABKIT_BCC_PYTHON")
    if chosen:
        return [chosen]
    mine = [sys.executable] if importlib.util.find_spec("bcc") else []
    return list(dict.fromkeys([*mine, SYSTEM_PYTHON]))


def describe_problem(python: str, hello: dict[str, Any]) -> str:
    """Say what is wrong with an interpreter that did not do."""
    kinds = {
        "no_bcc": f"{python} has no bcc",
        "wrong_bcc": f"the bcc of {python} is an unrelated package from PyPI ({hello['detail']})",
        "broken_bcc": f"the bcc of {python} cannot be imported ({hello['detail']})",
        "no_python": f"{python} does not run ({hello['detail']})",
        "no_answer": f"{python} did not start bcc ({hello['detail']})",
    }
    return kinds[hello["problem"]]
