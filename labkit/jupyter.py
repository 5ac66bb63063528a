"""``./lab``: start JupyterLab on this machine alone, print its address, end it however this ends.

Exit status: 0 after Ctrl-C, 128 + the signal after another, JupyterLab's own where it ended by
itself, 2 wrong use, 3 where it does not start. Only the standard library: thin, and quick to start.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labkit.collecting import folders
from labkit.errors import MachineError

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".jupyter" / "state"
NOTEBOOKS = ROOT / "notebooks"
FIRST_NOTEBOOK = "01_stack_limit.ipynb"
HOST = "127.0.0.1"
PORTS = range(8888, 8988)
START_LIMIT = 120.0  # seconds for the server to answer


def port_number(word: str) -> int:
    """Return the number. Raises argparse's error where it is no port's."""
    if word.isdecimal() and 0 < int(word) < 65536:
        return int(word)
    raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {word!r}")


def reserve_port(wanted: int | None = None) -> tuple[int, socket.socket]:
    """Return a port that nobody listens on, and a socket that keeps it ours until it is closed.

    JupyterLab takes a second or more until it listens. So that another ./lab does not choose the
    same port meanwhile, each binds a name for it in Linux's abstract namespace, which vanishes with
    its process. Raises MachineError.
    """
    for port in PORTS if wanted is None else [wanted]:
        claim = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            claim.bind(f"\0ebpf-stack-limit-lab-{port}")
            with socket.create_server((HOST, port)):
                return port, claim
        claim.close()
    if wanted is None:
        reason = f"the ports {PORTS[0]} to {PORTS[-1]} are all in use"
        raise MachineError(reason, "sudo ./lab --port N")
    free, claim = reserve_port()
    claim.close()
    raise MachineError(f"port {wanted} is in use or not allowed", f"sudo ./lab --port {free}")


def first_page() -> str:
    """Return the path of the page to open: the first notebook, else JupyterLab itself."""
    found = [NOTEBOOKS / FIRST_NOTEBOOK, *sorted(NOTEBOOKS.glob("*.ipynb"))]
    page = next((path for path in found if path.is_file()), None)
    return f"/lab/tree/notebooks/{page.name}" if page else "/lab"


class Server:
    """JupyterLab as a child of this process, which it does not outlive.

    SIGINT, SIGTERM and SIGHUP end it in good order, a second one at once; what the parent ignored
    stays ignored, as nohup and the background jobs of a script expect.
    """

    process: subprocess.Popen[bytes]

    def __init__(self, port: int, token: str, runtime: str) -> None:
        self.port, self.token = port, token
        self.told: list[int] = []  # the signals so far; one may come before there is a process
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(sign) is not signal.SIG_IGN:
                signal.signal(sign, self._end)
        words = [sys.executable, "-m", "jupyterlab", "--log-level=WARN", f"--port={port}"]
        self.process = subprocess.Popen(
            words, cwd=ROOT, env=self._environment(runtime), stdin=subprocess.DEVNULL, stdout=2
        )
        if self.told:
            self.process.terminate()

    def _environment(self, runtime: str) -> dict[str, str]:
        environment = {
            **os.environ,
            "JUPYTER_TOKEN": self.token,  # everybody could read it among the arguments
            "JUPYTER_RUNTIME_DIR": runtime,
            "JUPYTER_CONFIG_PATH": str(ROOT / ".jupyter"),
            "JUPYTER_CONFIG_DIR": str(STATE / "config"),
            "JUPYTER_DATA_DIR": str(STATE / "data"),
        }
        environment.pop("PYTHONSAFEPATH", None)  # a notebook may import what lies beside it
        return environment

    def _end(self, sign: int, _frame: object) -> None:
        if hasattr(self, "process"):
            self.process.kill() if self.told else self.process.terminate()
        self.told.append(sign)

    def answers(self) -> bool:
        """Whether it serves, and takes our token."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            headers = {"Authorization": f"token {self.token}"}
            connection.request("GET", "/api/status", headers=headers)
            return connection.getresponse().status == 200
        return False

    def wait_until_it_answers(self) -> None:
        """Return when it answers, or was told to end. Raises MachineError where it cannot."""
        deadline = time.monotonic() + START_LIMIT
        while self.process.poll() is None and time.monotonic() < deadline:
            if self.answers():
                return
            time.sleep(0.05)
        if not self.told:
            reason = "JupyterLab did not start; its own words stand above"
            raise MachineError(reason, "sudo ./lab --port N, or delete .venv and try again")

    def wait(self) -> int:
        """Return the exit status, when it has ended."""
        status = self.process.wait()
        if not self.told:
            return status
        return 0 if self.told[0] == signal.SIGINT else 128 + self.told[0]


def open_browser(url: str) -> None:
    """Open the address where there is a desktop, as whoever called sudo: root runs no browser.

    The address goes through a file that only they can read: everybody reads a process's arguments.
    """
    desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    root = os.geteuid() == 0
    name = os.environ.get("SUDO_USER", "root") if root else ""
    if not desktop or name == "root" or not shutil.which("xdg-open"):
        return
    options: dict[str, Any] = {}
    page = STATE / "open.html"
    page.unlink(missing_ok=True)
    with open(os.open(page, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(f"<meta http-equiv=refresh content='0; url={url}'>\n")
        if root:
            user = pwd.getpwnam(name)
            os.fchown(file.fileno(), user.pw_uid, user.pw_gid)
            groups = os.getgrouplist(name, user.pw_gid)
            options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": groups}
            options["env"] = {**os.environ, "HOME": user.pw_dir, "USER": name, "LOGNAME": name}
    quiet = subprocess.DEVNULL
    subprocess.Popen(["xdg-open", page], stdin=quiet, stdout=quiet, stderr=quiet, **options)


def start(port: int, browser: bool) -> int:
    """Serve until JupyterLab ends. Return the exit status. Raises MachineError."""
    token = secrets.token_hex(24)
    url = f"http://{HOST}:{port}{first_page()}?token={token}"
    STATE.mkdir(parents=True, exist_ok=True)
    print(f"JupyterLab, with the packages of {sys.prefix}", file=sys.stderr, flush=True)
    # Not in the checkout: the names of the kernels' sockets may have 107 characters at most.
    runtime = tempfile.mkdtemp(prefix="lab-jupyter.")
    server = Server(port, token, runtime)
    try:
        server.wait_until_it_answers()
        if not server.told:
            _announce(url)
            if browser:
                open_browser(url)
        return server.wait()
    finally:
        server.process.terminate()
        server.process.wait()
        shutil.rmtree(runtime, ignore_errors=True)
        (STATE / "open.html").unlink(missing_ok=True)


def _announce(url: str) -> None:
    if os.geteuid() != 0 and "LABKIT_BCC_PYTHON" not in os.environ:
        words = "Not root: programs can be read here, but not loaded. For that: sudo ./lab"
        print(words, file=sys.stderr)
    print(folders.notice(), file=sys.stderr, end="")
    ready = "JupyterLab is ready. Open this address in a browser on this machine"
    print(f"\n{ready} (Ctrl-C here stops it):\n\n    {url}\n", flush=True)


def main(words: Sequence[str] | None = None) -> int:
    """Start JupyterLab as the options say. Return the exit status."""
    parser = argparse.ArgumentParser(prog="./lab", description="Start JupyterLab.")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--port", type=port_number, metavar="N", help="default: from 8888 on")
    options = parser.parse_args(words)
    try:
        port, claim = reserve_port(options.port)
        with claim:
            return start(port, not options.no_browser)
    except MachineError as error:
        print(f"lab: {error.reason}\n  to mend: {error.mend}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
