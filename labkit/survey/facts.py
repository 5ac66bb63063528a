"""What this machine is: all that may decide a verdict. Nothing here raises."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from labkit import session
from labkit.errors import LabError
from labkit.machine.cpus import FOLDER as CPUS
from labkit.survey.records import Lab, Machine

ROOT = Path(__file__).resolve().parents[2]
EMULATED = {"qemu": True, "kvm": False, "none": False}  # as systemd-detect-virt calls them
CLOCKS = Path("/sys/devices/system/clocksource/clocksource0/available_clocksource")
VENDOR = Path("/sys/class/dmi/id/sys_vendor")


def this_machine() -> Machine:
    """Return what this machine is. The versions of bcc and LLVM are asked of the worker."""
    virtual = virtualisation()
    versions = _or({}, lambda: session.shared().versions)
    return Machine(
        kernel=platform.release(),
        build=platform.version(),
        distribution=_or("", lambda: platform.freedesktop_os_release()["PRETTY_NAME"]),
        arch=platform.machine(),
        cpu=_or("", _cpu),
        possible_cpus=_text(CPUS / "possible"),
        online_cpus=_text(CPUS / "online"),
        bcc=versions.get("bcc", ""),
        llvm=versions.get("llvm", ""),
        bcc_python=versions.get("bcc_python", ""),
        python=platform.python_version(),
        virtual=virtual,
        emulated=EMULATED.get(virtual),
    )


def now() -> str:
    """Return the time as records have it: UTC, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def this_lab() -> Lab:
    """Return which lab this is: its version, and the commit of its checkout if it is one."""
    words = ["git", "-C", str(ROOT), "-c", f"safe.directory={ROOT}", "describe", "--always"]
    commit = _or("", lambda: _printed(*words, "--dirty", "--abbrev=12", "--exclude=*"))
    return Lab(_or("", _version), commit)


def virtualisation() -> str:
    """Return what the machine runs in: ``none``, ``kvm``, ``qemu`` (emulated), ... or ``""``."""
    if shutil.which("systemd-detect-virt"):
        return str(_or("", lambda: _printed("systemd-detect-virt", "--vm", check=False)))
    if "kvm-clock" in _text(CLOCKS):
        return "kvm"
    return "qemu" if _text(VENDOR) == "QEMU" else ""


def _or(fallback: Any, ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (OSError, KeyError, ValueError, LabError, StopIteration, subprocess.SubprocessError):
        return fallback


def _printed(*words: str, check: bool = True) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(
        words, capture_output=True, text=True, check=check, timeout=20, env=environment
    )
    return done.stdout.strip()


def _text(path: Path) -> str:
    return str(_or("", lambda: path.read_text("utf-8", "replace").strip()))


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))


def _version() -> str:
    lines = ROOT.joinpath("pyproject.toml").read_text("utf-8").splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("version = "))
