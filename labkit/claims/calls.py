"""Call chains: one stack for all frames, or one for each. Compiled by clang, since bcc cannot."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from labkit import session, verifier_log
from labkit.claims.base import FALSE, HALF_TRUE, NOT_HERE, TRUE, Observed, Verdict, experiment
from labkit.claims.measuring import TIME_LIMIT, NotTold, path_of

if TYPE_CHECKING:
    import pandas as pd

CLANGS = ("clang", "clang-19", "clang-18", "clang-17", "clang-16", "clang-15", "clang-14")
TYPES = ("tracepoint", "socket_filter")
FRAME_COUNTS = (1, 2, 9)


class Chain(NamedTuple):
    """A program of ``frames`` functions of 304 bytes each, perhaps with a tail call."""

    frames: int
    tail_call: bool

    @property
    def defines(self) -> list[str]:
        """What clang is told."""
        return [f"-DFRAMES={self.frames}", *(["-DTAIL_CALL"] if self.tail_call else [])]


CHAINS = (*(Chain(n, False) for n in FRAME_COUNTS), Chain(2, True))


def judge_call_chain(frame: pd.DataFrame) -> Verdict:
    """Rule for frames of their own.

    Two frames of 304 bytes have room only if each function has a stack of its own. True if they
    are accepted both as a tracepoint and as a socket filter, half true if only as one of them,
    false if as neither. Cannot be told if a single frame of 304 bytes is refused: then something
    else is wrong.
    """
    plain = frame[~frame.tail_call]
    alone, two = plain[plain.frames == 1], plain[plain.frames == 2]
    if not alone.accepted.all():
        return Verdict(NOT_HERE, f"one frame alone was refused: {alone.said.max()}.")
    told = "; ".join(
        f"two{' with a tail call' if row.tail_call else ''} as a {row.program_type}"
        f" {'are accepted' if row.accepted else f'are refused ({row.said})'}"
        for row in frame[frame.frames == 2].itertuples()
    )
    word = {2: TRUE, 1: HALF_TRUE, 0: FALSE}[int(two.accepted.sum())]
    return Verdict(word, f"of frames of 304 bytes, {told}.")


@experiment(
    "Each function in a chain of calls has 512 bytes of its own.", judge_call_chain, ("call_chain",)
)
def call_chain() -> Observed:
    """Compile chains of 304-byte frames, load each as a tracepoint and as a socket filter.

    Columns: frames (the program's own included), tail_call, program_type, accepted, stack_depth
    (as the verifier tells it, bytes a function), said (the line of refusal). Skipped without
    clang or libbpf. Kernels since 6.13 (x86-64) and 6.17 (arm64) give tracing programs private
    stacks; a tail call takes them away.
    """
    import pandas as pd

    clang = next(filter(shutil.which, CLANGS), None)
    if clang is None:
        mend = "sudo ./lab prove call_chain --with-clang installs it"
        raise NotTold(f"skipped: clang is not installed; {mend}")
    plan = [(chain, kind) for chain in CHAINS for kind in TYPES]
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        paths = {chain: _compile(clang, chain, Path(folder)) for chain in CHAINS}
        objects = [{"path": str(paths[chain]), "program_type": kind} for chain, kind in plan]
        told, versions = _load(objects)
    rows = [
        (*chain, kind, not one["error"], *_from_log(one["log"], one["error"]))
        for (chain, kind), one in zip(plan, told, strict=True)
    ]
    columns = ["frames", "tail_call", "program_type", "accepted", "stack_depth", "said"]
    return Observed(pd.DataFrame(rows, columns=columns), {**versions, "clang": _version(clang)})


def _compile(clang: str, chain: Chain, folder: Path) -> Path:
    made = folder / f"chain-{chain.frames}-{chain.tail_call}.o"
    words = [clang, "-target", "bpf", "-O2", "-g", *chain.defines, "-c"]
    done = subprocess.run(
        [*words, str(path_of("call_chain")), "-o", str(made)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotTold(f"clang refused it: {done.stderr.strip()[-300:]}")
    return made


def _version(clang: str) -> str:
    said = subprocess.run([clang, "-dumpversion"], capture_output=True, text=True, check=False)
    return said.stdout.strip()


def _load(objects: list[dict[str, str]]) -> tuple[list[dict[str, str]], dict[str, str]]:
    request = {"job": "objects", "objects": objects, "time_limit": TIME_LIMIT}
    told, versions = session.run_to_end(request)
    loaded = [event for event in told if event["event"] == "object"]
    if len(loaded) < len(objects):
        raise NotTold(f"skipped: {told[0].get('reason') or told[-1].get('printed')}")
    return loaded, versions


def _from_log(log: str, error: str) -> tuple[str, str]:
    """Return the stack depth of each function as the kernel tells it, and the line of refusal."""
    depth = next((line for line in log.splitlines() if line.startswith("stack depth ")), "")
    fatal = verifier_log.parse(log).fatal
    return depth.removeprefix("stack depth "), "" if not error else fatal.body if fatal else error
