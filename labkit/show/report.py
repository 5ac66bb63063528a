"""A BuildReport as HTML: the verdict, the two gates, what was printed, versions and time."""

from __future__ import annotations

from markupsafe import Markup

from labkit.building import findings
from labkit.building.report import ACCEPTED, OUTCOMES, BuildReport, Gate
from labkit.explain import Explanation, compiler_log
from labkit.show.log import index_in, log_html
from labkit.show.style import badge, folded, join, page, prose, table, tag

# What each gate is, for those who meet it for the first time.
GATES = {
    "compiler": "LLVM turns C into BPF instructions",
    "verifier": "the kernel follows every path before it loads them",
}
_PASSED = {
    True: ("good", "let it through"),
    False: ("bad", "refused it"),
    None: ("none", "gave no verdict"),
}
_VERSIONS = {
    "kernel": "Linux",
    "llvm": "LLVM",
    "bcc": "bcc",
    "python": "Python",
}


def report_html(report: BuildReport) -> str:
    """Return a report as HTML: verdict, gates in order, explanation, both logs, versions."""
    explained = report.explain()
    return page(
        tag("p", verdict(report)),
        gates_table(report),
        _explained(report, explained),
        _compiler_part(report, explained),
        _pointed_at(report),
        _verifier_part(report, explained),
        tag("p", versions(report), data_testid="versions"),
    )


def verdict(report: BuildReport) -> Markup:
    """Return the outcome in one line."""
    kind = "good" if report.outcome == ACCEPTED else "bad"
    words = f"{report.variant}: {OUTCOMES[report.outcome]}"
    return badge(kind, words, data_testid="verdict", data_outcome=report.outcome)


def gates_table(report: BuildReport) -> Markup:
    """Return the gates in the order in which a program meets them."""
    rows = [_gate_cells(number, gate, report) for number, gate in enumerate(report.gates, 1)]
    return table(
        ["gate", "what it does", "verdict", "took"], rows, "the two gates", data_testid="gates"
    )


def _gate_cells(number: int, gate: Gate, report: BuildReport) -> list[object]:
    kind, words = _PASSED[gate.passed]
    if not gate.reached:
        words = "never reached"
    if gate.name == "compiler" and report.how_lifted and gate.passed:
        words += ", its check lifted"
    passed = {True: "yes", False: "no", None: "never"}[gate.passed]
    sign = badge(kind, words, data_testid=f"gate-{gate.name}", data_passed=passed)
    took = "" if gate.seconds is None else f"{gate.seconds * 1000:,.1f} ms"
    return [f"{number} · the {gate.name}", GATES.get(gate.name, ""), sign, took]


def _explained(report: BuildReport, explained: Explanation) -> Markup:
    rows = [("what happened", explained.happened), ("why", explained.why)]
    if explained.line and explained.line.where:
        rows.insert(1, ("where", explained.line.where))
    if report.outcome != ACCEPTED:
        rows.append(("what to do", explained.change))
    if report.reason.partition(findings.MEND)[0] not in explained.happened:  # else it is said there
        rows.insert(0, ("reason", report.reason))
    if report.how_lifted:
        rows.append(("how the check was lifted", report.how_lifted))
    rows += [("note", note) for note in report.notes]
    cells = [(name, prose(words)) for name, words in rows if words]
    return table([], cells, "in plain words", data_testid="explained")


def _compiler_part(report: BuildReport, explained: Explanation) -> Markup:
    text = compiler_log.without_colour(report.compiler_log)
    if not text.strip():
        return Markup("")
    title, name = "What the compiler printed", f"{report.variant}-compiler.log"
    shown = log_html(title, text, index_in(explained, "compiler"), name)
    return folded(title, shown) if report.outcome == ACCEPTED else shown


def _pointed_at(report: BuildReport) -> Markup:
    """Show the lines that declare what is too large, as a compiler would."""
    text = "\n".join(report.pointed_at)
    return tag("pre", text, data_testid="pointed-at") if text else Markup("")


def _verifier_part(report: BuildReport, explained: Explanation) -> Markup:
    text, name = report.verifier_text, f"{report.variant}-verifier.log"
    if not text.strip():
        return Markup("")
    return log_html("The verifier's log", text, index_in(explained, "verifier"), name)


def versions(report: BuildReport) -> Markup:
    """Return the versions that decide a verdict, and the time it took, in one line."""
    known = [
        f"{name} {report.versions[key]}"
        for key, name in _VERSIONS.items()
        if key in report.versions
    ]
    return tag("small", join([*known, f"{report.seconds:.2f} s at both gates"], " · "))
