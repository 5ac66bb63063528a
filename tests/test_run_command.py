"""``./lab run`` as it is typed: what it prints, and that it brings events home however it ends."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import kernel
import made_runs
import pytest

import labkit
from labkit.show import terminal

LAB_RUN = [sys.executable, "-m", "labkit", "run", "percpu"]
READY = b"sizes in bytes"
# Execs per second: more than a terminal's buffer holds. At full speed, begun before the run is
# attached, they were seen to keep it from starting for minutes.
MANY = 800


def start(*words: str, **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*LAB_RUN, *words], **options)  # type: ignore[call-overload]


def read_events(run: subprocess.Popen[bytes], count: int) -> list[bytes]:
    assert run.stdout
    lines: list[bytes] = []
    while len(lines) < count:
        line = run.stdout.readline()
        assert line, "it ended too early"
        lines += [line] if line.startswith(b"[") else []
    return lines


@pytest.mark.live
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143), (signal.SIGINT, 0)]
)
def test_a_signal_after_ten_events_leaves_them_in_the_csv(number, status, tmp_path: Path) -> None:
    csv = tmp_path / "execs.csv"
    run = start("--csv", str(csv), stdout=subprocess.PIPE, preexec_fn=_default_interrupt)
    with labkit.exec_storm(rate=50):
        printed = read_events(run, 10)
        run.send_signal(number)
        rest, _ = run.communicate(timeout=60)
    assert run.returncode == status
    read = labkit.read_csv(csv)
    pids = [int(re.search(rb"PID: (\d+)", line)[1]) for line in printed]  # type: ignore[index]
    assert set(pids) <= set(read.pid)
    assert b"it balances" in rest
    assert f"wrote {csv}".encode() in rest


def _default_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests may ignore it


@pytest.mark.live
def test_a_reader_that_has_enough_does_not_cost_the_csv(tmp_path: Path) -> None:
    csv = tmp_path / "execs.csv"
    run = start("--csv", str(csv), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with labkit.exec_storm(rate=100):
        read_events(run, 3)
        assert run.stdout
        run.stdout.close()
        assert run.wait(60) == 0
    assert run.stderr
    assert run.stderr.read() == b""
    assert len(labkit.read_csv(csv)) > 3


@pytest.mark.live
def test_into_a_pipe_every_event_is_printed() -> None:
    run = start("--seconds", "3", stdout=subprocess.PIPE)
    with labkit.exec_storm(rate=MANY):
        printed, _ = run.communicate(timeout=120)
    total = re.search(rb"(\d+) events in", printed)
    assert total
    assert len(re.findall(rb"^\[", printed, re.M)) == int(total[1]) > 100
    assert b"not printed" not in printed


@pytest.mark.live
def test_a_terminal_that_is_slow_is_told_what_it_does_not_see() -> None:
    """The terminal's own buffer fills while nobody reads, then it is read at once."""
    ours, theirs = pty.openpty()
    run = start("--seconds", "4", stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    with labkit.exec_storm(rate=MANY):
        seen = b""
        while READY not in seen:
            seen += os.read(ours, 4096)
        assert not kernel.wait_until(lambda: run.poll() is not None, 4), "it lags, but goes on"
    seen += _all_of(ours)
    assert run.wait(60) == 0
    [left_out] = [
        int(n.replace(b",", b"")) for n in re.findall(rb"([\d,]+) events not printed, all", seen)
    ][:1]
    total = re.search(rb"(\d+) events in", seen)
    assert total
    shown = len(re.findall(rb"^\[", seen, re.M))
    assert 0 < left_out < int(total[1])
    assert shown < int(total[1])
    assert b"it balances" in seen


def _all_of(terminal_fd: int) -> bytes:
    seen = b""
    while True:
        try:
            data = os.read(terminal_fd, 65536)
        except OSError:  # the other side is closed
            return seen
        if not data:
            return seen
        seen += data


@pytest.mark.live
def test_quiet_tells_how_many_how_fast_and_what_was_lost() -> None:
    run = start("--quiet", "--seconds", "2", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with labkit.exec_storm(rate=200):
        printed, told = run.communicate(timeout=60)
    assert not re.search(rb"^\[", printed, re.M)
    assert b"it balances" in printed
    assert re.search(rb"[\d,]+ events, [\d,]+ per second, 0 lost, \d+ MB", told), told


@pytest.mark.parametrize("content", ['{"mine": 1}', "not even JSON"])
def test_a_json_of_somebody_elses_is_refused_before_the_run(content: str, tmp_path: Path) -> None:
    theirs = tmp_path / "execs.json"
    theirs.write_text(content)
    result = subprocess.run(
        [*LAB_RUN, "--csv", str(tmp_path / "execs.csv")], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 2
    assert str(theirs) in result.stderr
    assert theirs.read_text() == content


def test_lines_are_as_the_readme_shows_them() -> None:
    made = [
        made_runs.record(pid=32016, timestamp=2_000_000, comm=b"id", filename=b"/usr/bin/id"),
        made_runs.record(pid=7, timestamp=1_999_999_999_999, comm=b"a\x1bb", cpu=3),
    ]
    assert list(terminal.event_lines(made_runs.records(*made))) == [
        "[0.002] PID: 32016  | comm: id               | data[0-3]: 0x10 0x7d 0x00 0x00 | cpu 0"
        " | /usr/bin/id\n",
        "[1999.999] PID: 7      | comm: a\\x1bb           | data[0-3]: 0x07 0x00 0x00 0x00 | cpu 3"
        " | /bin/true\n",
    ]


def test_of_many_cpus_only_the_busy_ones_are_printed() -> None:
    told = terminal.account(made_runs.make_run([made_runs.record(cpu=1)], cpus=240))
    assert "239 of 240 CPUs saw nothing" in told
    assert len(told.splitlines()) == 5
    assert "1 events in 2.0 s; it balances" in told
