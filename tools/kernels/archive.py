"""Debian's archive, asked without touching this machine: apt with lists and sources of its own.

apt checks each list against the archive's signature, and each package against its list.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from labkit.errors import MachineError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Oldest first; apt's label of the archive that has them.
SUITES = {
    "Debian": (
        *("bullseye", "bookworm", "bookworm-updates", "bookworm-backports"),
        *("trixie", "trixie-updates", "trixie-backports", "forky", "sid", "experimental"),
    ),
    "Debian-Security": ("bullseye-security", "bookworm-security", "trixie-security"),
}
_SOURCE = """Types: deb
URIs: {uri}
Suites: {suite}
Components: main
Architectures: amd64
Signed-By: {keyring}

"""
_SETTINGS = """Dir::State "{home}";
Dir::State::lists "{home}/lists";
Dir::State::status "{home}/status";
Dir::Cache "{home}/cache";
Dir::Etc::sourcelist "{home}/archive.sources";
Dir::Etc::sourceparts "-";
APT::Architecture "amd64";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
"""


class Package(NamedTuple):
    """One version of a package, and the suite that has it."""

    name: str
    version: str
    suite: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.suite})"


def mirrors() -> dict[str, str]:
    """Return the addresses of the archives that this machine's own apt uses, by their label."""
    words = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)"]
    try:
        told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        raise MachineError(
            "there is no apt-get here to get kernels with", "run it on Debian"
        ) from None
    rows = (line.split("|") for line in told.splitlines())
    return {label: uri for origin, label, uri in rows if origin == "Debian" and label in SUITES}


class Archive:
    """apt with a state of its own in a folder, over all suites that may have a kernel."""

    def __init__(self, home: Path, mirrors: dict[str, str]) -> None:
        self.home = home
        self.mirrors = mirrors

    def update(self) -> str:
        """Get the lists; return what apt complained of (a suite that the mirror lacks, say)."""
        self._write()
        done = self._apt("apt-get", "update", check=False)
        if not self.suites:
            raise MachineError(
                f"no list of Debian's archive could be had: {done.stderr.strip()[-300:]}",
                "see that `apt-get update` works here",
            )
        return "\n".join(line for line in done.stderr.splitlines() if line[:2] in ("W:", "E:"))

    @cached_property
    def suites(self) -> set[str]:
        """The suites whose lists were had."""
        told = self._apt("apt-get", "indextargets", "--format", "$(RELEASE)|$(FILENAME)").stdout
        rows = (line.split("|") for line in told.splitlines())
        return {suite for suite, name in rows if Path(name).exists()}

    def names(self, prefix: str) -> list[str]:
        """Return the packages whose names begin so."""
        return self._apt("apt-cache", "pkgnames", prefix).stdout.split()

    def versions(self, names: Iterable[str]) -> list[Package]:
        """Return each version of those packages, once for each suite that has it."""
        rows = self._apt("apt-cache", "madison", *names).stdout.splitlines()
        columns = [[word.strip() for word in row.split("|")] for row in rows]
        return [
            Package(name, version, place.split()[1].partition("/")[0])
            for name, version, place in columns
            if place.endswith("Packages")
        ]

    def needs(self, package: Package) -> list[str]:
        """Return the names in the package's Depends, without versions; alternatives apart."""
        told = self._apt("apt-cache", "show", f"{package.name}={package.version}").stdout
        lines = [line for line in told.splitlines() if line.startswith("Depends: ")]
        wanted = lines[0].removeprefix("Depends: ").split(",") if lines else []
        return [one.split()[0] for one in wanted if "|" not in one]

    def download(self, package: Package, folder: Path) -> Path:
        """Download a package into a folder; return its file. Raises MachineError."""
        before = set(folder.iterdir())
        done = self._apt(
            "apt-get", "download", f"{package.name}={package.version}", check=False, cwd=folder
        )
        new = set(folder.iterdir()) - before
        if done.returncode or not new:
            raise MachineError(
                f"{package} could not be had: {done.stderr.strip()[-300:]}",
                "see that `apt-get update` works here, and try again",
            )
        return new.pop()

    def _write(self) -> None:
        for folder in ("lists/partial", "cache/archives/partial"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        (self.home / "status").touch()
        (self.home / "apt.conf").write_text(_SETTINGS.format(home=self.home))
        (self.home / "archive.sources").write_text(
            "".join(
                _SOURCE.format(uri=self.mirrors[label], suite=suite, keyring=KEYRING)
                for label, suites in SUITES.items()
                if label in self.mirrors
                for suite in suites
            )
        )

    def _apt(
        self, *words: str, check: bool = True, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "APT_CONFIG": str(self.home / "apt.conf"), "LC_ALL": "C"}
        return subprocess.run(
            words, env=environment, cwd=cwd, check=check, capture_output=True, text=True
        )
