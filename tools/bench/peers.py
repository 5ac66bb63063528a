"""The tools that the lab is compared with: which are here, their versions, and installing them."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path

from labkit.building.build import machine_has_headers
from tools import installing

HINT = "(--install-peers)"
# As Debian and Ubuntu call them. The headers are those of the kernel that runs.
PACKAGES = ("libbpf-tools", "bpftrace", "clang", "libbpf-dev", "bpftool", "gcc")
HEADERS = f"linux-headers-{platform.release()}"


def lacking(*commands: str) -> str:
    """Return what is missing of those, in words; empty if nothing is."""
    missing = [command for command in commands if installing.found(command) is None]
    return f"{', '.join(missing)} missing {HINT}" if missing else ""


def has_libbpf_headers() -> bool:
    """Whether a C program that uses libbpf can be compiled."""
    return any(Path(root, "bpf/libbpf.h").exists() for root in _include_folders())


def _include_folders() -> list[str]:
    more = os.environ.get("CPATH", "")
    return ["/usr/include", "/usr/local/include", *filter(None, more.split(os.pathsep))]


def install(say: Callable[[str], object]) -> list[str]:
    """Install the peers, one after the other; return those that could not be had.

    Raises MachineError without apt-get or root.
    """
    return installing.install((*PACKAGES, HEADERS), "sudo ./lab bench --install-peers", say)


def versions() -> dict[str, str]:
    """Return the version of each peer, or that it is missing."""
    asked = {
        "bpftrace": ["bpftrace", "--version"],
        "clang": ["clang", "--version"],
        "bpftool": ["bpftool", "version"],
        "libbpf-tools": ["dpkg-query", "-W", "-f", "${Version}", "libbpf-tools"],
        "libbpf-dev": ["dpkg-query", "-W", "-f", "${Version}", "libbpf-dev"],
    }
    told = {name: _first_line(words) for name, words in asked.items()}
    return {**told, "kernel headers": "installed" if machine_has_headers() else "missing"}


def _first_line(words: list[str]) -> str:
    path = installing.found(words[0])
    if path is None:
        return "missing"
    done = subprocess.run([path, *words[1:]], capture_output=True, text=True, check=False)
    lines = done.stdout.split("\n")
    return lines[0].strip() if done.returncode == 0 and lines[0].strip() else "missing"
