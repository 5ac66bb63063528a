"""Why a program was refused, in plain English, and what to change. Pure: texts in, text out.

    explanation = explain(outcome=..., compiler_log=..., verifier_log=parse(text))
    explanation.happened    # one sentence with the numbers of this very log

What it knows stands in the table of :mod:`labkit.explain.messages`; here a line is found for a row.
An explanation that may be false is worse than none: what no row fits is shown, and said to be
unknown, and "accepted" is said only where a text shows it and nothing in it was refused.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from labkit import compiler_log as compiler
from labkit import verifier_log as verifier
from labkit.compiler_log import Diagnostic
from labkit.explain.facts import Facts, limit_in
from labkit.explain.message import Message, Sentences, fill
from labkit.explain.messages import MESSAGES, words
from labkit.verifier_log import Line, VerifierLog
from labkit.verifier_log.lines import Kind

__all__ = ["Explanation", "MarkedLine", "explain", "explain_text"]

_CONTEXT = 4  # lines before the one that matters
_ENDS = 1000  # of lines that are not the verifier's, so many are searched at either end
_REFUSAL = re.compile(words.REFUSAL, re.I)
_HARMLESS = re.compile(words.HARMLESS)


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
    :return: an explanation, always; nothing is raised.
    """
    log = verifier_log if verifier_log is not None else verifier.parse("")
    texts = [_Text(log, "verifier")]
    if compiler_log:
        texts.append(_Text(verifier.parse(compiler_log), "compiler"))
        if outcome in ("compiler_refused", "host_refused", "worker_died"):
            texts.reverse()
    asked = _Asked(texts, source or "", dict(variables or {}), limit, tool)
    if outcome == "accepted":
        return asked.accepted(log)
    return asked.known() or asked.unknown() or asked.silent(outcome)


def explain_text(
    text: str | bytes | VerifierLog, *, source: str | None = None, limit: int | None = None
) -> Explanation:
    """Explain any text that holds a log: bpftool's, libbpf's, bcc's, clang's or a bare log.

    A text that was parsed already is not parsed again.
    """
    log = text if isinstance(text, VerifierLog) else verifier.parse(text)
    asked = _Asked([_Text(log, "verifier")], source or "", {}, limit, "")
    found = asked.known() or asked.unknown()
    is_accepted = asked.texts[0].all_read and _is_accepted(log)
    return found or (asked.accepted(log) if is_accepted else asked.nothing())


class _Text:
    """One of the texts, and those of its lines that may say why: all but the verifier's walk."""

    _TELLING = (Kind.ERROR, Kind.UNRECOGNISED, Kind.WRAPPER, Kind.NOTE)

    def __init__(self, log: VerifierLog, name: str) -> None:
        self.log, self.name = log, name

    @cached_property
    def has_walk(self) -> bool:
        """Whether the verifier speaks here at all, so that a line by its place is its verdict."""
        known = self.log.statistics.insns_processed is not None or len(self.log.instructions) > 0
        return known or next(self.log.of_kind(Kind.FUNCTION), None) is not None

    @cached_property
    def verdict(self) -> list[Line]:
        """The line that refused and, since the verifier may add detail, the errors after it."""
        fatal = self.log.fatal or self._remark()
        if fatal is None or not self.has_walk:
            return []
        after = self.log.lines[fatal.index + 1 : fatal.index + 3]
        return [fatal, *(line for line in after if line.kind is Kind.ERROR)]

    def _remark(self) -> Line | None:
        """Return a remark above the figures of a walk that did not end: it was the verdict."""
        if self.log.statistics.insns_processed is None or _is_accepted(self.log):
            return None
        end = next(self.log.of_kind(Kind.STATISTIC)).index
        above = (self.log.lines[index] for index in range(end - 1, -1, -1))
        last = next((line for line in above if line.kind is not Kind.BLANK), None)
        is_remark = last is not None and (
            last.kind is Kind.NOTE or last.body.startswith("Global function ")
        )
        return last if is_remark else None

    @cached_property
    def lines(self) -> list[Line]:
        """The telling lines, without what stands twice; of very many, those at both ends."""
        at = self.log.places(self._TELLING)
        chosen = at if len(at) <= 2 * _ENDS else at[:_ENDS] + at[-_ENDS:]
        found = {self.log.lines[index].body: index for index in reversed(chosen)}
        return [self.log.lines[index] for index in sorted(found.values())]

    @cached_property
    def all_read(self) -> bool:
        """Whether :attr:`lines` holds all that there are."""
        return len(self.log.places(self._TELLING)) <= 2 * _ENDS

    @cached_property
    def diagnostics(self) -> dict[int, Diagnostic]:
        """Lines in a compiler's form: place in :attr:`lines` to what it says."""
        said = compiler.parse("\n".join(line.body for line in self.lines))
        return {one.index: one for one in said if one.speaker in ("compiler", "")}

    @cached_property
    def error(self) -> int | None:
        """The compiler's first error, since later ones often only follow from it.

        A stack limit goes before all others: clang repeats it and mixes it with notes.
        """
        errors = [at for at, one in self.diagnostics.items() if one.is_error]
        errors.sort(key=lambda at: not self.diagnostics[at].is_stack_limit)
        return errors[0] if errors else None

    @cached_property
    def _joined(self) -> dict[str, tuple[str, list[int], list[int]]]:
        """For each kind of speaker: its lines as one text, their starts in it, their places."""
        every = range(len(self.lines))
        refused = [
            at
            for at in every
            if self.lines[at].kind is Kind.ERROR or _looks_refused(self.lines[at])
        ]
        compiled = {at for at, one in self.diagnostics.items() if one.speaker == "compiler"}
        places = {
            "compiler": [self.error] if self.error is not None else [],
            "verifier": [at for at in refused if at not in compiled],
            "loader": refused,
            "all": list(every),
        }
        joined = {}
        for speaker, chosen in places.items():
            bodies = [self.lines[at].body for at in chosen]
            starts = list(accumulate((len(body) + 1 for body in bodies), initial=0))
            joined[speaker] = ("\n".join(bodies), starts, chosen)
        return joined

    @property
    def all_lines(self) -> str:
        """The telling lines as one text."""
        return self._joined["all"][0]

    def search(self, row: Message) -> Iterator[tuple[Line, Diagnostic | None]]:
        """Yield the lines that a row's pattern fits, of those that its speaker may have said."""
        speaker = row.speaker if row.speaker in ("compiler", "verifier") else "loader"
        if row.rank == 0 and not (row.speaker == "compiler" and self.error is not None):
            speaker = "all"
        text, starts, places = self._joined[speaker]
        for match in row.regex.finditer(text):
            at = places[min(bisect_right(starts, match.start()), len(places)) - 1]
            yield self.lines[at], self.diagnostics.get(at)


@dataclass(frozen=True)
class _Asked:
    """What is asked: the texts in the order in which they are believed, and what else is known."""

    texts: list[_Text]
    source: str
    variables: dict[str, int]
    limit: int | None
    tool_given: str

    def known(self) -> Explanation | None:
        """Return the answer of a row, or None.

        What causes others goes first: a warning above, for one, explains what the verifier said
        later. Then the verifier's own verdict, and after it what a compiler or a loader said.
        Where nothing of that is known, a mere errno is not asked for more than it tells.
        """
        for text in self.texts:
            for row in (row for row in MESSAGES if row.rank == 0):
                if found := self._answer(text, row, text.search(row)):
                    return found
        rows = [row for row in MESSAGES if row.rank == 1]
        for text in self.texts:
            for line in text.verdict:
                for row in (row for row in rows if row.speaker != "compiler"):
                    if found := self._answer(text, row, [(line, None)]):
                        return found
            for row in sorted(rows, key=lambda row: row.speaker != "compiler"):
                if found := self._answer(text, row, text.search(row)):
                    return found
        return None

    def unknown(self) -> Explanation | None:
        """Return what can be told of a refusal that no row explains, or None if there is none."""
        for text in self.texts:
            if text.verdict:
                return self._unknown(text, text.verdict[0], "verifier")
        for text in self.texts:
            for at, said in text.diagnostics.items():
                if said.is_error and said.speaker:
                    return self._unknown(text, text.lines[at], "compiler", said)
        for text in self.texts:
            for row in (row for row in MESSAGES if row.rank == 2):
                if found := self._answer(text, row, text.search(row)):
                    return found
        for text in self.texts:
            for line in text.lines:
                if _looks_refused(line) or (text.has_walk and line.kind is Kind.ERROR):
                    return self._unknown(text, line, "line")
        return None

    def _answer(
        self, text: _Text, row: Message, lines: Iterable[tuple[Line, Diagnostic | None]]
    ) -> Explanation | None:
        for line, said in lines:
            compiled = said if row.speaker == "compiler" else None
            match = row.regex.search(compiled.text if compiled else line.body)
            if match is None:
                continue
            facts = self._facts(text, line, match, compiled)
            needs = row.needs.split()
            if all(bool(facts(need.lstrip("!"))) is not need.startswith("!") for need in needs):
                sentences = row.title, row.happened, row.why, row.change_for(facts.tool)
                return self._told(text, row.key, sentences, facts, row)
        return None

    def _facts(
        self, text: _Text, line: Line, match: re.Match[str], said: Diagnostic | None
    ) -> Facts:
        judged = line.index in {one.index for one in text.verdict}
        return Facts(
            match,
            log=text.log,
            line=line,
            step=text.log.fatal_instruction if judged else None,
            diagnostic=said,
            source=self.source,
            variables=self.variables,
            limit_given=self.limit,
            tool=self.tool_given or self._tool(),
        )

    def _tool(self) -> str:
        said = "\n".join((*(text.all_lines for text in self.texts), self.source))
        return next((tool for tool, form in words.TOOLS if re.search(form, said, re.M)), "")

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
        figures, limit = log.statistics, self.limit if self.limit is not None else limit_in(log)
        depth, walked = figures.stack_depth, figures.insns_processed
        known = {
            "walked": f"{walked}" if walked is not None else "",
            "depth": f"{depth}" if depth is not None else "",
        }
        known["of"] = words.OF.format(limit=limit) if limit is not None else words.OF_UNKNOWN
        title, happened, why, change = (fill(one, known.__getitem__) for one in words.ACCEPTED)
        return Explanation("accepted", title, happened, why, change, words.SEE["log"])

    def silent(self, outcome: str) -> Explanation:
        """Say that nothing tells the reason."""
        kind = outcome if outcome in words.UNKNOWN else "silent"
        return self._bare(f"silent-{outcome}", kind)

    def nothing(self) -> Explanation:
        """Say that no refusal is here: a log without its end, or no log at all."""
        read = "nothing" if self.texts[0].all_read else "not_all_read"
        kind = "cut" if self.texts[0].has_walk else read
        return self._bare(f"silent-{kind}", kind)

    def _bare(self, key: str, kind: str) -> Explanation:
        title, happened, why, change = words.UNKNOWN[kind]
        text = next((text for text in reversed(self.texts) if text.log.text.strip()), self.texts[0])
        last = [line.body for line in text.log.lines[-3 * _CONTEXT :] if line.body.strip()]
        return Explanation(
            key, title, happened, why, change, words.SEE["unknown"],
            context=tuple(last[-_CONTEXT:]), known=False,
        )  # fmt: skip


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
