"""A machine that lacks something: room on the disk, a right, bcc, tracefs; or a CPU that goes."""

from __future__ import annotations

import os
import random
import shlex
import sys
import tempfile
import time
from pathlib import Path

import labkit
from labkit.collecting.folders import folders
from labkit.errors import MachineError
from tools.soak.lab import (
    BUILD,
    LAB,
    Lab,
    kept_files,
    newly_kept,
    next_call_works,
    trial,
    what_is_wrong,
)

NOBODY = 65534
CPUS = Path("/sys/devices/system/cpu")
RUN = (*LAB, "run", "percpu", "--quiet")


def elsewhere(*commands: str) -> list[str]:
    """Return a prefix: first these shell commands, in a mount namespace of its own."""
    script = " && ".join([*commands, 'exec "$@"'])
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]


def without(*capabilities: str) -> list[str]:
    """Return a prefix: root, though without those capabilities."""
    told = ",".join(f"-{name}" for name in capabilities)
    return ["setpriv", f"--bounding-set={told}", f"--inh-caps={told}"]


def nobody(*capabilities: str) -> list[str]:
    """Return a prefix: a user who is not root, with those capabilities only."""
    words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    told = ",".join(["-all", *(f"+{name}" for name in capabilities)])
    return [*words, f"--inh-caps={told}", f"--ambient-caps={told}", "--no-new-privs"]


def full_disk(_chance: random.Random) -> list[str]:
    """Give a run's file 3 MB: it ends in good order, and all that fits is in the CSV."""
    place = folders()[0]
    place.mkdir(exist_ok=True)
    small = elsewhere(f"mount -t tmpfs -o size=3m none {shlex.quote(str(place))}")
    with tempfile.TemporaryDirectory(prefix="labkit-soak-") as folder:
        csv = Path(folder, "run.csv")
        with labkit.exec_storm(rate=1000):  # at full speed the compiler would wait for its turn
            faults, told = trial([*RUN, "--seconds", "30", "--csv", str(csv)], small)
        if "No space left" not in told:
            faults.append(f"it does not say that the disk is full: {told[-300:]!r}")
        if not csv.exists() or len(labkit.read_csv(csv)) < 1000:
            faults.append("what had been collected is not in the CSV")
    return faults + next_call_works()


def full_disk_for_the_csv(_chance: random.Random) -> list[str]:
    """Give a CSV too little room: the run says where the events are kept instead."""
    with tempfile.TemporaryDirectory(prefix="labkit-soak-") as folder:
        small = elsewhere(f"mount -t tmpfs -o size=64k none {shlex.quote(folder)}")
        before = kept_files()
        with labkit.exec_storm(rate=1000):
            words = [*RUN, "--seconds", "2", "--csv", f"{folder}/run.csv"]
            faults, told = trial(words, small, statuses=(2, 3))
    left = newly_kept(before)
    if not left or str(left[0].file) not in told:
        faults.append(f"the run's file is not kept, or not named: {told[-300:]!r}")
    for run in left:
        faults += [] if run.table.data_ok.all() else ["events are kept that are not whole"]
        run.discard_file()
    return faults + next_call_works()


def unwritable_folders(_chance: random.Random) -> list[str]:
    """Let no folder for runs' files be written to."""
    folders()[0].mkdir(exist_ok=True)
    places = [shlex.quote(str(folders()[0])), "/var/tmp"]
    closed = elsewhere(*(f"mount -t tmpfs -o ro none {place}" for place in places))
    faults, _told = trial([*RUN, "--seconds", "1"], closed)
    before = kept_files()
    more, _told = trial([*RUN, "--seconds", "1", "--csv", "/proc/run.csv"], statuses=(2, 3))
    for run in newly_kept(before):  # as it says
        run.discard_file()
    return faults + more + next_call_works()


def no_bcc(_chance: random.Random) -> list[str]:
    """Name a Python that has no bcc."""
    environment = {"LABKIT_BCC_PYTHON": sys.executable}
    faults, told = trial(environment=environment)
    more, told_by_check = trial([*LAB, "check"], environment=environment)
    named = "python3-bpfcc" in told and "python3-bpfcc" in told_by_check
    return faults + more + ([] if named else ["the package to install is not named"])


def no_python(_chance: random.Random) -> list[str]:
    """Name a Python that is not there."""
    return trial(environment={"LABKIT_BCC_PYTHON": "/no/such/python3"})[0]


def wrong_bcc(_chance: random.Random) -> list[str]:
    """Name a Python whose bcc is PyPI's package of that name."""
    with tempfile.TemporaryDirectory(prefix="labkit-soak-") as folder:
        fake = Path(folder, "bcc")
        fake.mkdir()
        fake.joinpath("__init__.py").write_text("")
        python = Path(folder, "python3")
        python.write_text(
            f'#!/bin/sh\nshift\nPYTHONPATH={shlex.quote(folder)} exec {sys.executable} "$@"\n'
        )
        python.chmod(0o755)
        faults, told = trial(environment={"LABKIT_BCC_PYTHON": str(python)})
    return faults + ([] if "uninstall bcc" in told else ["it does not say: uninstall bcc"])


def no_tracefs(_chance: random.Random) -> list[str]:
    """Unmount tracefs: root mounts it, root without that right says what to do."""
    gone = elsewhere("umount -l /sys/kernel/tracing 2>/dev/null; umount -l /sys/kernel/debug; true")
    faults, _told = trial(prefix=gone, statuses=(0,))
    more, told = trial(prefix=[*gone, *without("sys_admin")])
    if "mount -t tracefs" not in told:
        more.append(f"the command that mounts tracefs is not told: {told[-300:]!r}")
    return faults + more + next_call_works()


def not_root(_chance: random.Random) -> list[str]:
    """Be another user, without rights, with one of the two, and with both."""
    faults = []
    for held in ([], ["bpf"], ["perfmon"], ["bpf", "perfmon"]):
        for command in (BUILD, [*RUN, "--seconds", "1"], [*LAB, "check"]):
            # With both, what is left to say depends on who may read tracefs.
            statuses = (0, 3) if held[1:] else (3,)
            own = {"LABKIT_RUNS": ""}  # a folder of their own, whatever ours is
            found, _told = trial(command, nobody(*held), own, statuses)
            faults += [f"{command[3]} with {held or 'no'} capability: {one}" for one in found]
    return faults + next_call_works()


def root_with_less(_chance: random.Random) -> list[str]:
    """Be root in something like a container: user id 0 without the capabilities."""
    faults, _told = trial(prefix=without("sys_admin", "bpf"))
    more, _told = trial(prefix=without("sys_admin", "perfmon"), statuses=(0, 3))
    return faults + more + next_call_works()


def two_labs(_chance: random.Random) -> list[str]:
    """Start two runs and a build at once: each sees all, and none disturbs another."""
    with tempfile.TemporaryDirectory(prefix="labkit-soak-") as folder:
        files = [Path(folder, f"{number}.csv") for number in range(2)]
        with labkit.exec_storm(rate=200):
            labs = [Lab([*RUN, "--seconds", "2", "--csv", str(file)]) for file in files]
            labs.append(Lab(BUILD))
            try:
                faults = [fault for lab in labs for fault in what_is_wrong(lab, [0])]
                told = [lab.out for lab in labs[:2]]
            finally:
                for lab in labs:
                    lab.end()
        faults += [f"no balance: {one[-200:]!r}" for one in told if "it balances" not in one]
        kept = [labkit.read_csv(file) for file in files if file.exists()]
        if len(kept) < 2 or not all(len(frame) > 100 and frame.data_ok.all() for frame in kept):
            faults.append(f"events are missing: {[len(frame) for frame in kept]}")
    return faults + next_call_works()


def cpu_offline(_chance: random.Random) -> list[str]:
    """Take a CPU offline while a run is under way, and bring it back."""
    switches = sorted(CPUS.glob("cpu[0-9]*/online"))
    if not switches or switches[-1].read_text().strip() != "1":
        raise MachineError("no CPU of this machine can be taken offline", "./lab soak without it")
    stays = min(os.sched_getaffinity(0))
    with labkit.exec_storm(rate=200, cpus=[stays]):
        lab = Lab([*RUN, "--seconds", "4"])
        try:
            until_attached(lab)
            switches[-1].write_text("0")
            time.sleep(1)
            switches[-1].write_text("1")
            faults = what_is_wrong(lab, [0])
            balanced = "it balances" in lab.out
        finally:
            switches[-1].write_text("1")
            lab.end()
    return faults + ([] if balanced else ["no balance"]) + next_call_works()


def until_attached(lab: Lab) -> None:
    """Wait until a run holds a BPF program, and a second more, in which it attaches that."""
    end = time.monotonic() + 20
    while not lab.programs and time.monotonic() < end:
        lab.look()
        time.sleep(0.05)
    time.sleep(1)
