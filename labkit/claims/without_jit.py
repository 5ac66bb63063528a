"""Whether the limit depends on the JIT: the same search with it and without it."""

from __future__ import annotations

import contextlib
import fcntl
import platform
import subprocess
from collections.abc import Iterator
from errno import EINVAL
from pathlib import Path

import pandas as pd

from labkit.claims.claim import FALSE, TRUE, Measured, Ruling, claim
from labkit.claims.measuring import Unmeasurable
from labkit.machine.stack_limit import MEASURED_TYPES, largest_frame

SWITCH = Path("/proc/sys/net/core/bpf_jit_enable")
# Waits for the end of its input, which is ours or that of our life, and puts the switch back.
GUARD = 'trap "" INT TERM HUP; echo ready; cat >/dev/null; echo "$1" >"$2"'


@contextlib.contextmanager
def jit_off(switch: Path) -> Iterator[None]:
    """Switch the kernel's BPF JIT off; whatever happens to this process, it is put back.

    A process of its own does that: it gets no signal meant for us, and outlives even our SIGKILL.
    Two labs at once take turns, by a lock that ends with the guard. For these milliseconds programs
    that others load are interpreted. Raises Unmeasurable where the kernel does not let one, as
    those with CONFIG_BPF_JIT_ALWAYS_ON, which have no interpreter.
    """
    try:
        file = switch.open("r+")
    except OSError as error:
        raise Unmeasurable(f"{switch} cannot be written: {error.strerror}.") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = file.read().strip()
        guard = subprocess.Popen(
            ["sh", "-c", GUARD, "guard", before, str(switch)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[file.fileno()],  # with it, the lock
            start_new_session=True,
        )
        assert guard.stdin
        assert guard.stdout
        try:
            guard.stdout.readline()
            _write(switch, "0")
            yield
        finally:
            guard.stdin.close()
            guard.wait()
            guard.stdout.close()


def _write(switch: Path, value: str) -> None:
    try:
        switch.write_text(value)
    except OSError as error:
        reason = str(error.strerror)
        if error.errno == EINVAL:  # the least it takes is 1: net/core/sysctl_net_core.c
            reason = "CONFIG_BPF_JIT_ALWAYS_ON: it has no interpreter"
        raise Unmeasurable(
            f"this kernel does not let its JIT be switched off: {reason}."
        ) from error


def judge(table: pd.DataFrame) -> Ruling:
    """Rule for the JIT.

    True if, for each type of program, the largest frame without the JIT is as large as with it;
    false otherwise.
    """
    sizes = table.pivot(index="program_type", columns="jit", values="bytes")
    word = TRUE if (sizes["off"] == sizes["on"]).all() else FALSE
    told = ", ".join(
        f"{row.Index} {row.on:,} with it, {row.off:,} without" for row in sizes.itertuples()
    )
    return Ruling(word, f"largest frame in bytes: {told}.")


@claim(
    "The limit is the same without the JIT.",
    judge,
    truth="True up to Linux 7.3. Kernels after it grant 2048 bytes where the JIT supports that;"
    " interpreted programs keep 512.",
    quick=True,
)
def without_jit() -> Measured:
    """Search the largest frame as it is, then with net.core.bpf_jit_enable at 0.

    Columns: jit (on, off), program_type, bytes. A switch that stood at 0 before gives no answer.
    """
    if SWITCH.exists() and SWITCH.read_text().strip() == "0":
        raise Unmeasurable("the JIT is off on this machine (net.core.bpf_jit_enable is 0).")
    with jit_off(SWITCH):
        off = {kind: largest_frame(kind) for kind in MEASURED_TYPES}
    on = {kind: largest_frame(kind) for kind in MEASURED_TYPES}
    rows = [
        (jit, kind, size)
        for jit, sizes in (("on", on), ("off", off))
        for kind, size in sizes.items()
    ]
    table = pd.DataFrame(rows, columns=["jit", "program_type", "bytes"])
    return Measured(table, {"kernel": platform.release()})
