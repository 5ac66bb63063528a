"""From asking to verdict: the lab, warm and cold, and the ways to do without it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import labkit
from labkit import session
from labkit.building.build import machine_has_headers
from labkit.errors import MachineError
from tools import installing
from tools.bench import peers
from tools.bench.compare import Contender, Table, in_turn

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

# What a first program with bcc looks like: compile, load, attach. -I finds the lab's own header.
BARE = """
import sys
from bcc import BPF
BPF(text=open(sys.argv[1]).read(), cflags=sys.argv[2:])
"""
PRINT = 'tracepoint:sched:sched_process_exec { printf("%d %s\\n", pid, comm); }'
WARM, COLD, BCC = "labkit.build, warm", "./lab build, cold", "bare bcc"
LIBBPF, BPFTRACE = "clang and libbpf", "bpftrace -e"


def timed(words: list[str], **options: object) -> float:
    """Return the seconds that a command takes. Raises MachineError where it fails."""
    started = time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        printed = (done.stderr or done.stdout).strip()[-800:]
        raise MachineError(f"{' '.join(words[:3])} failed: {printed}", "./lab check")
    return seconds


def warm() -> float:
    """Return the seconds from asking a warm process to a parsed verdict."""
    started = time.perf_counter()
    report = labkit.build("percpu").raise_for_refusal()
    report.verifier_log.statistics  # noqa: B018  the verdict includes reading the log
    return time.perf_counter() - started


def bare_bcc() -> float:
    """Return the seconds of a bcc script, with its interpreter and its imports."""
    environment = dict(os.environ)
    flags = [f"-I{ROOT / 'bpf'}"]
    if not machine_has_headers():
        environment["BCC_KERNEL_SOURCE"] = str(ROOT / "bpf" / "headers")
        flags.append(f"-DPAGE_SIZE={os.sysconf('SC_PAGE_SIZE')}")
    words = [session.shared().python, "-c", BARE, str(ROOT / "bpf" / "exec_events.c"), *flags]
    return timed(words, env=environment)


def libbpf_way(folder: Path) -> float:
    """Return the seconds of the plain libbpf way: clang, bpftool's skeleton, cc, run."""
    clang, bpftool, cc = (installing.found(one) or one for one in ("clang", "bpftool", "cc"))
    words = [cc, "-print-multiarch"]
    multiarch = subprocess.run(words, capture_output=True, text=True, check=True)
    include = f"-I/usr/include/{multiarch.stdout.strip()}"
    source, built = HERE / "exec_events.bpf.c", folder / "exec_events.bpf.o"
    words = [clang, "-O2", "-g", "-target", "bpf", include, "-c", str(source), "-o", str(built)]
    seconds = timed(words)
    started = time.perf_counter()
    with (folder / "exec_events.skel.h").open("w") as header:
        words = [bpftool, "gen", "skeleton", str(built), "name", "exec_events"]
        subprocess.run(words, stdout=header, check=True)
    seconds += time.perf_counter() - started
    program = str(folder / "load")
    seconds += timed(
        [cc, "-O2", f"-I{folder}", str(HERE / "load.c"), "-o", program, "-lbpf", "-lelf", "-lz"]
    )
    return seconds + timed([program])


def measure(rounds: int, say: Callable[[str], object]) -> list[Table]:
    """Measure them in turn."""
    whose = "this kernel's own" if machine_has_headers() else "the lab's, as none are installed"
    no_libbpf = peers.lacking("clang", "bpftool", "cc")
    if not no_libbpf and not peers.has_libbpf_headers():
        no_libbpf = f"libbpf's headers missing {peers.HINT}"
    with tempfile.TemporaryDirectory(prefix="labkit-bench-") as name:
        contenders = [
            Contender(WARM, warm),
            Contender(COLD, lambda: timed([str(ROOT / "lab"), "build", "percpu"])),
            Contender(BCC, bare_bcc),
            Contender(LIBBPF, lambda: libbpf_way(Path(name)), no_libbpf),
            Contender(
                BPFTRACE,
                lambda: timed(
                    [installing.found("bpftrace") or "", "-e", f"BEGIN {{ exit(); }} {PRINT}"]
                ),
                peers.lacking("bpftrace"),
            ),
        ]
        figures, missing = in_turn(contenders, rounds, say)
    how = (
        "The same program each time, the lesson's per-CPU variant, from its text to the kernel's"
        f" verdict. Bare bcc is `BPF(text=…)` in a fresh interpreter, with kernel headers: {whose}."
        " The libbpf way is clang, bpftool's skeleton, cc, and a run. bpftrace has a line of its"
        " own that prints pid and comm."
    )
    table = Table("From asking to verdict", how, "seconds", figures, missing)
    table.ratio(WARM, BCC, 0.5)
    table.ratio(COLD, BCC, 1.0)
    for ours in (WARM, COLD):
        for theirs in (LIBBPF, BPFTRACE):
            table.ratio(ours, theirs)
    return [table]
