"""The command: which kernels there are, each tried, and docs/kernels written from what came."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from labkit import cli
from labkit.errors import MachineError, UsageError
from labkit.results import RESULTS
from labkit.status import ACCEPTED_STATUS, REFUSED_STATUS
from tools import installing
from tools.kernels import guest, packages, published, rooms, trying
from tools.kernels.archive import KEYRING, Archive, mirrors
from tools.kernels.inside import CLAIMS
from tools.kernels.trying import DISTRIBUTIONS, Found

# What it needs: a command or a file, and Debian's package that has it.
NEEDS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "debootstrap": "debootstrap",
    "cpio": "cpio",
    str(KEYRING): "debian-archive-keyring",
}
MINUTES = 10.0  # that a guest may take
RESULTS_HERE = RESULTS / "kernels"


def cache_folder() -> Path:
    """Return where packages, root file systems and images are kept between two calls."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home, "labkit-kernels")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def lacking() -> list[str]:
    """Return the packages of what is missing here."""
    return [
        package
        for need, package in NEEDS.items()
        if not (Path(need).exists() if need.startswith("/") else installing.found(need))
    ]


def see_to_the_needs(install: bool, say: Callable[[str], object]) -> None:
    """Install what is missing, if asked to. Raises MachineError where something still is."""
    again = "sudo ./lab kernels --install"
    if os.geteuid() != 0:
        raise MachineError("root file systems are made, and programs loaded, by root", again)
    if install and lacking():
        installing.install(lacking(), again, say)
    if lacking():
        raise MachineError(f"these packages are missing: {', '.join(lacking())}", again)


def chosen(only: str | None, known: Iterable[str]) -> list[str]:
    """Return what --only names, in the known order. Raises UsageError for an unknown name."""
    known = list(known)
    asked = known if only is None else [word.strip() for word in only.split(",") if word.strip()]
    unknown = [name for name in asked if name not in known]
    if unknown or not asked:
        allowed = ", ".join(known)
        raise UsageError(
            f"--only does not know {', '.join(unknown) or 'nothing'}; there are {allowed}"
        )
    return [name for name in known if name in asked]


class Told:
    """Says on stderr how far it is: which kernel, since when."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.lock = threading.Lock()

    def about(self, name: str) -> Callable[[str], None]:
        """Return what says a line about one kernel."""

        def say(words: str) -> None:
            with self.lock:
                seconds = time.monotonic() - self.began
                print(f"{seconds:6.0f} s  {name:<13} {words}", file=sys.stderr, flush=True)

        return say


def each(
    names: Sequence[str], jobs: int, try_one: Callable[[str], Found], told: Told
) -> list[Found]:
    """Try them, so many at a time; each is written as soon as it is had."""

    def one(name: str) -> Found:
        found = try_one(name)
        published.keep(found)
        told.about(name)(f"{published.in_short(found)} ({found.tried.seconds:.0f} s)")
        return found

    try:
        with ThreadPoolExecutor(max_workers=jobs) as executor:
            try:
                return list(executor.map(one, names))
            except BaseException:  # Ctrl-C, or a defect: no guest goes on by itself
                guest.STOP.set()
                executor.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        guest.STOP.clear()


def kernels(options: argparse.Namespace, told: Told) -> list[Found]:
    """Try Debian's kernels."""
    if platform.machine() != "x86_64":
        raise MachineError(
            f"Debian's kernels for {platform.machine()} are not tried by this lab yet: only amd64",
            "run it on an x86-64 machine; --distributions runs here, too",
        )
    cache, say = cache_folder(), told.about("archive")
    archive, found = archive_and_kernels(cache, say)
    names = chosen(options.only, packages.wanted(found))
    room = rooms.room(trying.GUESTS_SUITE, cache, told.about(trying.GUESTS_SUITE))
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        ramdisk = guest.initramfs(
            rooms.archived(room),
            rooms.checkout(),
            trying.command(options.claims),
            Path(folder, "initramfs"),
        )
        one = trying.Kernels(archive, cache, RESULTS_HERE, ramdisk, options.minutes)
        return each(
            names,
            options.jobs,
            lambda name: one.try_one(name, found.get(name), told.about(name)),
            told,
        )


def archive_and_kernels(
    cache: Path, say: Callable[[str], object]
) -> tuple[Archive, dict[str, packages.Kernel]]:
    """Get the archive's lists; return it, and which kernels it has."""
    uris = mirrors()
    if "Debian" not in uris:
        raise MachineError(
            "apt here uses no mirror of Debian, whose kernels these are",
            "run it on Debian, or add a source of Debian's to apt",
        )
    say("the lists of all suites")
    archive = Archive(cache / "apt", uris)
    complaints = archive.update()
    if complaints:
        say(f"not all could be had: {complaints}")
    return archive, packages.find(archive)


def list_them(options: argparse.Namespace, told: Told) -> int:
    """Say what would be done; nothing is downloaded but lists, nothing is booted."""
    if options.distributions:
        for name in chosen(options.only, DISTRIBUTIONS):
            print(f"{name:<13} root file system of {DISTRIBUTIONS[name]}, on this kernel")
        return ACCEPTED_STATUS
    cache = cache_folder()
    _archive, found = archive_and_kernels(cache, told.about("archive"))
    for name in chosen(options.only, packages.wanted(found)):
        kernel = found.get(name)
        if kernel is None:
            print(f"{name:<13} cannot be had: no suite has it any more")
        else:
            here = "in the cache" if packages.cached(kernel, cache) else "to be downloaded"
            print(f"{name:<13} {kernel.image}: {here}")
    return ACCEPTED_STATUS


def distributions(options: argparse.Namespace, told: Told) -> list[Found]:
    """Try the distributions' own bcc and LLVM on this kernel."""
    cache = cache_folder()
    return each(
        chosen(options.only, DISTRIBUTIONS),
        1,
        lambda name: trying.try_distribution(
            name, cache, RESULTS_HERE, options.claims, told.about(name)
        ),
        told,
    )


def run(options: argparse.Namespace) -> int:
    """Do what the options say. Return the exit status: 1 where something could not be had."""
    told = Told()
    if options.list:
        return list_them(options, told)
    if options.rewrite:
        print(published.write())
        return ACCEPTED_STATUS
    see_to_the_needs(options.install, told.about("packages"))
    try:
        found = (distributions if options.distributions else kernels)(options, told)
    except subprocess.CalledProcessError as error:
        printed = error.stderr.decode() if isinstance(error.stderr, bytes) else error.stderr or ""
        raise MachineError(
            f"{error.cmd[0]} failed: {printed.strip()[-300:]}", "see that line, and try again"
        ) from error
    print(published.write())
    return REFUSED_STATUS if any(one.record.get("problem") for one in found) else ACCEPTED_STATUS


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    made = argparse.ArgumentParser(
        prog="./lab kernels",
        description="Boot Debian's kernels under QEMU, have the lab make its record on each, and"
        " write docs/kernels.md, docs/kernels.csv, docs/kernels.png and docs/kernels/*.json.",
        epilog="example: sudo ./lab kernels --only 6.1,7.3. Packages and root file systems are kept"
        " in ~/.cache/labkit-kernels, consoles and logs of each kernel in results/kernels.",
    )
    made.add_argument("--only", metavar="NAMES", help="only these, such as 6.1,7.3")
    made.add_argument("--list", action="store_true", help="tell what would be done, and do nothing")
    made.add_argument("--jobs", type=int, default=1, metavar="N", help="guests at a time")
    made.add_argument(
        "--minutes", type=float, default=MINUTES, metavar="M", help="a guest's time limit"
    )
    made.add_argument(
        "--claims",
        choices=CLAIMS,
        default="all",
        help="which are measured: all (default), quick (those that need no load), none",
    )
    made.add_argument(
        "--distributions",
        action="store_true",
        help=f"instead: the bcc and LLVM of {', '.join(DISTRIBUTIONS)}, on this machine's kernel",
    )
    made.add_argument(
        "--rewrite", action="store_true", help="try nothing: the documents anew from the records"
    )
    made.add_argument(
        "--install", action="store_true", help=f"install what it needs: {', '.join(NEEDS.values())}"
    )
    return made


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status."""
    options = parser().parse_args(words)
    if options.jobs < 1 or options.minutes <= 0:
        parser().error("--jobs and --minutes must be more than 0")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the guests end, and what they took
    return cli.exit_status(lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
