"""Reports as text: the one line that matters is marked, by its place and not by its words."""

from __future__ import annotations

import made_runs

from labkit.building.report import COMPILER_REFUSED, VERIFIER_REFUSED
from labkit.show import terminal

REFUSAL = (
    "func#0 @0\n0: R1=ctx() R10=fp0\n0: (b7) r2 = 1\n1: (7b) *(u64 *)(r10 -520) = r2\n"
    "invalid write to stack R10 off=-520 size=8\nprocessed 2 insns (limit 1000000)\n"
)


def marked(text: str) -> list[int]:
    return [n for n, line in enumerate(text.splitlines()) if line.startswith(terminal.MARK)]


def test_of_two_lines_that_read_the_same_the_last_logs_is_marked() -> None:
    text = terminal.report(made_runs.report(VERIFIER_REFUSED, verifier_text=REFUSAL + REFUSAL))
    lines = text.splitlines()
    refusals = [n for n, line in enumerate(lines) if "invalid write to stack" in line]
    assert marked(text) == [refusals[1]]


def test_a_message_that_quotes_the_one_that_matters_is_not_marked() -> None:
    first = "a.c:3:5: error: use of undeclared identifier 'x'"
    printed = f"{first}\nnote: said of it: {first}\n"
    text = terminal.report(made_runs.report(COMPILER_REFUSED, compiler_log=printed))
    assert [text.splitlines()[n] for n in marked(text)] == [terminal.MARK + first]


def test_of_240_cpus_the_account_prints_those_that_saw_something() -> None:
    run = made_runs.make_run([made_runs.record(cpu=7), made_runs.record(cpu=200)], cpus=240)
    lines = terminal.account(run).splitlines()
    assert [line.split()[0] for line in lines if line[:1].isdigit()][:2] == ["7", "200"]
    assert "238 of 240 CPUs saw nothing" in lines
    assert lines[-1].endswith("it balances")
    assert len(lines) <= 6
