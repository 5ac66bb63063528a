"""The mistakes of bpf/mistakes: small programs, each with what is expected of it beside it.

    mistakes.mistakes()["ringbuf_leak"].build().explain()

Every file begins with a comment that says what is wrong with it, then lines of one form:

    // EXPECT: verifier_refused                the outcome (see labkit.building.report.OUTCOMES)
    // LOG: invalid write to stack             a piece of what is printed; several: one of them
    // REASON: stack-bounds                    the explanation's key, for the LOG lines above it
    // ACCEPTED IF: constant_key_is_found      what of this kernel (PROBES) makes it load
    // TYPE: socket_filter                     the type of program, if not a tracepoint
    // LOG LEVEL: 1                            less of a log, where all of it would take minutes
    // MAP: prog_array, // PRIVILEGES: none    for .insns only

A ``.c`` file is built as any variant. A ``.insns`` file holds bare instructions, for what bcc
cannot build, a line each: code (hexadecimal), target, source, offset, number.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import textwrap
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.building.build import LOG_LEVEL, build, report_of
from labkit.building.report import ACCEPTED, IN_SHORT, BuildReport, Gate
from labkit.errors import MachineError
from labkit.machine import bpf_syscall
from labkit.machine.maps import new_map
from labkit.machine.stack_limit import measured
from labkit.program.variants import BPF_TREE, Variant

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FOLDER", "PROBES", "ExpectedRefusal", "Mistake", "mistakes", "read"]

FOLDER = BPF_TREE / "mistakes"
_LINE = re.compile(r"// ([A-Z ]+): (.*)")
_COMMENT = re.compile(r"/\*(.*?)\*/", re.S)
CAPABILITY_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3, linux/capability.h


@dataclass(frozen=True)
class ExpectedRefusal:
    """What a kernel or compiler may say: one of the pieces of text, and the explanation for it."""

    fragments: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Mistake:
    """One file of the folder."""

    path: Path
    purpose: str
    expect: str
    refusals: tuple[ExpectedRefusal, ...]
    accepted_if: str = ""
    program_type: str = "tracepoint"
    map_type: str = ""
    privileged: bool = True
    log_level: int = LOG_LEVEL

    def __str__(self) -> str:
        """Return name and purpose, in lines that fit into a page."""
        return textwrap.fill(f"{self.name:20} {self.purpose}", 95, subsequent_indent=" " * 21)

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def code(self) -> str:
        """The program without the head that says what is expected of it."""
        return self.path.read_text("utf-8").partition("\n\n")[2]

    @property
    def variant(self) -> Variant:
        """The program as build() takes it; only of a ``.c`` file."""
        given = (f"STACK_BYTES={measured().bytes}",)
        return Variant(self.name, self.path, self.purpose, given, program_type=self.program_type)

    @property
    def is_instructions(self) -> bool:
        """Whether the file holds bare instructions."""
        return self.path.suffix == ".insns"

    def build(self) -> BuildReport:
        """Build it now, on this machine. Nothing stays loaded."""
        return (
            _load_instructions(self)
            if self.is_instructions
            else build(self.variant, log_level=self.log_level)
        )

    def expected(self) -> str:
        """Return the outcome that is expected of this very kernel, which is asked if need be."""
        if self.accepted_if and PROBES[self.accepted_if]():
            return ACCEPTED
        return self.expect

    def refusal_in(self, printed: str) -> ExpectedRefusal | None:
        """Return the first of the refusals with a piece of text that was printed."""
        return next(
            (one for one in self.refusals if any(f in printed for f in one.fragments)), None
        )

    def disagreement(self, report: BuildReport, expected: str) -> str:
        """Return in what a report is not what the file declares; an empty text if in nothing."""
        if report.outcome != expected:
            return f"it declares {expected} for this kernel"
        if report.outcome == ACCEPTED:
            return ""
        printed = "\n".join((report.compiler_log, report.verifier_text, report.reason))
        refusal = self.refusal_in(printed)
        if refusal is None:
            return "nothing that was printed is among its LOG lines"
        key = report.explain().key
        return "" if key == refusal.reason else f"it is explained as {key}, not {refusal.reason}"


def mistakes() -> dict[str, Mistake]:
    """Return all mistakes by name, as their files stand at this moment."""
    paths = sorted(path for path in FOLDER.iterdir() if path.suffix in (".c", ".insns"))
    return {path.stem: read(path) for path in paths}


def table(skip: Collection[str] = ()) -> pd.DataFrame:
    """Build every mistake but those in ``skip``; return what was expected here and what came.

    One row per mistake: program (the index), and IN_SHORT's words for both.
    """
    import pandas as pd

    chosen = [one for name, one in mistakes().items() if name not in skip]
    rows = [(one.name, IN_SHORT[one.expected()], IN_SHORT[one.build().outcome]) for one in chosen]
    columns = ["program", "expected here", "measured here"]
    return pd.DataFrame(rows, columns=columns).set_index("program")


def read(path: Path) -> Mistake:
    """Read one file's expectations. Raises ValueError where they are not in the form."""
    text = path.read_text("utf-8")
    comment = _COMMENT.search(text)
    lines = [(m[1], m[2].strip()) for m in map(_LINE.fullmatch, text.splitlines()) if m]
    single = {word: value for word, value in lines if word not in ("LOG", "REASON")}
    unknown = set(single) - {"EXPECT", "ACCEPTED IF", "TYPE", "MAP", "PRIVILEGES", "LOG LEVEL"}
    refusals = _refusals(lines)
    if comment is None or "EXPECT" not in single or unknown or not refusals:
        raise ValueError(f"{path.name}: its head must say what is wrong, EXPECT, LOG and REASON")
    return Mistake(
        path=path,
        purpose=" ".join(comment[1].replace("\n *", " ").split()),
        expect=single["EXPECT"],
        refusals=refusals,
        accepted_if=single.get("ACCEPTED IF", ""),
        program_type=single.get("TYPE", "tracepoint"),
        map_type=single.get("MAP", ""),
        privileged=single.get("PRIVILEGES") != "none",
        log_level=int(single.get("LOG LEVEL", LOG_LEVEL)),
    )


def _refusals(lines: list[tuple[str, str]]) -> tuple[ExpectedRefusal, ...]:
    """Join each REASON with the LOG lines above it."""
    found, fragments = [], []
    for word, value in lines:
        if word == "LOG":
            fragments.append(value)
        elif word == "REASON":
            found.append(ExpectedRefusal(tuple(fragments), value))
            fragments = []
    return tuple(found)


def instructions(text: str, map_fd: int = -1) -> bytes:
    """Return the instructions of an ``.insns`` text.

    ``MAP`` there is a map's descriptor, ``FRAME`` 48 bytes more than half of this kernel's stack.
    """
    known = {"MAP": map_fd, "-FRAME": -((measured().bytes or 0) // 2 + 48)}
    code = []
    for line in _COMMENT.sub("", text).splitlines():
        words = line.partition("//")[0].split()
        if words:
            numbers = [known[word] if word in known else int(word) for word in words[1:]]
            code.append(bpf_syscall.instruction(int(words[0], 16), *numbers))
    return b"".join(code)


def _load_instructions(mistake: Mistake) -> BuildReport:
    """Hand a file's instructions to the kernel. There is no gate one: nothing is compiled."""
    text = mistake.path.read_text("utf-8")
    fd = new_map(mistake.map_type) if mistake.map_type else -1
    try:
        code = instructions(text, fd)
        call = bpf_syscall.load if mistake.privileged else load_without_privileges
        errno, log = call(code, mistake.program_type)
    finally:
        if fd >= 0:
            os.close(fd)
    loaded = {"name": mistake.name, "passed": errno == 0, "errno": errno, "seconds": 0.0}
    events: list[dict[str, Any]] = [
        {"event": "compiled", "passed": True, "seconds": 0.0},
        {"event": "loaded", "log": log, **loaded},
        {"event": "end", "exit_code": 0},
    ]
    variant = Variant(mistake.name, text, mistake.purpose, program_type=mistake.program_type)
    versions = {"kernel": platform.release(), "machine": platform.machine()}
    report = report_of(variant, events, versions)
    return replace(report, gates=(Gate("compiler"), report.gates[1]))


def load_without_privileges(code: bytes, program_type: str) -> tuple[int, str]:
    """Load from a thread that gives all its capabilities away first; the others keep theirs.

    Returns errno (0: the kernel took it) and the log. Raises MachineError where the kernel does
    not let the thread give them away: then nothing was loaded, and nothing is known.
    """
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(_give_up_and_load, code, program_type).result()


def _give_up_and_load(code: bytes, program_type: str) -> tuple[int, str]:
    """Do so in this thread. Both capabilities and ctypes' errno belong to a thread alone."""
    refused = give_up_capabilities()
    if refused:
        raise MachineError(
            f"capset() is refused here: {os.strerror(refused)}",
            "try it outside of the container or sandbox that forbids it",
        )
    return bpf_syscall.load(code, program_type)


def give_up_capabilities() -> int:
    """Give up all capabilities of the calling thread, for good; return errno, 0 if it worked."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)  # 0: this very thread
    libc: Any = ctypes.CDLL(None, use_errno=True)
    return 0 if libc.capset(header, (ctypes.c_uint32 * 6)()) == 0 else ctypes.get_errno()


# What this kernel is like, asked with bare instructions, once -------------------------------------

_LOOKUP = """
18 1 1 0 MAP  // r1 = the map
0 0 0 0 0
bf 2 10 0 0  // r2 = r10
7 2 0 0 -4  // r2 += -4, the key
85 0 0 0 1  // call bpf_map_lookup_elem
"""
_NO_CHECK = "62 10 0 -4 0 // the key is 0" + _LOOKUP + "61 0 0 0 0 // read the value\n95 0 0 0 0"
_NO_KEY = _LOOKUP + "b7 0 0 0 0\n95 0 0 0 0"


@lru_cache(maxsize=8)
def _loads(text: str) -> bool:
    fd = new_map("array")
    try:
        return bpf_syscall.load(instructions(text, fd), "tracepoint")[0] == 0
    finally:
        os.close(fd)


def constant_key_is_found() -> bool:
    """Whether the verifier knows that a constant key in range is found (Linux 6.14)."""
    return _loads(_NO_CHECK)


def unwritten_stack_may_be_read() -> bool:
    """Whether a privileged program may hand a helper unwritten stack (Linux 6.3, or a backport)."""
    return _loads(_NO_KEY)


def functions_have_private_stacks() -> bool:
    """Whether functions of a tracing program have a stack each (x86-64: Linux 6.13)."""
    return measured().has_private_stacks("tracepoint")


PROBES: dict[str, Callable[[], bool]] = {
    probe.__name__: probe
    for probe in (constant_key_is_found, unwritten_stack_may_be_read, functions_have_private_stacks)
}
