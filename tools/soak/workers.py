"""A worker that does what it should not: it says nonsense or too much, or never ends."""

from __future__ import annotations

import os
import random
import sys
import tempfile
from pathlib import Path

from tools.soak.lab import next_call_works, trial

SYSTEM_PYTHON = "/usr/bin/python3"
DAMAGE = "LABKIT_SOAK_DAMAGE"

# Stands between the lab and its real worker, and spoils what that says, at a given byte.
BETWEEN = f"""#!{SYSTEM_PYTHON} -I
import os, signal, subprocess, sys
kind, place, seed = os.environ["{DAMAGE}"].split(":")
import random
chance, place = random.Random(int(seed)), int(place)
out, (ours, theirs) = int(sys.argv[-1]), os.pipe()
words = ["{SYSTEM_PYTHON}", "-I", sys.argv[-2], str(theirs)]
worker = subprocess.Popen(words, pass_fds=[theirs])
os.close(theirs)
signal.signal(signal.SIGINT, signal.SIG_IGN)


def write(data):
    view = memoryview(data)
    while view:
        view = view[os.write(out, view):]


sent = messages = 0
try:
    while data := os.read(ours, 65536):
        at = place - sent
        sent += len(data)
        if 0 <= at < len(data):
            if kind == "cut":
                write(data[:at])
                break
            if kind == "garbled":
                signs = chance.choice([bytes(range(256)), b'0123456789"{{}}[],:ab '])
                wrong = bytes(chance.choices(signs, k=chance.randrange(1, 64)))
                data = data[:at] + wrong + data[at + len(wrong) * chance.randrange(2):]
        messages += 1  # it writes a message at a time
        if kind == "enormous" and messages == 2 + place % 3:
            write(b"\\xff" * 4)  # a length
            for _ in range(128):
                write(bytes(1 << 20))
            worker.kill()
            while os.read(0, 65536):  # until the lab has had enough
                pass
            break
        write(data)
except BrokenPipeError:
    pass
worker.kill()
"""

# What a notebook does. A LabError is a sentence; anything else would show as a traceback.
ASK = """
import sys
import labkit
try:
    report = labkit.build("percpu", time_limit=3)
    print(report.outcome, report.reason, report.explain().change)
    sys.exit(0 if report.accepted else 3)
except labkit.LabError as error:
    print(error)
    sys.exit(3)
"""

COLLECT = """
import sys
import labkit
from labkit.program.variants import Variant
try:
    run = labkit.collect(Variant("elsewhere", SOURCE, ""), seconds=2)
    print(run, run.report.outcome, run.report.reason, run.report.explain().change)
    sys.exit(0 if run.attached else 3)
except labkit.LabError as error:
    print(error)
    sys.exit(3)
"""
NOWHERE = """
#include "exec_event.h"
BPF_RINGBUF_OUTPUT(events, RINGBUF_PAGES);
BPF_PERCPU_ARRAY(counters, struct counters, 1);
int tracepoint__nowhere__nothing(void *ctx) { return 0; }
"""

ENDLESS = """
import sys
import labkit
from labkit.program.variants import Variant
source = '#include "' + sys.argv[1] + '"\\nint program(void *ctx) { return 0; }\\n'
try:
    endless = Variant("endless", source, "", program_type="socket_filter")
    report = labkit.build(endless, time_limit=2)
    print(report.outcome, report.reason, report.explain().change)
    sys.exit(0 if report.accepted else 3)
except labkit.LabError as error:
    print(error)
    sys.exit(3)
"""


def between(folder: Path, damage: str) -> dict[str, str]:
    """Put a worker into the folder that says the wrong things; return what makes the lab use it."""
    python = folder / "python3"
    python.write_text(BETWEEN)
    python.chmod(0o755)
    return {"LABKIT_BCC_PYTHON": str(python), DAMAGE: damage}


def _damaged(kind: str, chance: random.Random) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="labkit-soak-") as folder:
        damage = f"{kind}:{int(chance.triangular(0, 30_000, 0))}:{chance.randrange(1 << 30)}"
        ask = [sys.executable, "-c", ASK]
        environment = between(Path(folder), damage)
        faults, _told = trial(ask, environment=environment, statuses=(0, 3))
    return [f"{damage}: {fault}" for fault in faults] + next_call_works()


def garbled_reply(chance: random.Random) -> list[str]:
    """Change some bytes of the worker's reply, or add some."""
    return _damaged("garbled", chance)


def cut_reply(chance: random.Random) -> list[str]:
    """End the worker's reply in the middle."""
    return _damaged("cut", chance)


def enormous_reply(chance: random.Random) -> list[str]:
    """Announce 4 GiB in the worker's place, and send 128 MB of it."""
    return _damaged("enormous", chance)


def cannot_attach(_chance: random.Random) -> list[str]:
    """Load a program for a tracepoint that is not there."""
    script = COLLECT.replace("SOURCE", repr(NOWHERE))
    faults, told = trial([sys.executable, "-c", script])
    if "nowhere:nothing" not in told:
        faults.append(f"the tracepoint is not named: {told[-300:]!r}")
    return faults + next_call_works()


def endless_compile(_chance: random.Random) -> list[str]:
    """Have the compiler read what never ends: a pipe that nobody writes to."""
    with tempfile.TemporaryDirectory(prefix="labkit-soak-") as folder:
        pipe = Path(folder, "endless.h")
        os.mkfifo(pipe)
        faults, told = trial([sys.executable, "-c", ENDLESS, str(pipe)])
    if "time" not in told:
        faults.append(f"it does not say that the time was over: {told[-300:]!r}")
    return faults + next_call_works()
