"""Does machines/user-data.yaml make a machine that runs the lab? Boot one, and use the lab in it.

A Debian with cloud-init (debootstrap), user-data.yaml as it is on a disk labelled CIDATA, a file
made by ./lab bundle on another, and QEMU without any network but a port for ssh. As root:

    sudo .venv/bin/python -m tools.machines [--release bookworm] [--work FOLDER [--make]]

--work keeps the disks there and takes those that are there; --make ends when they are made. Needs
debootstrap, genisoimage, qemu-system-x86, openssh-client. The processors are emulated: minutes,
not seconds. Exit status: 0 all went well, 1 a step failed, 3 it cannot be tried here.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from labkit import cli
from labkit.errors import MachineError
from labkit.status import ACCEPTED_STATUS
from tools import bundle
from tools.bundle import run, say

ROOT = Path(__file__).resolve().parents[1]
USER_DATA = ROOT / "machines" / "user-data.yaml"
NEEDED = {"debootstrap": "debootstrap", "genisoimage": "genisoimage", "ssh": "openssh-client"}
NEEDED |= {"qemu-system-x86_64": "qemu-system-x86"}
# What a cloud's image of Debian has, and the lab does not.
IMAGE = "systemd-sysv udev dbus linux-image-cloud-amd64 cloud-init openssh-server sudo iproute2"
IMAGE_CONFIG = "datasource_list: [NoCloud]\nlocale: false\nmanage_etc_hosts: true\n"
LAB = "/opt/ebpf-lab"
NOTEBOOK = f"{LAB}/notebooks/01_stack_limit.ipynb"
BOOT_LIMIT, SETUP_LIMIT, NOTEBOOK_LIMIT = 300.0, 900.0, 900.0  # seconds


class BootError(Exception):
    """The machine did not do what its description says."""


# --- the disks -----------------------------------------------------------------------------------


def in_root(root: Path, command: str) -> None:
    """Run a line of shell in a root file system that sees /proc. Raises MachineError."""
    inside = f"mount --bind /proc {root}/proc && exec chroot {root} sh -ec '{command}'"
    run(["unshare", "--mount", "--propagation", "private", "sh", "-c", inside], "see above")


def make_root(release: str, root: Path) -> None:
    """Make the root file system of a cloud's Debian. Raises MachineError."""
    mirror = bundle.archives(None)["Debian"]
    run(["debootstrap", "--variant=minbase", release, root, mirror], bundle.NO_NETWORK)
    borrowed = ["etc/resolv.conf", "etc/apt/apt.conf.d/90this-machine"]
    shutil.copy("/etc/resolv.conf", root / borrowed[0])
    (root / borrowed[1]).write_text(run(["apt-config", "dump", "Acquire"], "see above"))
    install = f"apt-get install -y --no-install-recommends {IMAGE}"
    in_root(root, f"apt-get update; DEBIAN_FRONTEND=noninteractive {install}; apt-get clean")
    in_root(root, "systemctl enable systemd-networkd ssh; rm -f /etc/ssh/ssh_host_*")
    for name in borrowed:
        (root / name).unlink()
    (root / "etc/cloud/cloud.cfg.d/99-image.cfg").write_text(IMAGE_CONFIG)


def check_schema(root: Path) -> None:
    """Let cloud-init itself say whether user-data.yaml is one. Raises MachineError."""
    shutil.copy(USER_DATA, root / "tmp")
    in_root(root, f"cloud-init schema --config-file /tmp/{USER_DATA.name}")
    (root / "tmp" / USER_DATA.name).unlink()


def disk_of(label: str, files: Sequence[Path], disk: Path) -> None:
    """Write a disk with a label that holds some files."""
    words: list[str | Path] = [
        "genisoimage",
        "-quiet",
        "-volid",
        label,
        "-rational-rock",
        "-joliet",
        "-o",
        disk,
    ]
    run([*words, *files], "sudo apt-get install genisoimage")


def make_seed(work: Path) -> None:
    """Write the disk from which cloud-init learns what to do, and a key to come in with."""
    key = work / "key"
    if not key.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], "see above")
    public = key.with_suffix(".pub").read_text().strip()
    meta, user = work / "meta-data", work / "user-data"
    meta.write_text(
        f"instance-id: ebpf-lab\nlocal-hostname: ebpf-lab\npublic-keys:\n  - {public}\n"
    )
    shutil.copy(USER_DATA, user)
    disk_of("CIDATA", [meta, user], work / "seed.iso")


def make_system(release: str, work: Path) -> None:
    """Make the disk with the system, and its kernel beside it. Raises MachineError."""
    root = work / "root"
    say(f"a root file system: Debian {release}, with cloud-init")
    make_root(release, root)
    check_schema(root)
    for name in ("vmlinuz", "initrd.img"):
        (found,) = (root / "boot").glob(f"{name}-*")
        shutil.copy(found, work / name)
    part = work / "system.part"
    run(["mke2fs", "-q", "-t", "ext4", "-d", root, part, "6G"], "see above")
    shutil.rmtree(root)
    part.rename(work / "system.img")


def make_disks(release: str, work: Path) -> None:
    """Make what is not there yet; user-data.yaml and the checkout are taken as they are now."""
    if not (work / "system.img").exists():
        make_system(release, work)
    make_seed(work)
    file = work / "lab.tar"
    bundle.make(release, "amd64", None, file)
    disk_of("EBPF-LAB", [file], work / "lab.iso")
    file.unlink()


# --- the machine ---------------------------------------------------------------------------------


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def qemu_words(work: Path, system: Path, port: int) -> list[str]:
    """Return the command that boots the disks, with ``port`` leading to the machine's ssh.

    QEMU 7.2 miscalculates what newer processors have (AVX2): so an old one is emulated.
    """
    words = "qemu-system-x86_64 -accel tcg,thread=multi -cpu Nehalem -smp 2 -m 3G -display none"
    words += f" -no-reboot -serial file:{work}/console -kernel {work}/vmlinuz"
    words += f" -initrd {work}/initrd.img -device virtio-net-pci,netdev=net,romfile="
    words += f" -netdev user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"
    words += f" -drive file={system},if=virtio,format=raw,cache=unsafe"
    for name in ("seed.iso", "lab.iso"):
        words += f" -drive file={work}/{name},if=virtio,format=raw,readonly=on"
    return [*words.split(), "-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0"]


class Machine:
    """A booted machine, used as an attendee does: through ssh."""

    def __init__(self, work: Path, port: int) -> None:
        self.work = work
        options = {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null"}
        options |= {"ConnectTimeout": "30", "LogLevel": "ERROR", "BatchMode": "yes"}
        self.ssh = ["ssh", "-i", str(work / "key"), "-p", str(port), "debian@127.0.0.1"]
        self.ssh[1:1] = [word for pair in options.items() for word in ("-o", "=".join(pair))]

    def run(self, command: str, limit: float = 120, expected: int = 0) -> str:
        """Run a command there; return what it printed. Raises BootError at another status."""
        try:
            done = subprocess.run(
                [*self.ssh, command], capture_output=True, text=True, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired:
            raise BootError(f"{command}: not done after {limit:.0f} s") from None
        if done.returncode != expected:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
            raise BootError(f"{command}: status {done.returncode}, not {expected}\n{tail}")
        return done.stdout

    def wait_for_ssh(self) -> str:
        """Return when it can be logged in to, with the kernel's name. Raises BootError."""
        deadline = time.monotonic() + BOOT_LIMIT
        while time.monotonic() < deadline:
            with contextlib.suppress(BootError):
                return self.run("uname -r", limit=60).strip()
            time.sleep(2)
        raise BootError(f"no ssh after {BOOT_LIMIT:.0f} s; its console: {self.work}/console")

    def wait_for_address(self) -> str:
        """Return JupyterLab's address with its token. Raises BootError."""
        return self.run("sudo ebpf-lab-address", limit=SETUP_LIMIT).strip()

    @contextlib.contextmanager
    def forwarded(self, port: int) -> Iterator[int]:
        """Yield a port of this machine that leads to one on that machine's 127.0.0.1."""
        ours = free_port()
        words = [*self.ssh, "-N", "-L", f"127.0.0.1:{ours}:127.0.0.1:{port}"]
        with subprocess.Popen(words) as tunnel:
            try:
                yield ours
            finally:
                tunnel.terminate()


@contextlib.contextmanager
def booted(work: Path) -> Iterator[Machine]:
    """Boot a copy of the system; yield the machine. It is gone afterwards."""
    system = work / "system.run"
    run(["cp", "--sparse=always", work / "system.img", system], "see above")
    port = free_port()
    with subprocess.Popen(qemu_words(work, system, port)) as process:
        try:
            yield Machine(work, port)
        finally:
            process.kill()
            process.wait()
            system.unlink()


def status_of(port: int, token: str) -> int:
    """Return what the server answers to a token; 0 where it does not yet."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/api/status", headers={"Authorization": f"token {token}"})
        return connection.getresponse().status
    return 0


# --- what is tried -------------------------------------------------------------------------------


def answers(machine: Machine, address: str) -> str:
    """See that the forwarded port answers to the token, and to no other. Raises BootError."""
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/lab\S*\?token=([0-9a-f]+)", address)
    if not found:
        raise BootError(f"not an address: {address!r}")
    with machine.forwarded(int(found[1])) as port:
        deadline = time.monotonic() + 120
        while not (status := status_of(port, found[2])) and time.monotonic() < deadline:
            time.sleep(1)
        told = status, status_of(port, "wrong")
    if told != (200, 403):
        raise BootError(f"with the token {told[0]}, with a wrong one {told[1]}; not 200 and 403")
    return "200 with the token, 403 with another"


def builds(machine: Machine) -> str:
    """See both verdicts. Raises BootError."""
    refused = machine.run(f"sudo {LAB}/lab build stack", expected=1)
    accepted = machine.run(f"sudo {LAB}/lab build percpu")
    return f"{refused.splitlines()[0]} / {accepted.splitlines()[0]}"


def runs(machine: Machine) -> str:
    """See events of the machine's own execs: some begin as long as it runs. Raises BootError."""
    others = "while [ -d /proc/$! ]; do /bin/true; sleep 0.2; done; wait $!"
    told = machine.run(f"sudo {LAB}/lab run percpu --seconds 5 --quiet & {others}")
    account = told.strip().splitlines()[-1]
    if not re.match(r"[1-9]\d* events .*it balances", account):
        raise BootError(f"run percpu: {account}")
    return account


def notebook(machine: Machine) -> str:
    """Execute the first notebook, the whole of it. Raises BootError."""
    words = f"{LAB}/.venv/bin/jupyter nbconvert --to notebook --execute --output /tmp/01"
    machine.run(f"sudo HOME=/root {words} {NOTEBOOK}", limit=NOTEBOOK_LIMIT)
    return "executed"


def use(machine: Machine) -> None:
    """Try one after the other, and tell of each. Raises BootError at the first that fails."""
    address = ""

    def find_address() -> str:
        nonlocal address
        address = machine.wait_for_address()
        return address.partition("?")[0]

    steps: dict[str, Callable[[], str]] = {
        "boots, ssh answers": machine.wait_for_ssh,
        "set up, JupyterLab's address": find_address,
        "the forwarded port answers": lambda: answers(machine, address),
        "build stack, build percpu": lambda: builds(machine),
        "run percpu": lambda: runs(machine),
        "notebook 01, executed": lambda: notebook(machine),
    }
    for name, step in steps.items():
        began = time.monotonic()
        found = step()
        print(f"{name:<30} {time.monotonic() - began:7.1f} s  {found}", flush=True)


# --- the command ---------------------------------------------------------------------------------


def check_tools() -> None:
    """Raise MachineError where something is missing."""
    missing = [package for tool, package in NEEDED.items() if shutil.which(tool) is None]
    if missing:
        raise MachineError(
            f"not installed: {', '.join(missing)}", f"sudo apt-get install {' '.join(missing)}"
        )
    if os.geteuid() != 0:
        raise MachineError("root alone makes root file systems", "sudo, and the same words")


def command(options: argparse.Namespace) -> int:
    """Make the disks, boot them, use the lab. Raises MachineError, BootError."""
    check_tools()
    with contextlib.ExitStack() as stack:
        fresh = None if options.work else tempfile.TemporaryDirectory(prefix="lab-machine.")
        work = Path(stack.enter_context(fresh)) if fresh else options.work.resolve()
        work.mkdir(exist_ok=True)
        if options.make or not (work / "lab.iso").exists():
            make_disks(options.release, work)
        if not options.make:
            use(stack.enter_context(booted(work)))
    return ACCEPTED_STATUS


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status."""
    head, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="tools.machines", description=head, epilog=rest)
    parser.add_argument("--release", choices=bundle.RELEASES, default=bundle.RELEASES[0])
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep the disks there")
    parser.add_argument("--make", action="store_true", help="make the disks, boot nothing")
    options = parser.parse_args(words)
    try:
        return cli.exit_status(lambda: command(options))
    except BootError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
