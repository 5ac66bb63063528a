"""The switch itself is only touched where a kernel has one; else a file stands in for it."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import kernel
import pandas as pd
import pytest

from labkit import claims
from labkit.claims.claim import FALSE, NOT_HERE, TRUE
from labkit.claims.measuring import Unmeasurable
from labkit.claims.without_jit import jit_off, judge

module = importlib.import_module("labkit.claims.without_jit")


def sizes(on, off):
    rows = [("on", "tracepoint", on), ("off", "tracepoint", off)]
    return pd.DataFrame(rows, columns=["jit", "program_type", "bytes"])


@pytest.mark.parametrize(
    ("table", "expected"), [(sizes(512, 512), TRUE), (sizes(2048, 512), FALSE)]
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


@pytest.fixture
def switch(tmp_path):
    path = tmp_path / "bpf_jit_enable"
    path.write_text("1\n")
    return path


def test_the_switch_is_put_back(switch):
    with jit_off(switch):
        assert switch.read_text() == "0"
    assert switch.read_text() == "1\n"


def test_the_switch_is_put_back_after_an_error(switch):
    with pytest.raises(KeyboardInterrupt), jit_off(switch):
        raise KeyboardInterrupt
    assert switch.read_text() == "1\n"


HELD = """
import signal, sys, time
from pathlib import Path
from labkit.claims.without_jit import jit_off
signal.signal(signal.SIGINT, signal.default_int_handler)
with jit_off(Path(sys.argv[1])):
    print("off", flush=True)
    time.sleep(60)
"""


def holder(switch):
    words = [sys.executable, "-c", HELD, str(switch)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout.readline() == "off\n"
    return process


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_switch_is_put_back_however_the_process_ends(switch, how):
    process = holder(switch)
    assert switch.read_text() == "0"
    os.killpg(process.pid, how)
    process.wait(10)
    assert kernel.wait_until(lambda: switch.read_text() == "1\n", 5)


def test_two_labs_take_turns(switch):
    """Else the second would take the first one's 0 for what it has to put back."""
    first = holder(switch)
    words = [sys.executable, "-c", HELD.replace("60", "0"), str(switch)]
    second = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1)
    first.kill()
    first.wait()
    assert second.wait(10) == 0
    assert kernel.wait_until(lambda: switch.read_text() == "1\n", 5)


def test_a_switch_that_is_not_there_is_said(tmp_path):
    with (
        pytest.raises(Unmeasurable, match="nowhere cannot be written"),
        jit_off(tmp_path / "nowhere"),
    ):
        pass


def test_a_kernel_of_2048_bytes_with_the_jit_and_512_without(switch, monkeypatch):
    monkeypatch.setattr(module, "SWITCH", switch)
    monkeypatch.setattr(
        module, "largest_frame", lambda kind: 512 if switch.read_text() == "0" else 2048
    )
    result = claims.without_jit()
    assert (result.verdict, switch.read_text()) == (FALSE, "1\n")
    assert "tracepoint 2,048 with it, 512 without" in result.why


def test_where_the_jit_is_off_already_nothing_is_compared(switch, monkeypatch):
    switch.write_text("0\n")
    monkeypatch.setattr(module, "SWITCH", switch)
    assert claims.without_jit().verdict == NOT_HERE


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EINVAL, "no interpreter"), (errno.EROFS, "Read-only")]
)
def test_a_kernel_that_does_not_let_one_says_why(switch, monkeypatch, number, said):
    def refuse(path, value):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(Unmeasurable, match=said), jit_off(switch):
        pass


@pytest.mark.live
@pytest.mark.slow  # where there is a switch, it is the whole machine's: nothing runs beside it
def test_here_it_is_measured_or_the_kernel_has_no_such_switch():
    path = Path("/proc/sys/net/core/bpf_jit_enable")
    before = path.read_text()
    result = claims.without_jit()
    assert path.read_text() == before
    assert result.verdict != NOT_HERE or "JIT" in result.why
