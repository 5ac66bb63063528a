"""Why a program was refused, in plain English, and what to change. Pure: texts in, text out.

    explanation = explain(outcome=..., compiler_log=..., verifier_log=parse(text))
    explanation.happened    # one sentence with the numbers of this very log

What it knows stands in the table of :mod:`labkit.explain.messages`; here a line is found for a row.
An explanation that may be false is worse than none: what no row fits is shown, and said to be
unknown, and "accepted" is said only where a text shows it and nothing in it was refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from labkit import verifier_log as verifier
from labkit.explain import compiler_log as compiler
from labkit.explain.compiler_log import Diagnostic
from labkit.explain.facts import Facts, Given, limit_in
from labkit.explain.message import Message, Sentences, fill
from labkit.explain.messages import MESSAGES, words
from labkit.verifier_log import Line, VerifierLog
from labkit.verifier_log.lines import Kind

__all__ = ["Explanation", "MarkedLine", "explain", "explain_text"]

_CONTEXT = 4  # lines before the one that matters
_ENDS = 500  # of lines that are not the verifier's, so many are searched at either end
_REFUSAL = re.compile(words.REFUSAL, re.I)
_HARMLESS = re.compile(words.HARMLESS)
_SPEAKER = re.compile("|".join(form for _, form in words.SPEAKERS))
_REMARK = re.compile(words.REMARKS)
_FRAME = re.compile("linking with .* failed|could not compile|aborting due to")


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
    :param change: what to change, in the words of the tool that was used, with names of the
        program's own variables where the log has them.
    :param see: where the notebooks treat it.
    :param line: the line that matters, or None if there is none.
    :param context: the lines before it and, last, itself.
    :param names: the variables on the source line in question, the likeliest first.
    :param known: False if this error is in no table, and the sentences are general.
    :param kernel: what Linux 7.3 and later say of it in a report of their own, or ``""``.
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
    kernel: str = ""

    def __str__(self) -> str:
        last = len(self.context) - 1 if self.line is not None else -1
        quoted = [
            f"  {'> ' if number == last else '  '}{text}"
            for number, text in enumerate(self.context)
        ]
        if self.line is not None and self.line.where:
            quoted.append(f"    at {self.line.where}")
        told = [self.happened, f"Why: {self.why}", f"Change: {self.change}"]
        told += [self.kernel] if self.kernel else []
        told.append(f"See: {self.see}")
        blocks = [self.title, *(["\n".join(quoted)] if quoted else []), "\n".join(told)]
        return "\n\n".join(blocks)

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
    limit: int | None = None,
    tool: str = "bcc",
    reason: str = "",
) -> Explanation:
    """Say what happened, why, and what to change.

    :param outcome: ``accepted``, ``compiler_refused``, ``verifier_refused``, ``host_refused`` or
        ``worker_died``. Another text is treated as unknown: the logs decide.
    :param compiler_log: all that the compiler and bcc printed.
    :param source: the program's C source, for the names of its variables.
    :param variables: bytes of stack by variable, where someone has measured them.
    :param limit: bytes of stack that this kernel grants, where someone has measured it. Else the
        log tells, or both limits that there are get named.
    :param tool: what the program was built with, for advice in its words: one of the names in
        :data:`labkit.explain.messages.words.TOOLS`, or ``""`` to find out from the texts.
    :param reason: how the process that built it ended, where it died.
    :return: an explanation, always; nothing is raised.
    """
    log = verifier_log if verifier_log is not None else verifier.parse("")
    texts = [_Text(log, "verifier")]
    if compiler_log:
        texts.append(_Text(verifier.parse(compiler_log), "compiler"))
        if outcome in ("compiler_refused", "host_refused", "worker_died"):
            texts.reverse()
    asked = _Asked(texts, Given(source or "", variables or {}, limit, tool))
    if outcome == "accepted":
        return asked.accepted(log)
    return asked.answer() or asked.bare(
        outcome if outcome in words.UNKNOWN else "silent", outcome, reason
    )


def explain_text(
    text: str | bytes | VerifierLog, *, source: str | None = None, limit: int | None = None
) -> Explanation:
    """Explain any text that holds a log: bpftool's, libbpf's, bcc's, clang's or a bare log.

    A text that was parsed already is not parsed again.
    """
    log = text if isinstance(text, VerifierLog) else verifier.parse(text)
    asked = _Asked([_Text(log, "verifier")], Given(source or "", {}, limit))
    if found := asked.answer():
        return found
    if not asked.texts[0].all_read:
        return asked.bare("not_all_read")
    if _is_accepted(log):
        return asked.accepted(log)
    return asked.bare("cut" if asked.texts[0].has_walk else "nothing")


_Said = tuple[Line, Diagnostic | None]


class _Text:
    """One of the texts, and those of its lines that may say why: all but the verifier's walk."""

    _TELLING = (Kind.ERROR, Kind.UNRECOGNISED, Kind.WRAPPER, Kind.NOTE)

    def __init__(self, log: VerifierLog, name: str) -> None:
        self.log, self.name = log, name
        self.is_judged = log.statistics.insns_processed is not None
        self.has_walk = (
            self.is_judged or len(log.instructions) > 0 or any(log.of_kind(Kind.FUNCTION))
        )

    @cached_property
    def verdict(self) -> list[Line]:
        """The line that refused and, since the verifier may add detail, the errors after it.

        Found by its place, so only where the verifier speaks at all. A remark right above the
        figures of a walk that did not end was the verdict, too.
        """
        fatal = self.log.fatal
        if fatal is None and self.is_judged and not _is_accepted(self.log):
            end = next(self.log.of_kind(Kind.STATISTIC)).index
            above = self.log.lines[max(0, end - 2) : end]
            fatal = next((one for one in above if _REMARK.match(one.body)), None)
        if fatal is None or not self.has_walk:
            return []
        after = self.log.lines[fatal.index + 1 : fatal.index + 3]
        return [fatal, *(line for line in after if line.kind is Kind.ERROR)]

    @cached_property
    def said(self) -> list[_Said]:
        """The telling lines, without what stands twice; of very many, those at both ends.

        With each goes what it says as a message of a compiler, if it has the form of one.
        """
        at = self.log.places(self._TELLING)
        self.all_read = len(at) <= 2 * _ENDS
        chosen = at if self.all_read else at[:_ENDS] + at[-_ENDS:]
        found = {self.log.lines[index].body: index for index in reversed(chosen)}
        lines = [self.log.lines[index] for index in sorted(found.values())]
        parsed = compiler.parse("\n".join(line.body for line in lines))
        forms = {one.index: one for one in parsed if one.speaker in ("compiler", "")}
        return [(line, forms.get(place)) for place, line in enumerate(lines)]

    @cached_property
    def errors(self) -> list[_Said]:
        """The compiler's first error, since later ones often only follow from it, or nothing.

        A stack limit goes before all others: clang repeats it and mixes it with notes.
        """
        found = [one for one in self.said if one[1] and one[1].is_error]
        frames = [one for one in found if one[1] and _FRAME.match(one[1].text)]
        found = [one for one in found if one not in frames] + frames
        return sorted(found, key=lambda one: not (one[1] and one[1].is_stack_limit))[:1]

    @cached_property
    def refused(self) -> list[_Said]:
        """The lines that look like a refusal, or begin as the verifier's do."""
        return [one for one in self.said if one[0].kind is Kind.ERROR or _looks_refused(one[0])]

    def lines_for(self, row: Message) -> list[_Said]:
        """Return the lines that a row's speaker may have said."""
        if row.speaker == "compiler":
            return self.errors or (self.said if row.rank == 0 else [])
        if row.rank == 0:
            return self.said
        if row.speaker == "verifier":
            return [(at, form) for at, form in self.refused if not (form and form.speaker)]
        return self.refused


@dataclass(frozen=True)
class _Asked:
    """What is asked: the texts in the order in which they are believed, and what else is known."""

    texts: list[_Text]
    given: Given

    def answer(self) -> Explanation | None:
        """Return what can be told of a refusal, or None if there is none.

        What causes others goes first: a warning above, for one, explains what the verifier said
        later. Then the verifier's own verdict, known or not, and after it what a compiler or a
        loader said. A mere errno is asked last, when nothing tells more.
        """
        for text in self.texts:
            if found := self._by_rows(text, 0):
                return found
        for text in self.texts:
            for line in text.verdict:
                if found := self._by_rows(text, 1, [(line, None)]):
                    return found
            if text.verdict and text.is_judged:
                return self._unknown(text, text.verdict[0], "verifier")
            if found := self._by_rows(text, 1):
                return found
        for text in self.texts:
            for line, form in text.errors:
                if form and form.speaker:
                    return self._unknown(text, line, "compiler", form)
            if found := self._by_rows(text, 2):
                return found
        for text in self.texts:
            for line, _ in text.refused:
                if text.has_walk or _looks_refused(line):
                    is_verifier = line in text.verdict and not _SPEAKER.search(line.body)
                    return self._unknown(text, line, "verifier" if is_verifier else "line")
        return None

    def _by_rows(
        self, text: _Text, rank: int, lines: list[_Said] | None = None
    ) -> Explanation | None:
        rows = sorted(MESSAGES, key=lambda row: row.speaker != "compiler")
        for row in (row for row in rows if row.rank == rank):
            given = [] if row.speaker == "compiler" else lines
            if found := self._by(text, row, text.lines_for(row) if lines is None else given or []):
                return found
        return None

    def _by(self, text: _Text, row: Message, lines: Iterable[_Said]) -> Explanation | None:
        for line, form in lines:
            compiled = form if row.speaker == "compiler" else None
            match = row.regex.search(compiled.text if compiled else line.body)
            if match is None:
                continue
            facts = self._facts(text, line, match, compiled)
            needs = row.needs.split()
            if all(bool(facts(need.lstrip("!"))) is not need.startswith("!") for need in needs):
                sentences = row.title, row.happened, row.why, row.change_for(self.tool)
                return self._told(text, row.key, sentences, facts, row)
        return None

    def _facts(
        self, text: _Text, line: Line, match: re.Match[str], form: Diagnostic | None
    ) -> Facts:
        judged = line.index in {one.index for one in text.verdict}
        step = text.log.fatal_instruction if judged else None
        return Facts(match, text.log, line, step, form, replace(self.given, tool=self.tool))

    @cached_property
    def tool(self) -> str:
        """What the program was built or loaded with, as the texts or the source show it."""
        lines = (line.body for text in self.texts for line, _ in text.said)
        said = "\n".join((*lines, self.given.source))
        found = (tool for tool, form in words.TOOLS if re.search(form, said, re.M))
        return self.given.tool or next(found, "")

    def _told(
        self,
        text: _Text,
        key: str,
        sentences: tuple[Sentences, ...],
        facts: Facts,
        row: Message | None = None,
    ) -> Explanation:
        line = facts.line
        log = "compiler" if facts.diagnostic else text.name
        before = 1 if log == "compiler" else _CONTEXT
        context = [one.body for one in text.log.lines[max(0, line.index - before) : line.index]]
        title, happened, why, change = (fill(sentence, facts) for sentence in sentences)
        report = _kernel_report(text.log)
        return Explanation(
            key=key,
            title=title,
            happened=happened,
            why=why if row else report.get("Reason", why),
            change=change if row else report.get("Suggestion", change),
            see=words.SEE[row.see if row else "unknown"],
            line=MarkedLine(line.body, log, line.index, facts.where),
            context=(*(body for body in context if body.strip()), line.body),
            names=facts.names,
            known=row is not None,
            kernel=_beside(report, row),
        )

    def _unknown(
        self, text: _Text, line: Line, kind: str, said: Diagnostic | None = None
    ) -> Explanation:
        match = re.match(".*", said.text if said else line.body)
        assert match is not None
        facts = self._facts(text, line, match, said)
        key = "not-known" if kind == "line" else f"{kind}-other"
        return self._told(text, key, words.UNKNOWN[kind], facts)

    def accepted(self, log: VerifierLog) -> Explanation:
        """Say that it was accepted, with the verifier's figures."""
        limit = self.given.limit if self.given.limit is not None else limit_in(log)
        walked, depth = log.statistics.insns_processed, log.statistics.stack_depth
        known = {
            "walked": f"{walked:,}" if walked is not None else "",
            "depth": f"{depth}" if depth is not None else "",
        }
        if known["depth"] and limit is not None:
            known["depth"] = words.OF.format(depth=depth, limit=limit)
        title, happened, why, change = (fill(one, known.__getitem__) for one in words.ACCEPTED)
        return Explanation("accepted", title, happened, why, change, words.SEE["log"])

    def bare(self, kind: str, outcome: str = "", said: str = "") -> Explanation:
        """Say that no line tells a reason, and show the last ones."""
        text = next((one for one in reversed(self.texts) if one.log.text.strip()), self.texts[0])
        last = [line.body for line in text.log.lines[-3 * _CONTEXT :] if line.body.strip()]
        late = "The time limit" if words.TIME_LIMIT_OVER in said else ""
        known = {"said": said, "late": late}.__getitem__
        title, happened, why, change = (fill(one, known) for one in words.UNKNOWN[kind])
        return Explanation(
            f"silent-{outcome or kind}",
            title,
            happened,
            why,
            change,
            words.SEE["unknown"],
            context=tuple(last[-_CONTEXT:]),
            known=False,
        )


def _looks_refused(line: Line) -> bool:
    if line.kind is Kind.NOTE or _HARMLESS.search(line.body):
        return False
    return _REFUSAL.search(line.body) is not None


def _is_accepted(log: VerifierLog) -> bool:
    """Whether the verifier came to its end and let the program through.

    A refusal may have been lost with a piece of the log. So the last step of the walk must be the
    end of a path, too: an ``exit``, or a state that was found to be safe.
    """
    if not log.statistics.insns_processed or log.fatal is not None:
        return False
    if not len(log.instructions):
        return True
    last = log.instructions[-1]
    after = log.lines[last.line + 1 : last.line + 8]
    return last.instruction.opcode == "95" or any(line.body.endswith(": safe") for line in after)


def _kernel_report(log: VerifierLog) -> dict[str, str]:
    """Return the sections of the report that 7.3 prints under an error: heading to text."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in log.of_kind(Kind.REPORT):
        if line.body.startswith("Verification failed: "):
            sections["headline"] = [line.body.partition(": ")[2]]
        elif line.body.endswith(":") and not line.body.startswith(" "):
            current = sections.setdefault(line.body[:-1], [])
        else:
            current.append(line.body.strip())
    return {name: " ".join(lines).strip() for name, lines in sections.items()}


def _beside(report: Mapping[str, str], row: Message | None) -> str:
    """Return the kernel's own report in a line, and whether it reads the error as this lab does."""
    if "headline" not in report:
        return ""
    parts = [report["headline"] + "."]
    if row is not None:
        parts += [report.get("Reason", ""), report.get("Suggestion", "")]
    category = report["headline"].partition(":")[0]
    differs = row is not None and row.report and category not in row.report.split("|")
    words_of = words.REPORT_DIFFERS if differs else words.REPORT
    return words_of.format(category=category, report=" ".join(part for part in parts if part))
