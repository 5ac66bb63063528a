"""./lab explain: logs from files and pipes, of any tool, in any bytes; its status."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from labkit import cli, verifier_log

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / "tests" / "logs"
BARE = (LOGS / "linux-6.18_llvm-14_stack_lifted.log").read_bytes()
BEGIN, END = b"libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n", b"-- END PROG LOAD LOG --\n"
WRAPPED = {
    "bare": BARE,
    "libbpf": b"libbpf: prog 'x': BPF program load failed: Permission denied\n" + BEGIN + BARE + END
    + b"libbpf: prog 'x': failed to load: -13\nlibbpf: failed to load object 'x.bpf.o'\n",
    "bpftool": b"libbpf: prog 'x': BPF program load failed: -EACCES\n" + BEGIN + BARE + END
    + b"libbpf: failed to load object 'x.o'\nError: failed to load object file\n",
    "bcc": b"bpf: Failed to load program: Permission denied\n" + BARE + b"\n"
    b'Traceback (most recent call last):\n  File "x.py", line 3, in <module>\n'
    b"Exception: Failed to load BPF program b'x': Permission denied\n",
    "dmesg line ends": BARE.replace(b"\n", b"\r\n"),
}  # fmt: skip


@pytest.fixture
def explained(tmp_path, capsys):
    """Run the command on bytes in a file; return its status and what it printed."""

    def run(data: bytes, *options: str):
        path = tmp_path / "a log"
        path.write_bytes(data)
        status = cli.main(["explain", str(path), *options])
        return status, capsys.readouterr()

    return run


@pytest.mark.parametrize("tool", WRAPPED)
def test_a_log_of_any_tool(explained, tool):
    status, told = explained(WRAPPED[tool])
    assert status == 0
    assert "  > invalid write to stack R8 off=-544 size=8\n" in told.out
    assert "32 bytes too deep" in told.out
    assert "`event`" in told.out
    assert told.err == ""


@pytest.mark.parametrize("path", sorted(LOGS.glob("*.log")), ids=lambda path: path.stem)
def test_every_real_log(explained, path):
    status, told = explained(path.read_bytes())
    assert status == 0
    assert told.out.strip()


def test_json_holds_the_explanation_and_the_figures(explained):
    _status, told = explained(BARE, "--json")
    facts = json.loads(told.out)
    assert facts["key"] == "stack-bounds"
    assert facts["line"]["where"] == "main.c:42"
    log = verifier_log.parse(BARE)
    assert facts["log"]["lines"] == len(log.lines)
    assert facts["log"]["instructions"] == len(log.instructions)
    assert facts["log"]["unrecognised"] == 0
    assert facts["log"]["stack_depths"] == [16]


def test_csv_is_the_instruction_table(explained, tmp_path):
    out = tmp_path / "out.csv"
    assert explained(BARE, "--csv", str(out))[0] == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    frame = verifier_log.parse(BARE).frame
    assert list(rows[0]) == ["step", *frame.columns]
    assert [row["disassembly"] for row in rows] == frame["disassembly"].tolist()
    assert [int(row["insn"]) for row in rows] == frame["insn"].tolist()


def test_a_formula_in_a_log_is_none_in_the_csv(explained, tmp_path):
    out = tmp_path / "out.csv"
    explained(b"; =HYPERLINK(1) @ =x.c:1\n0: (b7) r0 = 0\nR1 !read_ok\nprocessed 1 insns\n",
              "--csv", str(out))  # fmt: skip
    cells = [cell for row in csv.reader(io.StringIO(out.read_text())) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith("=")]


def test_bytes_that_are_not_utf8_and_escapes_reach_no_terminal(explained):
    status, told = explained(b"0: (b7) r0 = \xff\x1b[31m\x07 0\nR1 !read_ok\nprocessed 1 insns\n")
    assert status == 0
    assert "\x1b" not in told.out
    assert "\x07" not in told.out
    assert r"\udcff\x07" in told.out
    told.out.encode("utf-8")


def test_what_it_does_not_know_is_1(explained):
    status, told = explained(b"0: (b7) r0 = 0\nthy frame is accursed\nprocessed 1 insns\n")
    assert status == 1
    assert "does not know" in told.out
    status, told = explained(b"Dear diary,\nnothing happened today.\n")
    assert status == 1
    assert "neither the verifier nor a compiler refuses" in told.out


def test_an_accepted_log_is_explained_too(explained):
    status, told = explained((LOGS / "linux-6.18_llvm-14_percpu.log").read_bytes())
    assert status == 0
    assert told.out.startswith("Accepted")


@pytest.mark.parametrize("data", [b"", b"  \n\n"])
def test_an_empty_file_is_wrong_use(explained, data):
    status, told = explained(data)
    assert status == 2
    assert "is empty" in told.err
    assert told.out == ""


def test_files_that_cannot_be_read_or_written_are_wrong_use(capsys, tmp_path):
    assert cli.main(["explain", str(tmp_path / "missing")]) == 2
    assert "No such file" in capsys.readouterr().err
    assert cli.main(["explain", str(tmp_path)]) == 2
    assert "directory" in capsys.readouterr().err
    log = str(LOGS / "linux-6.18_llvm-14_stack_lifted.log")
    assert cli.main(["explain", log, "--csv", str(tmp_path / "no" / "folder.csv")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_standard_input_through_the_front_door():
    done = subprocess.run([ROOT / "lab", "explain", "-"], input=BARE, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"move" in done.stdout.lower()
    empty = subprocess.run([ROOT / "lab", "explain", "-"], input=b"", capture_output=True)
    assert empty.returncode == 2
    assert b"standard input is empty" in empty.stderr


def test_it_needs_no_packages():
    """An attendee may explain a log with any Python, before anything is installed."""
    words = [sys.executable, "-S", "-c", "import sys; from labkit import cli; sys.exit(cli.main())"]
    log = LOGS / "linux-6.18_llvm-14_stack_lifted.log"
    done = subprocess.run([*words, "explain", log], capture_output=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
