"""Serve one caller: fork a child for each request, so that nothing that ends it ends us.

LLVM calls ``exit(1)`` on a frame that is too large, and bcc prints from C. Therefore each request
runs in a child whose output goes to memory, and this process tells the caller how the child ended.

Run as ``PYTHON labkit/worker REPLY_FD``; requests come on standard input, frames go to REPLY_FD.
The process ends when its caller does: at the end of its input, or when its parent changes. A caller
that does not read keeps nothing up: what it is to be told waits here, a stop and a time limit work.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from typing import Any

from labkit.worker import child, jobs, wire

STOP_GRACE = 5.0  # seconds between asking a child to stop and killing it
CALLER_CHECK = 0.5  # seconds between two looks at whether the caller still lives
PIECE = 1 << 16  # bytes of a message that are sent at once


class CallerGone(Exception):
    """The process that asked has ended."""


class Server:
    """Reads requests, runs each in a child, relays its frames and tells how it ended."""

    def __init__(self, reply_fd: int) -> None:
        self.reply_fd = reply_fd
        os.set_blocking(reply_fd, False)
        self.unsent = bytearray()
        self.caller = os.getppid()
        self.requests: list[dict[str, Any]] = []
        self.decoder = wire.Decoder()
        self.poller = select.poll()
        self.poller.register(0, select.POLLIN | select.POLLHUP)

    def reply(self, message: dict[str, Any]) -> None:
        """Send one message to the caller, as soon as it reads."""
        self.relay(wire.pack(message))

    def relay(self, framed: bytes) -> None:
        """Send a message that is framed already."""
        self.unsent += framed
        self.send()

    def send(self) -> None:
        """Send as much as the pipe takes now; the rest waits."""
        with contextlib.suppress(BlockingIOError):
            while self.unsent:
                del self.unsent[: os.write(self.reply_fd, self.unsent[:PIECE])]

    def read_control(self) -> None:
        """Take in requests. Raises CallerGone at the end of the input."""
        data = os.read(0, 65536)
        if not data:
            raise CallerGone
        self.requests += map(json.loads, self.decoder.feed(data))

    def wait(self, *fds: int) -> set[int]:
        """Wait for something to read, while the caller lives; return what has it."""
        for fd in fds:
            self.poller.register(fd, select.POLLIN | select.POLLHUP)
        if self.unsent:
            self.poller.register(self.reply_fd, select.POLLOUT)
        ready = {fd for fd, _ in self.poller.poll(CALLER_CHECK * 1000)}
        for fd in fds:
            self.poller.unregister(fd)
        if self.unsent:
            self.poller.unregister(self.reply_fd)
            self.send()
        if os.getppid() != self.caller:
            raise CallerGone
        if 0 in ready:
            self.read_control()
        return ready

    def serve(self) -> None:
        """Do one request after the other until the caller is gone."""
        while True:
            while not self.requests:
                self.wait()
            request = self.requests.pop(0)
            if request["job"] != "stop":  # a stop that came after the end has nothing to stop
                self.run_job(request)

    def run_job(self, request: dict[str, Any]) -> None:
        """Fork a child for a request, see it to its end and tell how it ended."""
        started = time.monotonic()
        printed = os.memfd_create("printed")
        read_end, write_end = os.pipe()
        server = os.getpid()
        # A stop must not hit the child before it is ready for it: a job looks for SIGTERM itself.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        pid = os.fork()
        if pid == 0:
            child.die_with_parent(server)
            os.close(read_end)
            os.close(self.reply_fd)
            _child(request, write_end, printed)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.close(write_end)
        try:
            status, killed = self.supervise(pid, read_end, request)
        except BaseException:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        finally:
            os.close(read_end)
        seconds = time.monotonic() - started
        ending = _ending(status, printed)
        self.reply({"event": "end", "killed": killed, "seconds": seconds, **ending})

    def supervise(self, pid: int, read_end: int, request: dict[str, Any]) -> tuple[int, str]:
        """Relay what the child says until it ends. Return its wait status, and why it was killed.

        The latter is "" where it ended by itself, "late" or "stopped".
        """
        deadline = time.monotonic() + request["time_limit"]
        late, killed = "late", ""
        messages = wire.Decoder()
        while True:
            if read_end in self.wait(read_end):
                data = os.read(read_end, 1 << 20)
                if not data:
                    return os.waitpid(pid, 0)[1], killed
                for payload in messages.feed(data):  # half a message of a dead child ends here
                    self.relay(wire.frame(payload))
            if self.requests and self.requests[0]["job"] == "stop":
                self.requests.pop(0)
                os.kill(pid, signal.SIGTERM)
                deadline, late = min(deadline, time.monotonic() + STOP_GRACE), "stopped"
            if time.monotonic() > deadline:
                killed = late
                os.kill(pid, signal.SIGKILL)


def _child(request: dict[str, Any], out: int, printed: int) -> None:
    """Do the job in the forked child and leave without Python's own exit."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    code = 0
    try:
        jobs.run(request, out)
    except BaseException:
        import traceback

        traceback.print_exc()
        code = child.FAULT
    child.flush_c()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _ending(status: int, printed: int) -> dict[str, Any]:
    """Describe how a child ended and what it printed."""
    with open(printed, "rb") as stream:
        stream.seek(0)
        text = stream.read().decode("utf-8", "backslashreplace")
    signalled = os.WIFSIGNALED(status)
    return {
        "printed": text,
        "signal": os.WTERMSIG(status) if signalled else None,
        "exit_code": None if signalled else os.WEXITSTATUS(status),
    }


def main() -> None:
    """Say hello with the versions, then serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the caller's to handle
    server = Server(int(sys.argv[1]))
    scratch = tempfile.mkdtemp(prefix="labkit-")
    try:
        server.reply({"event": "hello", "scratch": scratch, **jobs.prepare(scratch)})
        server.serve()
    except (CallerGone, BrokenPipeError):
        pass
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
