"""JupyterLab with the lab's own configuration, on a copy of the notebooks, driven in Chromium."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
START_LIMIT = 60.0  # seconds for JupyterLab to answer
FLAGS = (
    "--no-sandbox",  # the tests run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
REQUIRE_LIVE = os.environ.get("LABKIT_REQUIRE_LIVE") == "1"


def _lacking() -> str:
    if not os.path.exists(CHROMIUM):
        return f"{CHROMIUM} is missing (mend: apt-get install chromium)"
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "playwright is missing (mend: sudo ./lab test)"
    return ""


@dataclass(frozen=True)
class Server:
    """A JupyterLab that answers at ``address`` and serves ``folder``."""

    address: str
    token: str
    folder: Path

    def url(self, notebook: str) -> str:
        return f"{self.address}/lab/tree/notebooks/{notebook}?reset&token={self.token}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(address: str, token: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/status?token={token}", timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def _environment(folder: Path, runtime: str, token: str) -> dict[str, str]:
    return {
        **os.environ,
        "JUPYTER_CONFIG_PATH": str(ROOT / ".jupyter"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),  # nobody's own settings
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": runtime,
        "JUPYTER_TOKEN": token,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a free port; the notebooks are a copy, so that a save changes nothing here."""
    lacking = _lacking()
    if lacking:
        (pytest.fail if REQUIRE_LIVE else pytest.skip)(lacking)
    folder = tmp_path_factory.mktemp("jupyter")
    for name in ("notebooks", "bpf"):  # the notebooks link to the programs
        shutil.copytree(ROOT / name, folder / "work" / name)
    port, token = _free_port(), secrets.token_hex(16)
    words = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.port={port}"]
    words += [f"--ServerApp.root_dir={folder / 'work'}"]
    words += [f"--LabApp.workspaces_dir={folder / 'workspaces'}"]
    words += [f"--LabApp.user_settings_dir={folder / 'settings'}"]
    runtime = tempfile.mkdtemp(prefix="lab-")  # short: sockets' names have 107 characters at most
    with open(folder / "server.log", "wb") as log:
        process = subprocess.Popen(
            words,
            cwd=folder / "work",
            env=_environment(folder, runtime, token),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(lambda: _answers(address, token), process, folder / "server.log")
            yield Server(address, token, folder / "work")
        finally:
            _end(process)
            shutil.rmtree(runtime, ignore_errors=True)


def _wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.2)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Lab:
    """A page with one notebook open in JupyterLab."""

    def __init__(self, page: Any, server: Server) -> None:
        self.page = page
        self.server = server
        self.notebook = ""

    def open(self, notebook: str) -> None:
        """Open a notebook of the copy and wait until its kernel has answered."""
        self.notebook = notebook
        self.page.goto(self.server.url(notebook))
        self.page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=60_000)
        self.page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.context")
        self.page.evaluate(
            """async () => {
                const widget = window.jupyterapp.shell.currentWidget;
                await widget.context.ready;
                await widget.sessionContext.ready;
                await widget.sessionContext.session.kernel.info;
            }"""
        )

    def run_all(self, seconds: float = 120) -> None:
        """Run all cells; return when the last one is done. Fails if they stop before that."""
        self.page.evaluate(
            """() => {
                window.labRunAll = 'running';
                window.jupyterapp.commands.execute('notebook:run-all-cells').then(
                    () => { window.labRunAll = 'done'; },
                    (error) => { window.labRunAll = String(error); });
            }"""
        )
        self.page.wait_for_function("() => window.labRunAll !== 'running'", timeout=seconds * 1000)
        assert self.page.evaluate("() => window.labRunAll") == "done"

    def save_and_reload(self) -> None:
        """Save the copy and load the page anew; the kernel lives on."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        self.open(self.notebook)

    def restart_kernel(self) -> None:
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
        )

    def execution_counts(self) -> list[int | None]:
        """The execution count of each code cell, as the page's model has it."""
        return list(
            self.page.evaluate(
                """() => [...window.jupyterapp.shell.currentWidget.context.model.cells]
                    .filter((cell) => cell.type === 'code').map((cell) => cell.executionCount)"""
            )
        )

    def theme(self, name: str) -> None:
        """Change the theme: ``JupyterLab Light`` or ``JupyterLab Dark``."""
        self.page.evaluate(
            "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
            name,
        )
        light = "false" if "Dark" in name else "true"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")

    def shut_down_kernel(self) -> None:
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")


@pytest.fixture(scope="session")
def browser(server: Server) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def lab(server: Server, browser: Any) -> Iterator[Lab]:
    """A page 1280 pixels wide, which is said to be enough."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    opened = Lab(context.new_page(), server)
    yield opened
    opened.shut_down_kernel()
    context.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for screenshots; LABKIT_SCREENSHOTS names one that is kept."""
    kept = os.environ.get("LABKIT_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
