"""The bench: a ratio is of one round; what misses its target is said, and which peer is missing."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.claims import minimal_elf
from labkit.errors import MachineError
from tools.bench import __main__ as command
from tools.bench import peers, tables, verdict
from tools.bench.compare import Bar, Contender, Table, in_turn

ROOT = Path(__file__).resolve().parents[2]


def table() -> Table:
    figures = {"ours": [1.0, 4.0, 2.0], "theirs": [2.0, 2.0, 4.0]}
    return Table("Title", "How.", "seconds", figures, {"gone": "clang missing (--install-peers)"})


def test_a_ratio_is_taken_round_by_round() -> None:
    one = table()
    one.ratio("ours", "theirs", 0.5)
    assert one.bars[0].values == [0.5, 2.0, 0.5]
    assert one.bars[0].met
    one.ratio("theirs", "ours", 0.5)
    assert not one.bars[1].met


def test_what_is_missed_or_missing_stands_in_the_text() -> None:
    one = table()
    one.ratio("ours", "theirs", 0.4)
    one.ratio("ours", "gone", 0.1)  # nothing to say of that
    text = command.document({"kernel": "6.1"}, [one], 3)
    assert "| gone | not measured here: clang missing (--install-peers) | |" in text
    assert "| ours ÷ theirs | 0.5 | 0.5 to 2 | at most 0.4: **missed** |" in text
    assert text.rstrip().endswith("- Title: ours ÷ theirs")
    assert text.count("gone") == 1


def test_nothing_missed_is_said_too() -> None:
    one = table()
    one.bars.append(Bar("lost", [0, 0], 0))
    assert command.missed([one]).rstrip().endswith("Nothing.")


def test_contenders_take_turns_and_the_first_time_does_not_count() -> None:
    order: list[str] = []

    def noting(name: str) -> Contender:
        def measure() -> float:
            order.append(name)
            return float(len(order))

        return Contender(name, measure)

    away = Contender("away", lambda: 1 / 0, "bpftrace missing")
    figures, missing = in_turn([noting("a"), away, noting("b")], 2, lambda _words: None)
    assert "".join(order) == "ab" * 3
    assert figures == {"a": [3.0, 5.0], "b": [4.0, 6.0]}
    assert missing == {"away": "bpftrace missing"}


def test_a_peer_that_is_not_installed_is_named_with_the_option() -> None:
    assert peers.lacking("sh") == ""
    assert peers.lacking("sh", "no-such-peer") == "no-such-peer missing (--install-peers)"


def test_peers_are_installed_one_by_one_and_what_cannot_be_had_is_told(
    tmp_path: Path, monkeypatch
) -> None:
    """With an apt-get that knows no kernel headers; nothing else is touched."""
    fake = tmp_path / "apt-get"
    fake.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\ncase $* in *headers*) exit 100; esac\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said: list[str] = []
    assert peers.install(said.append) == [peers.HEADERS]
    assert said[-1] == f"{peers.HEADERS}: cannot be had here"
    assert said[:2] == ["libbpf-tools: installed", "bpftrace: installed"]
    assert (tmp_path / "asked").read_text().splitlines()[0] == "update"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MachineError, match=r"sudo \./lab bench --install-peers"):
        peers.install(said.append)


@pytest.mark.parametrize("parts", [tables.slicing, tables.copying])
def test_the_idiom_makes_the_same_table(parts) -> None:
    """Else it would be no comparison."""
    import made_runs

    made = [made_runs.record(pid=n, cpu=n % 2, timestamp=n, comm=b"a" * (n % 9)) for n in range(50)]
    run = made_runs.make_run(made)
    theirs = tables.by_callback(run.records, run.clock_offset, parts)
    assert theirs.astype(str).equals(run.table.astype(str))


def test_the_storm_counts_what_it_started(tmp_path: Path) -> None:
    program = tmp_path / "tiny"
    program.write_bytes(minimal_elf.image(platform.machine()))
    program.chmod(0o755)
    loop = [sys.executable, "-I", "-S", str(ROOT / "tools/bench/exec_loop.py"), "0.3", str(program)]
    done = subprocess.run([*loop, str(min(os.sched_getaffinity(0)))], capture_output=True)
    assert int(done.stdout) > 50, done.stderr


@pytest.mark.live
def test_every_way_to_a_verdict_that_is_here_comes_to_one() -> None:
    [told] = verdict.measure(1, lambda _words: None)
    assert {verdict.WARM, verdict.COLD, verdict.BCC} <= set(told.figures)
    assert set(told.figures) | set(told.lacking) == {
        *(verdict.WARM, verdict.COLD, verdict.BCC, verdict.LIBBPF, verdict.BPFTRACE)
    }
    assert [bar.at_most for bar in told.bars] == [0.5, 1.0]


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("name", ["storm", "table", "files", "log"])
def test_a_section_alone_prints_its_tables_and_writes_nothing(name: str, capsys) -> None:
    before = command.WRITTEN.read_bytes() if command.WRITTEN.exists() else None
    assert command.main(["--only", name, "--rounds", "1"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# Benchmarks")
    assert "| median | least to most |" in printed
    assert "## What misses its target" in printed
    assert (command.WRITTEN.read_bytes() if command.WRITTEN.exists() else None) == before


@pytest.mark.parametrize("words", [["--rounds", "0"], ["--only", "speed"]])
def test_wrong_words_are_wrong_use(words: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(words)
    assert ended.value.code == 2
    assert "./lab bench" in capsys.readouterr().err
