"""BuildReport: what became of a source at the two gates."""

from __future__ import annotations

import errno as errnos
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from labkit import explain, results, verifier_log
from labkit.building import findings
from labkit.errors import BuildRefused, WorkerError
from labkit.explain import Explanation
from labkit.explain.messages.words import TIME_LIMIT_OVER
from labkit.program.llvm_ir import Local
from labkit.program.outcomes import (
    ACCEPTED,
    COMPILER_REFUSED,
    HOST_REFUSED,
    IN_SHORT,
    OUTCOMES,
    VERIFIER_REFUSED,
    WORKER_DIED,
)
from labkit.program.preprocess import compiled_text
from labkit.verifier_log import VerifierLog

__all__ = [
    "ACCEPTED",
    "COMPILER_REFUSED",
    "HOST_REFUSED",
    "IN_SHORT",
    "OUTCOMES",
    "VERIFIER_REFUSED",
    "WORKER_DIED",
    "BuildReport",
    "Gate",
    "Verdict",
    "how_it_ended",
    "judge",
    "worker_error",
]

KILLED = {
    "late": "it was ended after {seconds:.0f} s: " + TIME_LIMIT_OVER,
    "stopped": "it was asked to stop, did not within five seconds, and was killed",
}

# bcc creates the maps between the two gates and prints this when the kernel will not have one.
_MAP_REFUSED = re.compile(r"could not open bpf map: (?P<map>[^,\n]*), error: (?P<error>.*)")


@dataclass(frozen=True)
class Gate:
    """One gate: ``passed`` is None where it gave no verdict.

    ``seconds`` is then how long the program was there; None too where it was never reached.
    """

    name: str
    passed: bool | None = None
    seconds: float | None = None

    @property
    def reached(self) -> bool:
        """Whether the program came to this gate."""
        return self.passed is not None or self.seconds is not None


@dataclass(frozen=True)
class BuildReport:
    """What became of a source at the two gates. A refusal is a value of this type, no exception."""

    variant: str
    outcome: str  # one of OUTCOMES
    gates: tuple[Gate, ...]
    compiler_log: str
    verifier_text: str
    how_lifted: str | None
    versions: dict[str, str]
    reason: str = ""  # one line, where a gate does not say it: what the host or the lab found
    notes: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    source: str = field(default="", repr=False)
    file_name: str = ""
    maps: dict[str, Any] = field(default_factory=dict, repr=False)
    variables: tuple[Local, ...] = field(default=(), repr=False)  # on the stack, if it was refused
    own_headers: tuple[str, ...] = ()  # of the lab's small ones, what the source includes
    stack_limit: int | None = None  # bytes, measured on that kernel; None where it is not known

    @property
    def accepted(self) -> bool:
        """Whether the program loaded."""
        return self.outcome == ACCEPTED

    @property
    def refused_by(self) -> str | None:
        """The name of the gate that refused it; None where none did."""
        return next((gate.name for gate in self.gates if gate.passed is False), None)

    @property
    def seconds(self) -> float:
        """Seconds spent at both gates."""
        return sum(gate.seconds for gate in self.gates if gate.seconds is not None)

    @cached_property
    def verifier_log(self) -> VerifierLog:
        """The verifier's log, parsed; empty if the verifier was never reached."""
        return verifier_log.parse(self.verifier_text)

    @property
    def insns_processed(self) -> int | None:
        """Instructions the verifier walked, loops and branches counted each time."""
        return self.verifier_log.statistics.insns_processed

    @property
    def stack_depth(self) -> int | None:
        """Bytes of stack the verifier counted; None where the kernel does not tell (before 5.2)."""
        return self.verifier_log.statistics.stack_depth

    @property
    def pointed_at(self) -> tuple[str, ...]:
        """Lines that show where the variables too large for the stack are declared, if any are."""
        if self.outcome != COMPILER_REFUSED or not findings.is_stack(self.compiler_log):
            return ()
        return findings.point_at(self.variables, self.source, self.file_name)

    def explain(self, variables: Mapping[str, int] | None = None) -> Explanation:
        """Say in plain words what happened, why, and what to change.

        ``variables`` are bytes of stack by variable, as ``stack_variables(report).sizes``.
        """
        sizes = {one.name: one.bytes for one in self.variables}
        lifting = re.findall(r"-D(\w+)", self.how_lifted or "")
        found = explain.explain(
            outcome=self.outcome,
            compiler_log=self._printed_with_reason(),
            reason=self.reason,
            verifier_log=self.verifier_log,
            source=compiled_text(self.source, [*self.defines, *lifting]),
            variables=sizes if variables is None else variables,
            limit=self.stack_limit,
        )
        headers = "" if self.accepted else findings.of_own_headers(self.own_headers)
        return replace(found, change=f"{found.change} {headers}".strip())

    def _printed_with_reason(self) -> str:
        """Return what the compiler printed, and before it what the lab found to be its cause."""
        told = self.reason and self.outcome != WORKER_DIED  # of a death, no gate said anything
        reason = f"error: {self.reason}\n" if told else ""
        if findings.is_ours(reason):
            return reason + self.compiler_log
        return self.compiler_log or reason

    def raise_for_refusal(self) -> BuildReport:
        """Return the report if the program loaded; raise BuildRefused otherwise."""
        if not self.accepted:
            raise BuildRefused(
                f"{self.variant}: {OUTCOMES[self.outcome]}. {self.explain().happened}"
            )
        return self

    def save_logs(self) -> list[Path]:
        """Write what was printed to files of their own under ``results/``; return their paths.

        A log that is empty gets no file, and no file that is there is written over. Raises
        UsageError where they cannot be written.
        """
        printed = {"compiler": self.compiler_log, "verifier": self.verifier_text}
        name = re.sub(r"[^\w.-]+", "-", self.variant)
        return [
            results.write_new(f"{name}-{gate}.log", text.encode("utf-8", "surrogateescape"))
            for gate, text in printed.items()
            if text.strip()
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values, with the logs as they were printed."""
        return {
            "variant": self.variant,
            "outcome": self.outcome,
            "gates": [vars(gate) for gate in self.gates],
            "compiler_log": self.compiler_log,
            "verifier_log": self.verifier_text,
            "insns_processed": self.insns_processed,
            "stack_depth": self.stack_depth,
            "stack_limit": self.stack_limit,
            "how_lifted": self.how_lifted,
            "versions": self.versions,
            "reason": self.reason,
            "notes": list(self.notes),
            "defines": list(self.defines),
        }

    def __repr__(self) -> str:
        return f"<BuildReport {self.variant}: {IN_SHORT[self.outcome]}, {self.seconds:.2f} s>"

    def _repr_html_(self) -> str:
        from labkit import show

        return show.report_html(self)


@dataclass(frozen=True)
class Verdict:
    """Outcome, the two gates and the reason: what the worker's events amount to."""

    outcome: str
    compiler: Gate
    verifier: Gate = Gate("verifier")
    reason: str = ""


def judge(events: list[dict[str, Any]]) -> Verdict:
    """Reduce the events of one job to a verdict. ``at`` in an event is in seconds, monotonic."""
    named: dict[str, dict[str, Any]] = {event["event"]: event for event in events}
    end = named.get("end")
    if "host_refused" in named:
        return Verdict(HOST_REFUSED, Gate("compiler"), reason=named["host_refused"]["reason"])
    if "no_tracepoint" in named:
        compiler = Gate("compiler", named["compiled"]["passed"], named["compiled"]["seconds"])
        reason = findings.no_tracepoint(named["no_tracepoint"])
        return Verdict(HOST_REFUSED, compiler, reason=reason)
    if "compiled" not in named:
        return _judge_death_in_compiler(named)
    compiled = named["compiled"]
    if not compiled["passed"]:
        return _judge_compile_error(compiled, end["printed"] if end else "")
    compiler = Gate("compiler", True, compiled["seconds"])
    if "unlinked" in named:
        return Verdict(COMPILER_REFUSED, replace(compiler, passed=False))
    loads = [event for event in events if event["event"] == "loaded"]
    return _judge_loads(loads, compiler, named)


def _judge_death_in_compiler(named: dict[str, Any]) -> Verdict:
    """LLVM prints its error and calls exit(1); any other end of the process is a death."""
    end = named.get("end")
    if end and end["exit_code"] == 1 and "compiling" in named:
        seconds = end["at"] - named["compiling"]["at"]
        return Verdict(COMPILER_REFUSED, Gate("compiler", False, seconds))
    return Verdict(WORKER_DIED, _mute("compiler", "compiling", named), reason=how_it_ended(named))


def _judge_compile_error(compiled: dict[str, Any], printed: str) -> Verdict:
    refused_map = _MAP_REFUSED.search(printed)
    if refused_map:
        reason = "the kernel did not create the map {map}: {error}".format(
            **refused_map.groupdict()
        )
        return Verdict(HOST_REFUSED, Gate("compiler", True, compiled["seconds"]), reason=reason)
    return Verdict(COMPILER_REFUSED, Gate("compiler", False, compiled["seconds"]))


def _judge_loads(
    loads: list[dict[str, Any]],
    compiler: Gate,
    named: dict[str, dict[str, Any]],
) -> Verdict:
    seconds = sum(load["seconds"] for load in loads)
    failed = next((load for load in loads if not load["passed"]), None)
    if failed and not failed["log"]:
        reason = f"the kernel did not load {failed['name']}: {os.strerror(failed['errno'])}"
        reason += f" ({errnos.errorcode.get(failed['errno'], failed['errno'])}), without a log"
        return Verdict(HOST_REFUSED, compiler, reason=reason)
    if failed:
        return Verdict(VERIFIER_REFUSED, compiler, Gate("verifier", False, seconds))
    verifier = Gate("verifier", True, seconds) if loads else Gate("verifier")
    if "not_attached" in named:
        return Verdict(HOST_REFUSED, compiler, verifier, named["not_attached"]["reason"])
    if "end" not in named or named["end"]["exit_code"] != 0:
        mute = _mute("verifier", "compiled", named)
        return Verdict(WORKER_DIED, compiler, mute, how_it_ended(named))
    if not loads:
        nothing = replace(compiler, passed=False)
        return Verdict(COMPILER_REFUSED, nothing, reason=findings.NO_PROGRAM)
    return Verdict(ACCEPTED, compiler, verifier)


def _mute(name: str, begun: str, named: dict[str, dict[str, Any]]) -> Gate:
    """Return a gate that gave no verdict, and how long it was waited for since that event."""
    first, last = named.get(begun, {}), named.get("end") or named.get("lost", {})
    known = "at" in first and "at" in last
    return Gate(name, None, last["at"] - first["at"] if known else None)


def how_it_ended(named: dict[str, dict[str, Any]]) -> str:
    """Say in one line how a job ended that did not do what it was for, by its events' names."""
    end = named.get("end")
    if end is None:
        return str(named.get("lost", {"reason": "its end has not come"})["reason"])
    if end["killed"]:
        return KILLED[end["killed"]].format(**end)
    if end["signal"] is not None:
        return f"a signal ended it: {end['signal']}"
    return f"it ended with status {end['exit_code']}"


def worker_error(events: list[dict[str, Any]]) -> WorkerError:
    """Make an error of a job that ended before it did what it was for."""
    named = {event["event"]: event for event in events}
    printed = named.get("end", {}).get("printed", "").strip()
    return WorkerError(
        f"the worker gave no answer: {how_it_ended(named)}\n"
        f"  To mend it: the same once more{printed and f'; it printed:{chr(10)}{printed}'}"
    )
