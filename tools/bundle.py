"""``./lab bundle``: one file with which ``sudo ./lab`` sets up on a machine that has no network.

It holds a copy of this checkout and, in its folder ``bundle/``, what ./lab would fetch: the
distribution's packages with all that they depend on, wheels by requirements/*.lock, checksums.
For whom it is made stands in ``bundle/made-for``. tools/bundle.sh is the side that uses it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from labkit import cli
from labkit.errors import MachineError, UsageError
from labkit.status import ACCEPTED_STATUS

ROOT = Path(__file__).resolve().parents[1]
RELEASES = ("bookworm", "trixie")
ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}  # Debian's name: Linux's and the wheels'
PACKAGES = ("python3-bpfcc", "python3-venv")  # what ./lab installs before anything else
LOCKS = ("setup.lock", "run.lock")
TOP = "ebpf-lab"  # the folder that the file unpacks to
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
NO_NETWORK = "see the lines above; when the network can be reached: ./lab bundle"


class Target(NamedTuple):
    """The machine that a bundle is for, as its packages tell."""

    release: str
    architecture: str
    python: str  # with its third number: some lines of the lock depend on it
    glibc: str

    def markers(self) -> dict[str, str]:
        """Return what the lock's conditions are held against."""
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": ARCHITECTURES[self.architecture],
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": self.python,
            "python_version": self.python.rpartition(".")[0],
            "sys_platform": "linux",
        }

    def platforms(self) -> list[str]:
        """Return the tags of the wheels that run there: made for its glibc or an older one."""
        machine = ARCHITECTURES[self.architecture]
        newest = int(self.glibc.split(".")[1])
        tags = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, 4, -1)]
        old = [f"manylinux{year}_{machine}" for year in ("2014", "2010", "1")]
        return [*tags, *old, f"linux_{machine}"]


def run(words: Sequence[str | Path], mend: str, **options: str | Path) -> str:
    """Run a command; return what it printed. Raises MachineError, with its last lines shown."""
    if shutil.which(words[0]) is None:
        where = "on a Debian or Ubuntu that has it"
        raise MachineError(f"this machine has no {words[0]}", f"install it, or do this {where}")
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options
    )  # type: ignore[call-overload]
    if done.returncode:
        print(*done.stdout.splitlines()[-12:], sep="\n", file=sys.stderr)
        raise MachineError(f"{words[0]} failed (status {done.returncode})", mend)
    return str(done.stdout)


# --- the distribution's packages -----------------------------------------------------------------


def archives(mirror: str | None) -> dict[str, str]:
    """Return this machine's addresses of Debian's archives, by apt's name for each.

    Raises MachineError where it has none and no ``mirror`` is given.
    """
    words = ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"]
    lines = run(words, "sudo apt-get update").splitlines()
    found = dict(line.split(" ", 1) for line in reversed(lines) if line.startswith("Debian"))
    if mirror:
        found["Debian"] = mirror
    if "Debian" not in found:
        raise MachineError("this machine knows no archive of Debian", "./lab bundle --mirror URL")
    return found


def sources(release: str, uris: dict[str, str]) -> str:
    """Return the lines of a sources.list for one release."""
    suites = [("Debian", release), ("Debian", f"{release}-updates")]
    if "Debian-Security" in uris:
        suites.append(("Debian-Security", f"{release}-security"))
    signed = f"[signed-by={KEYRING}]"
    return "".join(f"deb {signed} {uris[label]} {suite} main\n" for label, suite in suites)


def apt_words(place: Path, architecture: str) -> list[str]:
    """Return apt-get with all its state in ``place``, where not one package is installed yet."""
    for folder in ("lists/partial", "archives/partial"):
        (place / folder).mkdir(parents=True)
    (place / "status").touch()
    options = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "1",
        "Dir::Cache": place,
        "Dir::Cache::archives": place / "archives",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::Etc::sourcelist": place / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": place,
        "Dir::State::lists": place / "lists",
        "Dir::State::status": place / "status",
    }
    return ["apt-get", *(f"-o{name}={value}" for name, value in options.items())]


def fetch_packages(release: str, architecture: str, mirror: str | None, debs: Path) -> None:
    """Bring PACKAGES and all that they need into ``debs``, checked by apt against Debian's keys.

    All: also what a minimal system has, since it may have an older one. Raises MachineError.
    """
    if not KEYRING.is_file():
        mend = "sudo apt-get install debian-archive-keyring"
        raise MachineError("Debian's keys are not on this machine", mend)
    with tempfile.TemporaryDirectory(prefix="lab-bundle.") as folder:
        place = Path(folder)
        apt = apt_words(place, architecture)
        (place / "sources.list").write_text(sources(release, archives(mirror)))
        run([*apt, "update", "--error-on=any"], NO_NETWORK)
        words = ["install", "--download-only", "--no-install-recommends", "-y"]
        run([*apt, *words, *PACKAGES], NO_NETWORK)
        debs.mkdir()
        for deb in sorted((place / "archives").glob("*.deb")):
            shutil.move(deb, debs / re.sub(r"_\d+%3a", "_", deb.name))  # no epoch, as in Debian's


def write_index(debs: Path) -> None:
    """Write ``Packages``, by which apt takes a folder for an archive."""
    stanzas = []
    for deb in sorted(debs.glob("*.deb")):
        control = run(["dpkg-deb", "--field", deb], "./lab bundle").rstrip("\n")
        size, digest = deb.stat().st_size, sha256(deb)
        stanzas.append(f"{control}\nFilename: ./{deb.name}\nSize: {size}\nSHA256: {digest}\n")
    (debs / "Packages").write_text("\n".join(stanzas))


def upstream(debs: Path, package: str) -> str:
    """Return the version of a package in ``debs`` as its authors count, such as 3.11.2."""
    (deb,) = debs.glob(f"{package}_*.deb")
    version = re.match(r"[\d.]+\d", deb.name.split("_")[1])
    assert version, deb.name
    return version[0]


def target_of(release: str, architecture: str, debs: Path) -> Target:
    """Return what a machine is that has these packages."""
    python = ".".join(upstream(debs, "python3").split(".")[:2])
    full = upstream(debs, f"python{python}-minimal")
    return Target(release, architecture, full, upstream(debs, "libc6"))


# --- wheels --------------------------------------------------------------------------------------


def locked(lock: str, target: Target) -> str:
    """Return the lines of a lock that hold for a target, with their hashes, without conditions.

    pip would hold the conditions against the Python that it runs under.
    """
    from packaging.requirements import Requirement

    kept = []
    for entry in re.findall(r"^[a-z0-9].*(?:\n    --hash=.*)*", lock, re.MULTILINE | re.IGNORECASE):
        first, _, hashes = entry.partition("\n")
        wanted = Requirement(first.rstrip(" \\"))
        environment = {**target.markers(), "extra": ""}
        if wanted.marker is None or wanted.marker.evaluate(environment):
            kept.append(f"{wanted.name}{wanted.specifier} \\\n{hashes}\n")
    return "".join(kept)


def fetch_wheels(target: Target, wheels: Path) -> None:
    """Bring what the locks name into ``wheels``, each checked against its hash.

    Raises MachineError.
    """
    wheels.mkdir()
    platforms = [word for tag in target.platforms() for word in ("--platform", tag)]
    python = target.markers()["python_version"]
    for name in LOCKS:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(locked((ROOT / "requirements" / name).read_text(), target))
            file.flush()
            words = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
            words += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir"]
            words += ["--python-version", python, *platforms, "-d", str(wheels), "-r", file.name]
            run(words, NO_NETWORK)


# --- the file ------------------------------------------------------------------------------------


def sha256(path: Path) -> str:
    """Return a file's SHA-256, in hexadecimal digits."""
    with path.open("rb") as file:
        sums = hashlib.sha256()
        while block := file.read(1 << 20):
            sums.update(block)
    return sums.hexdigest()


def checkout_files() -> list[str]:
    """Return the paths of the checkout's own files. Raises MachineError where git does not know."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT)]
    words = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = run([*git, *words], "git clone the lab anew, and ./lab bundle there").split("\0")
    return sorted({name for name in names if name and (ROOT / name).is_file()})


def locks_digest() -> str:
    """Return the SHA-256 of both locks, one after the other, as ./lab counts it."""
    parts = [(ROOT / "requirements" / name).read_bytes() for name in LOCKS]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def describe(target: Target, bundle: Path) -> None:
    """Write for whom the bundle is, and then the checksums of all its files."""
    facts = {
        "release": target.release,
        "architecture": target.architecture,
        "python": target.python,
        "locks": locks_digest(),
        "made": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    (bundle / "made-for").write_text("".join(f"{name}={fact}\n" for name, fact in facts.items()))
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    lines = [f"{sha256(path)}  {path.relative_to(bundle)}\n" for path in files]
    (bundle / "SHA256SUMS").write_text("".join(lines))


def members(bundle: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file with its name in the tar: the bundle, and the checkout around it."""
    yield bundle, f"{TOP}/bundle"
    for name in checkout_files():
        yield ROOT / name, f"{TOP}/{name}"


def root_owns(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Tell nobody who made the bundle."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def pack(what: Iterable[tuple[Path, str]], file: Path) -> None:
    """Write the tar, which is there when it is whole; nothing in it can be pressed further."""
    part = file.with_name(f"{file.name}.part")
    try:
        with tarfile.open(part, "w") as tar:
            for path, name in what:
                tar.add(path, name, filter=root_owns)
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


def make(release: str, architecture: str, mirror: str | None, file: Path) -> None:
    """Make the file, and say how far it is. Raises MachineError."""
    with tempfile.TemporaryDirectory(prefix=".bundle.", dir=file.parent) as folder:
        bundle = Path(folder)
        bundle.chmod(0o755)
        say(f"packages of Debian {release}, {architecture}: {' '.join(PACKAGES)}")
        fetch_packages(release, architecture, mirror, bundle / "debs")
        write_index(bundle / "debs")
        target = target_of(release, architecture, bundle / "debs")
        say(f"wheels for Python {target.python}, glibc {target.glibc}")
        fetch_wheels(target, bundle / "wheels")
        describe(target, bundle)
        pack(members(bundle), file)


def say(words: str) -> None:
    """Tell how far it is."""
    print(words, file=sys.stderr, flush=True)


# --- the command ---------------------------------------------------------------------------------


def this_release() -> str:
    """Return this machine's release where bundles can be made for it, else the newest of those."""
    codename = ""
    with contextlib.suppress(OSError):  # a system that does not say what it is
        codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    return codename if codename in RELEASES else RELEASES[-1]


def this_architecture() -> str:
    """Return Debian's name of this machine's processors."""
    names = {linux: debian for debian, linux in ARCHITECTURES.items()}
    return names.get(os.uname().machine, "amd64")


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    made = argparse.ArgumentParser(
        prog="./lab bundle",
        description="Make one file with which sudo ./lab sets up without a network.",
        epilog="example: sudo ./lab bundle --release trixie /media/stick/ebpf-lab.tar",
    )
    made.add_argument(
        "--release",
        choices=RELEASES,
        default=this_release(),
        help="the Debian of the machines it is for (here: %(default)s)",
    )
    made.add_argument(
        "--arch",
        choices=[*ARCHITECTURES],
        default=this_architecture(),
        help="their processors (here: %(default)s)",
    )
    made.add_argument("--mirror", metavar="URL", help="Debian's archive; default: this machine's")
    made.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="default: ebpf-lab-RELEASE-ARCH.tar in this folder",
    )
    return made


def command(options: argparse.Namespace) -> int:
    """Make a bundle, and say what was made and how it is used. Raises MachineError, UsageError."""
    file = options.file or Path(f"ebpf-lab-{options.release}-{options.arch}.tar")
    if file.is_dir() or not file.absolute().parent.is_dir():
        raise UsageError(f"{file}: name a file in a folder that is there")
    began = time.monotonic()
    make(options.release, options.arch, options.mirror, file.absolute())
    size, seconds = file.stat().st_size / 1e6, time.monotonic() - began
    print(f"{file}: {size:.0f} MB, made in {seconds:.0f} s")
    print(f"sha256 {sha256(file)}")
    print(f"  on a new machine:  tar xf {file.name} && cd {TOP} && sudo ./lab")
    print(f"  in a checkout:     sudo ./lab --bundle {file.name}")
    return ACCEPTED_STATUS


def main(words: Sequence[str] | None = None) -> int:
    """Make a bundle as the options say. Return the exit status."""
    options = parser().parse_args(words)
    return cli.exit_status(lambda: command(options))


if __name__ == "__main__":
    sys.exit(main())
