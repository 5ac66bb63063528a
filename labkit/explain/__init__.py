"""Why a program was refused, in plain English, and what to change. Pure: texts in, text out.

    explanation = explain(outcome=..., compiler_log=..., verifier_log=parse(text))
    explanation.happened    # one sentence with the numbers of this very log

What it knows stands in the table of :mod:`labkit.explain.reasons`. An error not there is shown
with the lines around it, and said to be unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from labkit import verifier_log as verifier
from labkit.explain import compiler_log as compiler
from labkit.explain.reasons import COMPILER_REASONS, SEE, VERIFIER_REASONS
from labkit.explain.sentences import Case, Reason
from labkit.program.c_names import names_in
from labkit.verifier_log import VerifierLog
from labkit.verifier_log.lines import Kind

__all__ = ["Explanation", "MarkedLine", "explain", "explain_text"]

_CONTEXT = 4  # lines before the one that matters


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """The line that matters.

    :param text: without its line end.
    :param log: ``verifier`` or ``compiler``: which of the two texts it is from.
    :param index: which line of that text, counted from 0.
    :param where: the place in the C source, ``file:line``, as far as the log tells; else ``""``.
    """

    text: str
    log: str
    index: int
    where: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What became of a program, for someone who has never seen such a log.

    :param key: a short fixed name of the reason, such as ``stack-bounds``.
    :param title: a heading.
    :param happened: one sentence, with the numbers of this log.
    :param why: why the kernel or the compiler insists.
    :param change: what to change, with names of the program's own variables where the log has them.
    :param see: where the notebooks treat it.
    :param line: the line that matters, or None if there is none.
    :param context: the lines before it and itself.
    :param names: the variables on the source line in question, the likeliest first.
    :param known: False if this error is in no table, and the sentences are general.
    """

    key: str
    title: str
    happened: str
    why: str
    change: str
    see: str
    line: MarkedLine | None = None
    context: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    known: bool = True

    def __str__(self) -> str:
        parts = [self.title, ""]
        if self.line is not None:
            parts += [
                f"  > {text}" if text == self.line.text else f"    {text}" for text in self.context
            ]
            parts += [f"    at {self.line.where}" if self.line.where else "", ""]
        parts += [self.happened, f"Why: {self.why}", f"Change: {self.change}", f"See: {self.see}"]
        return "\n".join(part for part in parts if part or part == "").replace("\n\n\n", "\n\n")

    def to_json(self) -> dict[str, Any]:
        """Return the same as plain values."""
        return asdict(self)


def explain(
    *,
    outcome: str,
    compiler_log: str = "",
    verifier_log: VerifierLog | None = None,
    source: str | None = None,
    variables: Mapping[str, int] | None = None,
) -> Explanation:
    """Say what happened, why, and what to change.

    :param outcome: ``accepted``, ``compiler_refused``, ``verifier_refused``, ``host_refused`` or
        ``worker_died``. Another text is treated as unknown: the logs decide.
    :param compiler_log: all that the compiler and bcc printed.
    :param source: the program's C source, for the names of its variables.
    :param variables: bytes of stack by variable, where someone has measured them.
    :return: an explanation, always; nothing is raised.
    """
    log = verifier_log if verifier_log is not None else verifier.parse("")
    given = (source or "", dict(variables or {}))
    if outcome == "accepted":
        return _accepted(log)
    answers = [_by_verifier(log, *given), _by_compiler(compiler_log, *given)]
    if outcome in _COMPILER_FIRST:
        answers.reverse()
    found = [answer for answer in answers if answer is not None]
    known = [answer for answer in found if answer.known]
    return next(iter(known or found), None) or _silent(outcome, compiler_log, log)


_COMPILER_FIRST = ("compiler_refused", "host_refused", "worker_died")


def explain_text(text: str | bytes | VerifierLog, *, source: str | None = None) -> Explanation:
    """Explain any text that holds a log: bpftool's, libbpf's, bcc's, clang's or a bare log.

    A text that was parsed already is not parsed again.
    """
    log = text if isinstance(text, VerifierLog) else verifier.parse(text)
    if log.fatal is not None:
        outcome = "verifier_refused"
    elif compiler.matters(log.text) is not None:
        outcome = "compiler_refused"
    else:
        outcome = "accepted" if log.statistics.insns_processed is not None else "unknown"
    return explain(outcome=outcome, compiler_log=log.text, verifier_log=log, source=source)


def _by_verifier(log: VerifierLog, source: str, variables: dict[str, int]) -> Explanation | None:
    fatal, step = log.fatal, log.fatal_instruction
    if fatal is None:
        return None
    c_line = step.source if step else None
    names = names_in(c_line.text) if c_line else ()
    where = f"{c_line.file}:{c_line.line}" if c_line and c_line.file else ""
    marked = MarkedLine(fatal.body, "verifier", fatal.index, where)
    context = _context(
        [line.body for line in log.lines[max(0, fatal.index - _CONTEXT) : fatal.index + 1]]
    )
    for body in _fatal_block(log, fatal):
        for reason in VERIFIER_REASONS:
            if match := reason.pattern.search(body):
                case = Case(match, names, log=log, step=step, source=source, variables=variables)
                return _explanation(reason, case, marked, context)
    return _unknown_refusal(log, marked, context, names)


def _fatal_block(log: VerifierLog, fatal: verifier.Line) -> Iterator[str]:
    """Yield the fatal line and, since the verifier may add detail, the errors right after it."""
    yield fatal.body
    for line in log.lines[fatal.index + 1 : fatal.index + 3]:
        if line.kind is Kind.ERROR:
            yield line.body


def _by_compiler(text: str, source: str, variables: dict[str, int]) -> Explanation | None:
    diagnostic = compiler.matters(text)
    if diagnostic is None:
        return None
    lines = compiler.without_colour(text).split("\n")
    marked = MarkedLine(lines[diagnostic.index], "compiler", diagnostic.index, diagnostic.where)
    context = _context(lines[max(0, diagnostic.index - 1) : diagnostic.index + 1])
    for reason in COMPILER_REASONS:
        if match := reason.pattern.search(diagnostic.text):
            case = Case(match, (), diagnostic=diagnostic, source=source, variables=variables)
            return _explanation(reason, case, marked, context)
    return Explanation(
        key="compiler-other",
        title="An error that this lab does not know",
        happened=f"The tool that builds the program said: {diagnostic.text}",
        why="This lab has no explanation for this message.",
        change="Read the lines around it; an error further up may be the cause of this one.",
        see=SEE["unknown"],
        line=marked,
        context=context,
        known=False,
    )


def _explanation(
    reason: Reason, case: Case, marked: MarkedLine, context: tuple[str, ...]
) -> Explanation:
    return Explanation(
        key=reason.key,
        title=reason.title,
        happened=reason.say(reason.happened, case),
        why=reason.say(reason.why, case),
        change=reason.say(reason.change, case),
        see=SEE[reason.see],
        line=marked,
        context=context,
        names=case.names,
    )


def _context(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line.strip())


def _accepted(log: VerifierLog) -> Explanation:
    figures = log.statistics
    walked = (
        f"{figures.insns_processed} instructions" if figures.insns_processed is not None else "it"
    )
    depth = figures.stack_depth
    stack = f", and counted {depth} of 512 bytes of stack" if depth is not None else ""
    return Explanation(
        key="accepted",
        title="Accepted",
        happened=f"The compiler made the program and the verifier walked {walked}{stack}.",
        why="On every path each access stayed inside memory that the program may use.",
        change="Nothing.",
        see=SEE["log"],
    )


def _unknown_refusal(
    log: VerifierLog, marked: MarkedLine, context: tuple[str, ...], names: tuple[str, ...]
) -> Explanation:
    """Explain a refusal in no table. 7.3 and later give a reason of their own: then it is shown."""
    says = _kernel_report(log)
    at = f" at {marked.where}" if marked.where else ""
    return Explanation(
        key="verifier-other",
        title="An error that this lab does not know",
        happened=f"The verifier stopped{at} and said: {marked.text}",
        why=says.get("Reason") or "This lab has no explanation for this message.",
        change=says.get("Suggestion")
        or "Read the lines before it: the last instruction, the C line above that, and what the"
        " registers held.",
        see=SEE["unknown"],
        line=marked,
        context=context,
        names=names,
        known=False,
    )


def _kernel_report(log: VerifierLog) -> dict[str, str]:
    """Return the sections of the report that 7.3 prints under an error: heading to text."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in log.of_kind(Kind.REPORT):
        if line.body.endswith(":") and not line.body.startswith(" "):
            current = sections.setdefault(line.body[:-1], [])
        else:
            current.append(line.body.strip())
    return {name: " ".join(lines).strip() for name, lines in sections.items()}


def _silent(outcome: str, text: str, log: VerifierLog) -> Explanation:
    """Nothing in either log says why."""
    title, happened = {
        "worker_died": (
            "The process that built it died",
            "The process that compiles and loads ended before it could say why.",
        ),
        "host_refused": ("This machine refused", "The kernel refused before the verifier looked."),
        "unknown": (
            "No refusal found",
            "Here neither the verifier nor a compiler refuses a program.",
        ),
    }.get(outcome, ("No reason found", "The program was refused, and neither log says why."))
    lines = [line for line in compiler.without_colour(text).split("\n") if line.strip()]
    lines = lines or [line.body for line in log.lines[-_CONTEXT:]]
    return Explanation(
        key=f"silent-{outcome}",
        title=title,
        happened=happened,
        why="This lab has no explanation without a message.",
        change="Look at the last lines that were printed, and try the same build once more.",
        see=SEE["unknown"],
        context=tuple(lines[-_CONTEXT:]),
        known=False,
    )
