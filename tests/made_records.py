"""Records that were made up: no machine is behind them. Their names say so."""

from __future__ import annotations

from dataclasses import replace

from labkit.building.mistakes import mistakes
from labkit.program.outcomes import ACCEPTED
from labkit.program.variants import VARIANTS
from labkit.survey.records import MISTAKE, VARIANT, Lab, Limit, Machine, Program, Record, Told

KERNELS = ("5.10.0", "6.1.0", "6.12.0", "6.14.0", "6.17.0", "7.3.0")
DISTRIBUTIONS = (("Debian GNU/Linux 12", "0.26.0", "14"), ("Debian GNU/Linux 13", "0.31.0", "19"))
ACCEPTED_FROM = {
    "call_chain_tracing": "6.14.0",
    "null_check_constant": "6.14.0",
    "stack_unwritten": "6.12.0",
}


def made_up(kernel: str = "6.12.0", name: str = "", distribution: int = 0, **others) -> Record:
    """Return a record as such a machine might have written it."""
    system, bcc, llvm = DISTRIBUTIONS[distribution]
    machine = Machine(kernel, "", system, "x86_64", "made up", "0-3", "0-3", bcc, llvm, "3.11.2")
    chain = 1024 if KERNELS.index(kernel) >= 3 else 512
    made = Record(
        machine,
        when="2026-11-28T12:00:00Z",
        lab=Lab("made up"),
        name=name,
        programs=(*_variants(), *_mistakes(kernel)),
        limits=(Limit("tracepoint", 512, chain), Limit("socket_filter", 512, 512)),
        claims=(Told("memory", "made up", "true", "made up"),),
    )
    return replace(made, **others)


def _variants():
    for one in VARIANTS.values():
        yield Program(one.name, VARIANT, one.expect, message="made up", agrees=True)


def _mistakes(kernel):
    for one in mistakes().values():
        since = ACCEPTED_FROM.get(one.name)
        loads = since is not None and KERNELS.index(kernel) >= KERNELS.index(since)
        outcome = ACCEPTED if loads else one.expect
        yield Program(one.name, MISTAKE, outcome, message="made up", agrees=True)


def made_up_class(size: int = 30) -> list[Record]:
    """Return a class: most on two distributions' kernels, some odd, two that were not ready."""
    usual = [("6.1.0", 0), ("6.12.0", 1), ("6.12.0", 1), ("6.14.0", 0), ("6.1.0", 0)]
    rare = [("5.10.0", 0), ("6.17.0", 1), ("7.3.0", 1), ("7.3.0", 0)]
    records = []
    for seat in range(size - 2):
        kernel, distribution = rare[seat // 7] if seat % 7 == 6 else usual[seat % 5]
        records.append(made_up(kernel, f"seat {seat + 1} (made up)", distribution))
    records[3] = _surprising(records[3])
    why = "not ready: bcc: /usr/bin/python3 has no bcc"
    machine = Machine("6.1.0", distribution="Debian GNU/Linux 12", arch="x86_64")
    absent = Record(machine, name=f"seat {size - 1} (made up)", problem=why)
    return [*records, absent, replace(absent, name=f"seat {size} (made up)")]


def _surprising(record: Record) -> Record:
    """One machine on which a variant is not what it is meant to be."""
    odd = replace(
        record.programs[0],
        outcome="worker_died",
        agrees=False,
        disagreement="it is meant to be accepted here",
    )
    return replace(record, programs=(odd, *record.programs[1:]))
