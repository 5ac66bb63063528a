"""Logs of a kernel that grants 2048 bytes of stack: read like any other, by the same parser."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit import verifier_log
from labkit.stack.snapshot import limit_of, snapshot_of

LOGS = Path(__file__).parents[1] / "logs" / "large_stack"


def parsed(name):
    return verifier_log.parse((LOGS / f"{name}.log").read_bytes())


@pytest.mark.parametrize(
    ("name", "depth"),
    [("four_frames", 2048), ("private_stacks", 2048), ("llvm-14_stack_lifted", 1632)],
)
def test_what_was_accepted_beyond_512(name, depth):
    log = parsed(name)
    assert log.fatal is None
    assert (log.statistics.stack_depth_max or 0) == depth
    assert limit_of(log) == 2048
    snapshot = snapshot_of(log)
    assert snapshot is not None and snapshot.access is not None
    assert not snapshot.access.outside


@pytest.mark.parametrize(
    ("name", "fatal"),
    [
        ("five_frames", "combined stack size of 5 calls is 2560. Too large"),
        ("past_2048", "invalid write to stack R1 off=-2056 size=8"),
        ("llvm-14_stack_beyond", "invalid write to stack R7 off=-2120 size=8"),
    ],
)
def test_what_was_refused(name, fatal):
    log = parsed(name)
    assert log.fatal is not None
    assert log.fatal.body == fatal


def test_a_write_past_2048_is_as_deep_as_it_is():
    snapshot = snapshot_of(parsed("llvm-14_stack_beyond"))
    assert snapshot is not None and snapshot.access is not None
    assert snapshot.access.past == 72
    assert snapshot_of(parsed("past_2048"), limit=2048).access.past == 8
