"""build(): a variant through both gates; and what the compiler says of the structs."""

from __future__ import annotations

import platform
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from labkit import session
from labkit.building import findings
from labkit.building import report as reports
from labkit.building.report import BuildReport
from labkit.errors import MachineError, UsageError
from labkit.machine import patience
from labkit.machine.stack_limit import measured
from labkit.program.llvm_ir import Local, locals_on_stack, structs_in
from labkit.program.variants import BPF_TREE, LIFTED_LIMIT, STRUCTS, Variant, find

TIME_LIMIT = 30.0  # seconds for one build on a machine of usual speed
LOG_LEVEL = 2 | 4  # every instruction, and statistics (linux/bpf_verifier.h: BPF_LOG_LEVEL2, STATS)
MODULES = Path("/lib/modules", platform.release())


def build(
    variant: str | Variant,
    *,
    defines: Iterable[str] = (),
    time_limit: float | None = None,
    log_level: int = LOG_LEVEL,
) -> BuildReport:
    """Compile a variant and load it; nothing stays loaded.

    ``defines`` are words as after a compiler's ``-D``; ``time_limit`` is in seconds, by default 30
    and more on a slow machine (patience.factor()). A refusal is a report like any other. Raises
    UsageError for an unknown variant or a word that is no define, MachineError where no Python
    has bcc.
    """
    threading.Thread(target=measured, daemon=True).start()  # a report tells it; meanwhile compile
    chosen = find(variant).with_defines(*map(checked_define, defines))
    limit = usual_limit() if time_limit is None else time_limit
    report = _build_once(chosen, "lab", limit, log_level)
    if other_headers_may_help(report):
        return of_two_tries(report, _build_once(chosen, "machine", limit, log_level))
    return report


def usual_limit() -> float:
    """Return the seconds that a build may take on this machine."""
    return TIME_LIMIT * patience.factor()


def checked_define(word: str) -> str:
    """Return word if a compiler's -D takes it. Raises UsageError."""
    if not word.partition("=")[0].isidentifier():
        raise UsageError(f"{word!r} is no define; write NAME or NAME=VALUE")
    return word


def machine_has_headers() -> bool:
    """Whether the running kernel's own headers are installed, as the distribution lays them out."""
    trees = (MODULES / "build", MODULES / "source")
    return any((tree / "include/linux/kconfig.h").exists() for tree in trees)


def other_headers_may_help(report: BuildReport) -> bool:
    """Whether the machine's own headers may help: they are there, and it was not the stack."""
    refused = report.outcome == reports.COMPILER_REFUSED
    return refused and "BPF stack limit" not in report.compiler_log and machine_has_headers()


def of_two_tries(ours: BuildReport, machines: BuildReport) -> BuildReport:
    """Return the report that counts of a build with the lab's headers and with the machine's."""
    if machines.outcome == reports.COMPILER_REFUSED:
        return ours
    note = "compiled with this machine's kernel headers: the lab's own lack something"
    return replace(machines, own_headers=(), notes=(*machines.notes, note))


def request_for(
    variant: Variant, headers: str, time_limit: float, log_level: int
) -> dict[str, Any]:
    """Return the worker's request for a build of that variant."""
    return {
        "job": "build",
        "name": variant.file_name,
        "source": variant.text,
        "defines": list(variant.defines),
        "lift": LIFTED_LIMIT if variant.lifted else None,
        "program_type": variant.program_type,
        "headers": headers,
        "log_level": log_level,
        "time_limit": time_limit,
    }


def _build_once(variant: Variant, headers: str, time_limit: float, log_level: int) -> BuildReport:
    events, versions = session.run_to_end(request_for(variant, headers, time_limit, log_level))
    return report_of(variant, events, versions)


def report_of(
    variant: Variant, events: list[dict[str, Any]], versions: dict[str, str]
) -> BuildReport:
    """Turn the worker's events into a report."""
    verdict = reports.judge(events)
    named = {event["event"]: event for event in events}
    compiled = named.get("compiled", {})
    printed = compiled.get("printed", named.get("end", {}).get("printed", ""))
    variables = locals_on_stack(named.get("intermediate", {}).get("text", ""))
    return BuildReport(
        variant=variant.name,
        outcome=verdict.outcome,
        gates=(verdict.compiler, verdict.verifier),
        compiler_log=printed,
        verifier_text="".join(e["log"] for e in events if e["event"] == "loaded"),
        how_lifted=named.get("lifted", {}).get("how") or None,
        versions=versions,
        reason=verdict.reason or _finding(verdict, named, variant.text, printed, variables),
        notes=tuple(_notes(events, variant.program_type)),
        defines=variant.defines,
        source=variant.text,
        file_name=variant.file_name,
        maps=compiled.get("maps", {}),
        variables=variables,
        own_headers=findings.own_headers(variant.text),
        stack_limit=measured().bytes,
    )


def _finding(
    verdict: reports.Verdict,
    named: dict[str, dict[str, Any]],
    source: str,
    printed: str,
    variables: tuple[Local, ...],
) -> str:
    """Return what the lab itself finds in a program that was refused before the kernel saw it."""
    if verdict.outcome != reports.COMPILER_REFUSED:
        return ""
    if "unlinked" in named:
        return findings.unlinked(named["unlinked"], source, printed)
    of_stack = () if named.get("lifted", {}).get("how") else variables
    return findings.in_compiler_log(printed, source, of_stack)


def _notes(events: list[dict[str, Any]], program_type: str) -> Iterator[str]:
    for event in events:
        kind = event.get("program_type", program_type)
        if event["event"] == "loaded" and kind != program_type and "__" not in event["name"]:
            yield f"{event['name']} was loaded as a {kind} program: its context tells"
        if event["event"] == "note":
            yield event["text"]
        if event["event"] == "loaded" and event.get("cut"):
            yield f"the verifier's log of {event['name']} is cut off: {event['cut']}"


def intermediate(variant: Variant) -> str:
    """Return LLVM's intermediate text of a variant. Raises MachineError where no Python has bcc."""
    request = {**request_for(variant, "lab", TIME_LIMIT, LOG_LEVEL), "job": "intermediate"}
    events, _versions = session.run_to_end(request)
    return next((str(e["text"]) for e in events if e["event"] == "intermediate"), "")


@lru_cache(maxsize=32)
def layout(*defines: str) -> dict[str, dict[str, Any]]:
    """Return the layout of each struct of the lesson as this machine's compiler lays it out.

    A struct is ``{"name", "size", "fields": [{"name", "offset", "size", "code", "count"}]}``, in
    bytes. ``code`` is a ctypes type code, ``count`` the length of an array. Where the kernel takes
    no map, of whose value bcc tells it, the compiler's debug information does. Raises MachineError
    where neither did or the worker died, BuildRefused where the defines do not compile.
    """
    types = Variant("layout", BPF_TREE / "layout.c", "the structs", defines=defines)
    report = build(types)
    if report.outcome == reports.HOST_REFUSED:
        told = structs_in(intermediate(types))
        if told.keys() >= set(STRUCTS):
            return told
    if report.outcome in (reports.HOST_REFUSED, reports.WORKER_DIED):
        reason, _, _mend = report.reason.partition(findings.MEND)
        raise MachineError(reason, report.explain().change)
    report.raise_for_refusal()
    return {name: facts["layout"] for name, facts in report.maps.items()}
