"""The terminal, as it is typed: exit status, text, JSON, and no traceback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import labkit
from labkit import cli

EVENT = re.compile(
    r"^\[\d+\.\d{3}\] PID: \d+ +\| comm: .{16,} \| data\[0-3\]:( 0x[0-9a-f]{2}){4} \| cpu \d+ \| \S"
)


def lab(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    result: subprocess.CompletedProcess[str] = subprocess.run(
        [sys.executable, "-m", "labkit", *words],
        capture_output=True,
        text=True,
        timeout=120,
        **options,  # type: ignore[call-overload]
    )
    assert "Traceback" not in result.stderr
    return result


@pytest.mark.live
@pytest.mark.parametrize(
    ("words", "status", "outcome"),
    [
        (["percpu"], 0, "accepted"),
        (["stack"], 1, "compiler_refused"),
        (["stack_beyond"], 1, "verifier_refused"),
        (["percpu", "-D", "BAD_EXAMPLE_STACK"], 1, "compiler_refused"),
    ],
)
def test_build(words: list[str], status: int, outcome: str) -> None:
    result = lab("build", *words, "--json")
    assert result.returncode == status
    report = json.loads(result.stdout)
    assert report["outcome"] == outcome
    assert report["variant"] == words[0]
    assert lab("build", *words).returncode == status


@pytest.mark.live
def test_run_stack_shows_gate_text_mark_and_cure() -> None:
    result = lab("run", "stack")
    assert result.returncode == 1
    assert "gate 1, the compiler: REFUSED" in result.stdout
    assert "gate 2, the verifier: never reached" in result.stdout
    [marked] = [line for line in result.stdout.splitlines() if line.startswith(">>> ")]
    assert "BPF stack limit" in marked
    assert "What to do:" in result.stdout


@pytest.mark.live
def test_run_stack_beyond_marks_the_verifiers_line() -> None:
    result = lab("run", "stack_beyond")
    assert result.returncode == 1
    marked = [line for line in result.stdout.splitlines() if line.startswith(">>> ")]
    assert len(marked) == 1
    assert "invalid" in marked[0]


@pytest.mark.live
def test_run_percpu_streams_and_accounts(tmp_path: Path) -> None:
    csv = tmp_path / "execs.csv"
    words = [sys.executable, "-m", "labkit", "run", "percpu", "--csv", str(csv)]
    lab_run = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert lab_run.stdout
    banner = lab_run.stdout.readline()
    for fact in ("big_event 544", "total 1568", "512"):
        assert fact in banner
    with labkit.exec_storm(rate=20):
        lines = [lab_run.stdout.readline() for _ in range(5)]  # they come while it runs
        lab_run.send_signal(signal.SIGINT)
        rest = lab_run.stdout.read()
    assert lab_run.wait(20) == 0
    assert all(EVENT.match(line) for line in lines), lines
    assert "it balances" in rest
    assert "attempted" in rest
    assert len(csv.read_text().splitlines()) > 5


@pytest.mark.live
def test_run_ends_after_its_seconds() -> None:
    before = time.monotonic()
    assert lab("run", "percpu", "--seconds", "1").returncode == 0
    assert time.monotonic() - before < 60


@pytest.mark.live
def test_a_pipe_that_closes_is_no_error() -> None:
    with labkit.exec_storm(rate=50):
        shell = f"{sys.executable} -m labkit run percpu | head -n 3"
        result = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {shell}"], capture_output=True, text=True, timeout=60
        )
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 3
    assert "Error" not in result.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["build", "heap"], "'heap'"),
        (["run"], "VARIANT"),
        (["dance"], "'dance'"),
        (["run", "percpu", "--seconds", "soon"], "'soon'"),
        (["build", "percpu", "-D", "9lives"], "'9lives'"),
        (["run", "percpu", "--csv", "/nowhere/at/all.csv"], "/nowhere/at/all.csv"),
        (["run", "percpu", "--seconds", "-1"], "-1"),
        (["prove", "santa"], "'santa'"),
        (["compare", "/nowhere/at-all.json"], "/nowhere/at-all.json"),
        (["ready", "--code", "santa"], "'santa'"),
        (["record", "--budget", "soon"], "'soon'"),
    ],
)
def test_wrong_use(words: list[str], named: str) -> None:
    result = lab(*words)
    assert result.returncode == 2
    assert named in result.stderr


@pytest.mark.parametrize("command", [["check"], ["build", "percpu"], ["run", "percpu"], ["record"]])
def test_a_machine_that_cannot(command: list[str]) -> None:
    result = lab(*command, env={**os.environ, "LABKIT_BCC_PYTHON": "/nowhere/python3"})
    assert result.returncode == 3
    assert "To mend it:" in result.stderr


@pytest.mark.live
@pytest.mark.parametrize("words", [["check"], ["build", "percpu"], ["run", "percpu"]])
def test_without_rights(words: list[str]) -> None:
    """Without the capabilities the kernel says EPERM; we say what to do."""
    powerless = ["setpriv", "--bounding-set=-sys_admin,-bpf,-perfmon", sys.executable]
    result: subprocess.CompletedProcess[str] = subprocess.run(
        [*powerless, "-m", "labkit", *words], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 3
    assert "Operation not permitted" in result.stderr
    assert "To mend it:" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", [name for name, _, _ in cli.COMMANDS])
def test_help_has_an_example(command: str) -> None:
    result = lab(command, "--help")
    assert result.returncode == 0
    assert "example: " in result.stdout


@pytest.mark.live
def test_check_json() -> None:
    result = lab("check", "--json")
    assert result.returncode == 0
    found = json.loads(result.stdout)
    assert found["ok"] is True
    assert {"name", "ok", "found", "mend"} == set(found["rows"][0])


@pytest.mark.live
def test_prove_one_claim() -> None:
    result = lab("prove", "value_cap", "--json")
    assert result.returncode == 0
    [judged] = json.loads(result.stdout)
    assert judged["name"] == "value_cap"
    assert judged["measured"]
    assert judged["why"]
    assert "value_cap" in lab("prove", "--list").stdout


@pytest.mark.live
def test_record_and_compare(tmp_path: Path) -> None:
    """Two records of this machine, and a file that is none: it is named, and the rest compared."""
    path = tmp_path / "mine.json"
    made = lab("record", "--claims", "memory,value_cap", "--name", "mine", "--json", str(path))
    assert made.returncode == 0
    assert "percpu                accepted" in made.stdout
    assert "[0/" in made.stderr  # the progress
    assert json.loads(path.read_text())["schema"] == 1
    (tmp_path / "odd.json").write_text("no")
    files = [str(tmp_path / name) for name in ("all.csv", "all.md", "all.png")]
    options = ["--csv", files[0], "--markdown", files[1], "--picture", files[2]]
    compared = lab("compare", str(tmp_path), *options)
    assert compared.returncode == 2
    assert "odd.json is no JSON" in compared.stderr
    assert "accepted: percpu" in compared.stdout
    assert Path(files[2]).read_bytes().startswith(b"\x89PNG")
    assert all(Path(name).stat().st_size for name in files)
    assert lab("compare", str(path)).returncode == 0


@pytest.mark.live
def test_ready_has_a_code_that_can_be_read_out(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    told = lab("ready", "--json", str(path))
    assert told.returncode == 0, told.stdout
    code = told.stdout.partition("code ")[2].split()[0]
    assert lab("ready", "--code", code).stdout.startswith("ready: Linux ")
    misheard = lab("ready", "--code", code[::-1] if code != code[::-1] else "222223")
    assert misheard.returncode == 2
    assert lab("compare", str(path)).returncode == 0


def test_a_machine_that_is_not_ready_says_why_and_has_a_code(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    nothing = {**os.environ, "LABKIT_BCC_PYTHON": "/nowhere/python3"}
    told = lab("ready", "--json", str(path), env=nothing)
    assert told.returncode == 3
    assert told.stdout.startswith("NOT ready: code ")
    assert "to mend it:" in told.stdout
    assert "not ready: " in json.loads(path.read_text())["problem"]


def test_compare_needs_neither_rights_nor_bcc(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text('{"schema": 1, "machine": {"kernel": "6.9"}, "problem": "could not be had"}')
    nothing = {**os.environ, "LABKIT_BCC_PYTHON": "/nowhere/python3"}
    powerless = ["setpriv", "--bounding-set=-all", sys.executable, "-m", "labkit"]
    result: subprocess.CompletedProcess[str] = subprocess.run(
        [*powerless, "compare", str(path)], capture_output=True, text=True, timeout=60, env=nothing
    )
    assert result.returncode == 0, result.stderr
    assert "could not be had" in result.stdout


def test_files_are_written_though_nobody_reads_the_text(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text('{"schema": 1, "machine": {"kernel": "6.9"}, "problem": "could not be had"}')
    picture = tmp_path / "one.png"
    words = f"{sys.executable} -m labkit compare {path} --picture {picture} | true"
    subprocess.run(["bash", "-c", words], check=True, timeout=60)
    assert picture.read_bytes().startswith(b"\x89PNG")
