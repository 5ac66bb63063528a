"""The short list of symbols: only the process that compiles sees it, and the verdicts stay."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

import labkit
from labkit import session

pytestmark = pytest.mark.live
READS = """
BPF_HASH(seen, u32, u64);
TRACEPOINT_PROBE(sched, sched_process_exec)
{
	u32 pid = 0;
	u64 word = 0;
	bpf_probe_read_user(&word, sizeof(word), (void *)bpf_get_current_task());
	bpf_probe_read_kernel(&word, sizeof(word), (void *)bpf_get_current_task());
	seen.update(&pid, &word);
	return 0;
}
"""


def test_the_helpers_are_those_that_the_program_names() -> None:
    """Where bcc does not find their symbols, it takes others in their place."""
    report = labkit.build(labkit.Variant("reads", READS, "a test"))
    assert report.accepted
    assert "call bpf_probe_read_user#" in report.verifier_text
    assert "call bpf_probe_read_kernel#" in report.verifier_text


def test_nobody_else_sees_the_short_list() -> None:
    labkit.build("percpu")
    for pid in ("self", str(session.shared().process.pid)):
        assert "kallsyms" not in Path(f"/proc/{pid}/mountinfo").read_text()
    assert sum(1 for _ in open("/proc/kallsyms")) > 1000  # noqa: SIM115


def test_a_worker_started_ahead_is_the_one_that_builds() -> None:
    labkit.close()
    session.start_ahead()
    assert labkit.build("percpu").accepted
    worker = session.shared().process.pid
    started = time.monotonic()
    labkit.close()
    assert time.monotonic() - started < session.CLOSE_LIMIT
    assert not os.path.exists(f"/proc/{worker}")
