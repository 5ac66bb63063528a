"""The Python part of ./lab: ports, the first page, whose browser opens, and a hung server.

tests/test_lab_script.py starts the whole of it.
"""

from __future__ import annotations

import os
import pwd
import re
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from labkit import jupyter
from labkit.errors import MachineError


@pytest.fixture
def free_port() -> int:
    """A port outside of those that ./lab tries by itself, so that no other lab is in the way."""
    with socket.create_server((jupyter.HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def test_a_port_that_somebody_listens_on_is_passed_over(monkeypatch, free_port: int) -> None:
    monkeypatch.setattr(jupyter, "PORTS", range(free_port, free_port + 20))
    with socket.create_server((jupyter.HOST, free_port)):
        port, claim = jupyter.reserve_port()
    claim.close()
    assert port in jupyter.PORTS[1:]


def test_a_port_that_another_lab_is_about_to_use_is_passed_over(monkeypatch, free_port) -> None:
    monkeypatch.setattr(jupyter, "PORTS", range(free_port, free_port + 20))
    first, first_claim = jupyter.reserve_port()
    second, second_claim = jupyter.reserve_port()
    assert first != second
    first_claim.close()
    third, third_claim = jupyter.reserve_port(first)
    assert third == first
    second_claim.close()
    third_claim.close()


def test_all_ports_in_use(monkeypatch, free_port: int) -> None:
    monkeypatch.setattr(jupyter, "PORTS", range(free_port, free_port + 1))
    taken = socket.create_server((jupyter.HOST, free_port))
    with taken, pytest.raises(MachineError, match=f"{free_port} to {free_port} are all in use"):
        jupyter.reserve_port()


@pytest.mark.parametrize("wanted", ["0", "65536", "x", "-1"])
def test_what_is_no_port(wanted: str, capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        jupyter.main([f"--port={wanted}"])
    assert f"a number from 1 to 65535, not '{wanted}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "page"),
    [
        ([], "/lab"),
        (["02_percpu_array.ipynb"], "/lab/tree/notebooks/02_percpu_array.ipynb"),
        (["00_a.ipynb", "01_stack_limit.ipynb"], "/lab/tree/notebooks/01_stack_limit.ipynb"),
    ],
)
def test_the_first_page(monkeypatch, tmp_path: Path, names: list[str], page: str) -> None:
    monkeypatch.setattr(jupyter, "NOTEBOOKS", tmp_path)
    for name in names:
        (tmp_path / name).touch()
    assert jupyter.first_page() == page


@pytest.fixture
def desktop(monkeypatch, tmp_path: Path):
    """A desktop whose xdg-open notes who it is and what it was given."""
    tool = tmp_path / "xdg-open"
    note = tmp_path / "note"
    tool.write_text(f'#!/bin/sh\n{{ id -u; id -G; echo "$HOME"; cat "$1"; }} >{note}.new\n')
    tool.write_text(tool.read_text() + f"mv {note}.new {note}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(jupyter, "STATE", tmp_path)
    return note


def opened(note: Path) -> list[str]:
    deadline = time.monotonic() + 30
    while not note.exists():
        assert time.monotonic() < deadline, "no browser was opened"
        time.sleep(0.02)
    return note.read_text().splitlines()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_whoever_called_sudo_gets_the_browser_and_alone_reads_the_address(
    monkeypatch, desktop: Path
) -> None:
    user = pwd.getpwnam("nobody")
    for folder in (desktop.parent, *desktop.parent.parents):
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o077)
    monkeypatch.setenv("SUDO_USER", "nobody")
    jupyter.open_browser("http://127.0.0.1:8888/lab?token=secret")
    uid, groups, home, page = opened(desktop)
    assert (int(uid), home) == (user.pw_uid, user.pw_dir)
    assert "0" not in groups.split()
    assert "token=secret" in page
    file = (desktop.parent / "open.html").stat()
    assert (file.st_uid, file.st_mode & 0o777) == (user.pw_uid, 0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="it is about root")
@pytest.mark.parametrize("caller", [None, "root"])
def test_root_runs_no_browser(monkeypatch, desktop: Path, caller: str | None) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    if caller:
        monkeypatch.setenv("SUDO_USER", caller)
    jupyter.open_browser("http://127.0.0.1:8888/lab?token=secret")
    assert not (desktop.parent / "open.html").exists()


def test_no_browser_without_a_desktop(monkeypatch, desktop: Path) -> None:
    monkeypatch.delenv("DISPLAY")
    jupyter.open_browser("http://127.0.0.1:8888/lab?token=secret")
    assert not (desktop.parent / "open.html").exists()


@pytest.fixture
def fake_jupyterlab(monkeypatch, tmp_path: Path):
    """Return a function that makes ``python -m jupyterlab`` be other code."""

    def put(code: str) -> None:
        script = tmp_path / "python"
        script.write_text(f"#!{sys.executable}\n{code}\n")
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script))

    taken = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(sign) for sign in taken]
    yield put
    for sign, handler in zip(taken, before, strict=True):
        signal.signal(sign, handler)


def test_a_server_that_ends_at_once_did_not_start(fake_jupyterlab, free_port: int, capfd) -> None:
    fake_jupyterlab("raise SystemExit('its own words')")
    assert jupyter.main(["--no-browser", "--port", str(free_port)]) == 3
    said = capfd.readouterr().err
    assert re.search("its own words(.|\n)*JupyterLab did not start(.|\n)*to mend: ", said)


def test_a_second_signal_ends_a_server_that_does_not_end(
    fake_jupyterlab, free_port: int, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    ignoring = "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    fake_jupyterlab(f"{ignoring}; pathlib.Path({str(ready)!r}).touch(); time.sleep(60)")
    server = jupyter.Server(free_port, "token", str(tmp_path))
    while not ready.exists():
        time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGTERM)
    assert server.process.poll() is None
    os.kill(os.getpid(), signal.SIGTERM)
    assert server.wait() == 143
