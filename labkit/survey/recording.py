"""record(): try everything on this machine, and write down what came of it.

One program or claim that fails ends nothing: it "cannot be told here", with its reason.
"""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from labkit import session
from labkit.building import mistakes
from labkit.building.build import build
from labkit.building.mistakes import Mistake
from labkit.building.report import ACCEPTED, HOST_REFUSED, BuildReport
from labkit.errors import MachineError, UsageError
from labkit.machine import rights
from labkit.machine.stack_limit import MEASURED_TYPES, measured
from labkit.program.variants import VARIANTS, Variant, declared
from labkit.survey import facts
from labkit.survey.records import MISTAKE, VARIANT, Collected, Limit, Program, Record, Told

if TYPE_CHECKING:
    from labkit.claims.claim import Claim

COLLECT_SECONDS = 2.0
RATE = 40.0  # execs a second, while events are collected
Progress = Callable[[int, int, str], object]
Built = Callable[[BuildReport], object]

# What a claim is asked for here: enough for its rule, a fraction of what prove() takes.
SHORTER = {"rounds": 40, "seconds": 2.0, "turns": 40}


@dataclass(frozen=True)
class Step:
    """One thing to try, and where its result goes."""

    name: str
    try_it: Callable[[], object]
    of_problem: Callable[[str], object]


def record(
    progress: Progress | None = None,
    *,
    claims: str | Iterable[str] = "all",
    programs: Iterable[str] | None = None,
    collect: bool = True,
    budget: float | None = None,
    name: str = "",
    built: Built | None = None,
) -> Record:
    """Try the lab on this machine; return what came of it. Nothing stays loaded.

    ``claims``: "all", "quick" (those that need no load), "none", or names. ``programs``: names of
    variants and mistakes, all by default. ``collect``: whether real execs are collected for two
    seconds. ``budget``: seconds after which no claim or collection is begun; what is left out then
    is told in ``left_out``. ``progress`` is called as progress(done, total, name). ``name`` is a
    label for the machine. ``built`` is called with the report of each program, with its logs.

    Needs the rights to load programs, and bcc: raises MachineError otherwise. Raises UsageError
    for a name that is not known. An interrupt ends it, with nothing loaded.
    """
    if not rights.may_load():
        raise MachineError("this process may not load BPF programs", rights.mend())
    session.shared()
    chosen, left_out = _claims(claims)
    began, when = time.monotonic(), facts.now()
    steps = [*_program_steps(programs, built or _silent), *map(_claim_step, chosen)]
    steps += [Step("collection", collection, lambda why: Collected(problem=why))] if collect else []
    if not collect:
        left_out["collection"] = "it was not asked for"
    machine, limits = facts.this_machine(), _limits()
    results = list(_results(steps, progress or _silent, budget, left_out))
    return Record(
        machine=machine,
        when=when,
        lab=facts.this_lab(),
        name=name,
        seconds=_rounded(time.monotonic() - began),
        programs=tuple(one for one in results if isinstance(one, Program)),
        limits=limits,
        claims=tuple(one for one in results if isinstance(one, Told)),
        collection=next((one for one in results if isinstance(one, Collected)), None),
        left_out=left_out,
        here=True,
    )


def _results(
    steps: list[Step], tell: Progress, budget: float | None, left_out: dict[str, str]
) -> Iterator[Any]:
    """Try the steps; programs in any case, the rest until the budget is used up."""
    began = time.monotonic()
    for done, step in enumerate(steps):
        tell(done, len(steps), step.name)
        spent = budget is not None and time.monotonic() - began > budget
        if spent and not isinstance(step.of_problem(""), Program):
            left_out[step.name] = f"the {budget:.0f} seconds that it might take were over"
        else:
            yield _tried(step)
    tell(len(steps), len(steps), "")


def _silent(*_: object) -> None:
    """Say nothing."""


def _tried(step: Step) -> Any:
    """Return the step's result with the seconds it took; what it raises becomes its problem."""
    began = time.monotonic()
    try:
        result: Any = step.try_it()
    except Exception as error:  # whatever it is: the others are still to be tried
        result = step.of_problem(_one_line(error))
    return replace(result, seconds=_rounded(time.monotonic() - began))


def _one_line(error: Exception) -> str:
    told = " ".join(str(error).split())
    known = isinstance(error, (MachineError, UsageError))
    return told if known and told else f"{type(error).__name__}: {told}".removesuffix(": ")


def _rounded(seconds: float) -> float:
    return round(seconds, 2)


# Programs ------------------------------------------------------------


def _program_steps(names: Iterable[str] | None, built: Built) -> Iterator[Step]:
    known: dict[str, Variant | Mistake] = {**VARIANTS, **mistakes.mistakes()}
    wanted = list(known) if names is None else list(names)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UsageError(f"no program is called {unknown[0]!r}; there are: {', '.join(known)}")
    for name in wanted:
        yield _program_step(known[name], built)


def _program_step(one: Variant | Mistake, built: Built) -> Step:
    if isinstance(one, Variant):
        return Step(one.name, lambda: of_variant(one, built), _problem_of(one.name, VARIANT))
    return Step(one.name, lambda: of_mistake(one, built), _problem_of(one.name, MISTAKE))


def _problem_of(name: str, group: str) -> Callable[[str], Program]:
    return lambda why: Program(name, group, problem=why)


def of_variant(variant: Variant, built: Built = _silent) -> Program:
    """Build a variant; return what became of it."""
    report, expected = build(variant.name), declared(variant)
    built(report)
    odd = "" if report.outcome == expected else f"it is meant to be {expected} here"
    return _program(report, VARIANT, expected, odd)


def of_mistake(mistake: Mistake, built: Built = _silent) -> Program:
    """Build a mistake; return what became of it, and whether it is what its file declares."""
    report, expected = mistake.build(), mistake.expected()
    built(report)
    return _program(report, MISTAKE, expected, mistake.disagreement(report, expected))


def _program(report: BuildReport, group: str, expected: str, odd: str) -> Program:
    explained = report.explain()
    gate = "machine" if report.outcome == HOST_REFUSED else report.refused_by
    line = explained.line.text.strip() if explained.line else report.reason
    return Program(
        name=report.variant,
        group=group,
        outcome=report.outcome,
        gate=gate or "",
        message="" if report.outcome == ACCEPTED else line,
        reason=explained.key,
        stack_depth=report.stack_depth,
        instructions=report.insns_processed,
        declared=expected,
        agrees=not odd if expected else None,
        disagreement=odd if expected else "",
    )


def _limits() -> tuple[Limit, ...]:
    found = measured()
    if found.unknown:
        return (Limit("tracepoint", problem=found.unknown),)
    return tuple(
        Limit(kind, found.by_program_type[kind], found.along_chain.get(kind))
        for kind in MEASURED_TYPES
    )


# Claims ------------------------------------------------------------


def _claims(asked: str | Iterable[str]) -> tuple[list[Claim[...]], dict[str, str]]:
    """Return which claims to measure, and why the others are not."""
    if asked == "none":
        return [], {"claims": "they were not asked for"}
    from labkit.claims import CLAIMS  # brings pandas

    if asked == "all":
        return list(CLAIMS.values()), {}
    if asked == "quick":
        why = "it takes a load, and only what is quick was asked for"
        slow = {name: why for name, one in CLAIMS.items() if not one.quick}
        return [one for one in CLAIMS.values() if one.quick], slow
    names = [asked] if isinstance(asked, str) else list(asked)
    unknown = [name for name in names if name not in CLAIMS]
    if unknown:
        allowed = ", ".join(("all", "quick", "none", *CLAIMS))
        raise UsageError(f"no claim is called {unknown[0]!r}; there are: {allowed}")
    others = {name: "it was not asked for" for name in CLAIMS if name not in names}
    return [CLAIMS[name] for name in names], others


def _claim_step(claim: Claim[...]) -> Step:
    return Step(
        claim.name,
        lambda: of_claim(claim),
        lambda why: Told(claim.name, claim.sentence, problem=why),
    )


def of_claim(claim: Claim[...]) -> Told:
    """Measure a claim, in its shorter form; return its verdict and its figures."""
    takes = inspect.signature(claim.measure).parameters
    asked = {name: value for name, value in SHORTER.items() if name in takes}
    result = claim(**asked)
    table = result.summary
    figures = [] if table is None else json.loads(table.to_json(orient="records") or "[]")
    return Told(claim.name, claim.sentence, result.verdict, result.why, asked, figures)


# Real execs ------------------------------------------------------------


def collection() -> Collected:
    """Collect execs for two seconds while some happen; return the account."""
    from labkit.collecting.collection import collect
    from labkit.collecting.workload import exec_storm

    run = collect("percpu", seconds=COLLECT_SECONDS, workload=exec_storm(RATE))
    if run.interrupted:
        raise KeyboardInterrupt
    run.report.raise_for_refusal()
    total = run.account.sum()
    counts = {name: int(total[name]) for name in ("attempted", "delivered", "failed")}
    return Collected(len(run), balanced=bool(run.balanced), problem=run.problem, **counts)
