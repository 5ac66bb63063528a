"""Checks for the exercises of notebook 01. Each measures the truth when it is asked.

A check returns Feedback, which says whether it is right and, if not, how far off; it never raises
for a wrong answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from labkit.building.build import build, layout
from labkit.building.frame_size import lets_through
from labkit.building.report import BuildReport
from labkit.claims import null_check
from labkit.machine.stack_limit import WORD, largest_frame
from labkit.notebook.feedback import Feedback
from labkit.program.variants import BPF_TREE, LLVM_LIMIT, STRUCTS, Variant

REFUSERS = ("neither", "compiler", "verifier", "both")  # which gate refuses
OWN_BYTES = 1000  # what the reader's own variant must keep in one value
LEAST_DATA, LEAST_BUFFER = 24, 8  # bytes that the program's own code needs


def check_predictions(answers: Mapping[int, str]) -> Feedback:
    """Compare predictions with both gates: frame size → which gate refuses it, one of REFUSERS."""
    unknown = [f"{size}: {said!r}" for size, said in answers.items() if said not in REFUSERS]
    if unknown:
        return Feedback(False, (f"say one of {', '.join(REFUSERS)} for {', '.join(unknown)}",))
    wrong = tuple(
        f"{size} bytes: not {said!r}; {_hint(size, who_refuses(size))}"
        for size, said in answers.items()
        if said != who_refuses(size)
    )
    score = f"{len(answers) - len(wrong)} of {len(answers)} as measured on this machine"
    return Feedback(not wrong, (score, *wrong))


def who_refuses(size: int) -> str:
    """Return which gate refuses a frame of ``size`` bytes, asked now: one of REFUSERS."""
    refusing = [gate for gate in ("compiler", "verifier") if not lets_through(size, gate)]
    return {0: "neither", 1: refusing[0] if refusing else "", 2: "both"}[len(refusing)]


def _hint(size: int, truth: str) -> str:
    count = {"neither": "no gate refuses", "both": "two gates refuse"}.get(
        truth, "one gate refuses"
    )
    limit = largest_frame()
    return f"{count} it, and it is {abs(limit - size)} bytes from the kernel's limit of {limit}"


def check_shrunk(*, data: int, buffer: int, values: int) -> Feedback:
    """Build the bad program with smaller structs: data[data], three buffers, values[values]."""
    small = _too_small(data, buffer, values)
    if small:
        return Feedback(False, (small,))
    defines = (f"DATA_BYTES={data}", f"BUFFER_BYTES={buffer}", f"VALUES={values}")
    total = sum(layout(*defines)[name]["size"] for name in STRUCTS)
    report = build("stack", defines=defines)
    if not report.accepted:
        over = max(WORD, total - LLVM_LIMIT)
        words = f"your objects take {total} bytes: at least {over} must go; {report.outcome}"
        return Feedback(False, (words, report.explain().happened))
    spare = LLVM_LIMIT - total
    return Feedback(
        True,
        (
            f"your objects take {total} bytes, {spare} less than the compiler's limit",
            f"the verifier counted a frame of {report.stack_depth} bytes",
        ),
    )


def _too_small(data: int, buffer: int, values: int) -> str:
    if data < LEAST_DATA or buffer < LEAST_BUFFER or values < 1:
        return f"the program itself needs data ≥ {LEAST_DATA}, buffer ≥ {LEAST_BUFFER}, values ≥ 1"
    if any(size % WORD for size in (data, buffer)):
        return f"take sizes in whole words of {WORD} bytes, so that nothing is padded"
    return ""


def puzzle() -> BuildReport:
    """Build the puzzle of exercise 3 now: five objects, one too many for this kernel's stack."""
    source = BPF_TREE / "exercises" / "puzzle.c"
    defines = (f"STACK_BYTES={largest_frame()}",)
    return build(Variant("puzzle", source, "five objects, one too many", defines=defines))


def check_line(line: int) -> Feedback:
    """Compare with the line of the puzzle that the verifier refuses, as its log tells now."""
    report = puzzle()
    truth = _refused_line(report)
    if truth is None:
        return Feedback(False, ("this kernel's log names no line of C: compare the texts by eye",))
    off = line - truth
    if off == 0:
        return Feedback(True, (str(report.explain().happened),))
    return Feedback(False, (f"{abs(off)} lines too far {'up' if off < 0 else 'down'}",))


def _refused_line(report: BuildReport) -> int | None:
    """Return the C line of the refused instruction; before Linux 6.9 found by the line's text."""
    step = report.verifier_log.fatal_instruction
    if step is None or step.source is None:
        return None
    if step.source.line is not None:
        return int(step.source.line)
    texts = [text.strip() for text in report.source.splitlines()]
    shown = step.source.text.strip()
    return texts.index(shown) + 1 if shown in texts else None


def check_own(made: object) -> Feedback:
    """Check what a %%bpf cell left: it loads, and keeps OWN_BYTES or more in one map value."""
    report = getattr(made, "report", made)  # a Run, of a cell with --run, has its report
    if not isinstance(report, BuildReport):
        return Feedback(False, ("run the %%bpf cell first; its name holds the report",))
    if not report.accepted:
        return Feedback(False, (f"it does not load: {report.explain().happened}",))
    largest = max((facts["value_size"] for facts in report.maps.values()), default=0)
    if largest < OWN_BYTES:
        words = (
            f"it loads, but its largest map value has {largest} bytes, {OWN_BYTES - largest} short"
        )
        return Feedback(False, (words,))
    depth = f"{report.stack_depth} bytes of stack, {largest} bytes in a map value"
    return Feedback(True, (depth,))


def check_null(*, constant_key: str, unknown_key: str) -> Feedback:
    """Compare with what the verifier says without the NULL check: ``accepted`` or ``refused``."""
    said = {"constant": constant_key, "variable": unknown_key}
    if not set(said.values()) <= {"accepted", "refused"}:
        return Feedback(False, ("say 'accepted' or 'refused' for each",))
    table = null_check().measured
    assert table is not None
    unchecked = table[~table.checked].set_index("key")
    truth = unchecked.accepted.map({True: "accepted", False: "refused"})
    wrong = [key for key in said if said[key] != truth[key]]
    score = f"{len(said) - len(wrong)} of {len(said)} as measured on this machine"
    lines = (f"{key} key: {truth[key]} {unchecked.said[key]}".rstrip() for key in wrong)
    return Feedback(not wrong, (score, *lines))
