"""One kernel under QEMU: boot it on a root file system, run a command there, bring back its files.

The root file system is the initramfs, and the files come back as a tar over a serial port: every
kernel has what that takes built in. Debian no longer has the modules of some kernels that it has.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

INIT = Path(__file__).with_name("init.sh")
WITH_US = ("setpriv", "--pdeathsig", "KILL")  # whatever ends us ends the guest
QEMU = "qemu-system-x86_64"
CONSOLE, BROUGHT = "console", "brought.tar.gz"
MEMORY = "4G"
LOOK = 0.5  # seconds between two looks at the console
KVM_TRIAL = 15  # seconds that a kernel gets to show a sign of life under KVM
STOP = threading.Event()  # set it, and every guest is ended
_SAID = re.compile(r"^lab: (.*?)\r?$", re.M)


@dataclass(frozen=True)
class Accelerator:
    """How QEMU runs a guest's instructions, and why so."""

    options: tuple[str, ...]
    told: str

    @property
    def emulated(self) -> bool:
        """Whether it is software emulation."""
        return "kvm" not in self.options


# Never -cpu max: QEMU 7.2's emulation of AVX2 computes wrongly (numpy's sort was seen wrong).
EMULATION = ("-accel", "tcg,thread=multi", "-cpu", "Nehalem")
KVM = (("-accel", "kvm", "-cpu", "host"), ("-accel", "kvm", "-cpu", "qemu64"))


class GuestFailed(Exception):
    """A guest did not do its part; says what, and the end of its console."""


def initramfs(room: Path, checkout: bytes, command: Sequence[str], target: Path) -> Path:
    """Write a room's archive, the checkout's tar and what to run into one file; return it."""
    shutil.copy(room, target)
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name)
        (tree / "checkout.tar").write_bytes(checkout)
        (tree / "init").write_text(INIT.read_text().replace("@COMMAND@", shlex.join(command)))
        (tree / "init").chmod(0o755)
        words = ["cpio", "--quiet", "-o", "-H", "newc"]
        names = b"checkout.tar\ninit\n"
        done = subprocess.run(words, cwd=tree, input=names, check=True, capture_output=True)
    with target.open("ab") as file:
        file.write(done.stdout)
    return target


@contextmanager
def running(
    vmlinuz: Path, ramdisk: Path, folder: Path, options: Sequence[str], cpus: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a guest whose serial ports go to files of a folder; it is ended when the block ends."""
    words = [
        *WITH_US,
        QEMU,
        *options,
        "-smp",
        str(cpus),
        "-m",
        MEMORY,
        "-no-reboot",
        "-nic",
        "none",
    ]
    words += ["-nic", "none", "-display", "none", "-monitor", "none"]
    words += ["-serial", f"file:{folder / CONSOLE}", "-serial", f"file:{folder / BROUGHT}"]
    words += ["-kernel", str(vmlinuz), "-initrd", str(ramdisk)]
    words += ["-append", "console=ttyS0 loglevel=4 panic=-1"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def _console(folder: Path) -> str:
    path = folder / CONSOLE
    return path.read_text(errors="replace") if path.exists() else ""


def said(folder: Path) -> list[str]:
    """Return what the guest's own lines say so far."""
    return _SAID.findall(_console(folder))


def accelerator(vmlinuz: Path, ramdisk: Path, say: Callable[[str], object]) -> Accelerator:
    """Try KVM with this kernel for some seconds; software emulation where it shows no life.

    That /dev/kvm opens says little: a nested KVM may hang in the first instructions.
    """
    if not Path("/dev/kvm").exists():
        return Accelerator(EMULATION, "software emulation: there is no /dev/kvm")
    for options in KVM:
        say(f"trying KVM with {' '.join(options[2:])}, {KVM_TRIAL} s at most")
        if _lives(vmlinuz, ramdisk, options):
            return Accelerator(options, f"KVM, {' '.join(options[2:])}")
    return Accelerator(EMULATION, f"software emulation: under KVM no guest woke in {KVM_TRIAL} s")


def _lives(vmlinuz: Path, ramdisk: Path, options: Sequence[str]) -> bool:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(vmlinuz, ramdisk, folder, options, 1) as process:
            ends = time.monotonic() + KVM_TRIAL
            while process.poll() is None and time.monotonic() < ends and not said(folder):
                time.sleep(LOOK)
            return bool(said(folder))


def run(
    vmlinuz: Path,
    ramdisk: Path,
    how: Accelerator,
    cpus: int,
    seconds: float,
    folder: Path,
    say: Callable[[str], object],
) -> dict[str, bytes]:
    """Boot a kernel; return the files that its command left in /out, by name.

    The console is kept in the folder. Raises GuestFailed where a guest dies, hangs, leaves nothing.
    """
    for name in (CONSOLE, BROUGHT):
        (folder / name).unlink(missing_ok=True)
    with running(vmlinuz, ramdisk, folder, how.options, cpus) as process:
        _watch(process, folder, seconds, say)
    return _files(folder / BROUGHT)


def _watch(
    process: subprocess.Popen[bytes], folder: Path, seconds: float, say: Callable[[str], object]
) -> None:
    """Wait until the guest is done; tell its lines as they come. Raises GuestFailed."""
    ends, told = time.monotonic() + seconds, 0
    while process.poll() is None:
        lines = said(folder)
        list(map(say, lines[told:]))
        told = len(lines)
        if STOP.is_set():
            raise KeyboardInterrupt
        if time.monotonic() > ends:
            raise GuestFailed(f"not done after {seconds:.0f} s; {_end_of(folder)}")
        time.sleep(LOOK)
    if "done" not in said(folder):
        errors = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
        raise GuestFailed(f"the guest ended too early; {errors or _end_of(folder)}")


def _end_of(folder: Path) -> str:
    lines = [line.strip() for line in _console(folder).splitlines() if line.strip()]
    return "its last lines: " + (" | ".join(lines[-3:]) if lines else "none, it never spoke")


def _files(brought: Path) -> dict[str, bytes]:
    try:
        with tarfile.open(brought) as tar:
            return {
                member.name.removeprefix("./"): file.read()
                for member in tar
                if (file := tar.extractfile(member))
            }
    except (tarfile.TarError, OSError, EOFError) as error:
        raise GuestFailed(f"what it brought back cannot be read: {error}") from error
