"""What clang, LLVM and bcc print when they refuse: from text to diagnostics. Pure and total.

Two forms come from one compiler. clang itself writes ``file:line:column: error: text``. LLVM's BPF
backend writes ``error: file:line:column: in function NAME TYPE: text`` where nobody installed a
handler for it, as in bcc. bcc and libbpf add lines of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["STACK_LIMIT", "Diagnostic", "matters", "parse", "without_colour"]

_COLOUR = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
STACK_LIMIT = re.compile(r"Looks like the BPF stack limit(?: of (?P<limit>\d+) bytes)? is exceeded")
"""LLVM's stack error: up to 16 with the number 512, from 17 on without a number."""

_PLACE = r"(?P<file>[^\s:][^:\n]*|<[^>\n]*>):(?P<line>\d{1,9}):(?:(?P<column>\d{1,9}):)?"
_SEVERITY = r"(?P<severity>fatal error|error|warning|remark|note)"
_RUSTC = (  # bpf-linker's lines, alone or in rustc's notes
    r"(?:\s*= note: )?(?:[\d:]+ )?"
    r"(?:\[ERROR\] llvm: |(?=LLVM ERROR|error: .*(?:BPF stack|built-in)))"
)
_IN_FUNCTION = r"in function (?P<function>\S+) [^:]*: (?P<text>.*)"
# Whose line it is, and its form; tried in this order.
_FORMS = tuple(
    (speaker, re.compile(form))
    for speaker, form in (
        ("compiler", rf"{_PLACE} {_SEVERITY}: (?P<text>.*)"),
        ("compiler", rf"(?:{_RUSTC})?(?:{_SEVERITY}: )?{_PLACE} {_IN_FUNCTION}"),
        ("compiler", rf"{_SEVERITY}: (?:{_PLACE} )?{_IN_FUNCTION}"),
        ("compiler", rf"(?:{_RUSTC})?(?P<severity>LLVM ERROR): (?P<text>.*)"),
        ("compiler", r"(?P<severity>PLEASE submit a bug report)[: ](?P<text>.*)"),
        (
            "compiler",
            r"(?:clang|llc|lld|ld|cc1)[\w.+-]*: "
            r"(?P<severity>error|warning|fatal error): (?P<text>.*)",
        ),
        ("compiler", r"(?P<text>error\[E\d+\]: .*)"),
        ("", rf"{_SEVERITY}: (?:{_PLACE} )?(?P<text>.*)"),
        ("modprobe", r"modprobe: (?P<severity>FATAL): (?P<text>.*)"),
        ("bcc", r"(?P<text>Unable to find kernel headers.*)"),
        ("loader", r"(?P<text>(?:could not open bpf map|failed to pin map): .*)"),
        ("loader", r"(?P<text>bpf: Failed to load program: .*|Failed to load BPF program .*)"),
        (
            "libbpf",
            r"libbpf: (?P<text>.*(?:failed|Error|error|can't|couldn't|not found|Couldn't).*)",
        ),
        ("tool", r"(?P<severity>Error): (?P<text>.*)"),
        ("tool", r"(?P<severity>HINT|chdir\([^)]*\)): (?P<text>.*)"),
        ("tool", r"(?P<severity>\w*Exception): (?P<text>.*)"),
    )
)
_SEVERITIES = {
    "LLVM ERROR": "fatal error",
    "PLEASE submit a bug report": "note",
    "FATAL": "note",  # modprobe's; bcc goes on to look elsewhere
    "Error": "error",
    "HINT": "note",
}
_FOLLOWS = re.compile(r"too many errors emitted|failed to load object|failed to load BPF skeleton")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message.

    :param file: as the compiler names it; bcc calls the source ``/virtual/main.c``. None if it
        told no place.
    :param line: counted from 1, with bcc in the text as bcc rewrote it. None if not told.
    :param column: counted from 1, or None.
    :param severity: ``fatal error``, ``error``, ``warning``, ``remark`` or ``note``.
    :param text: the message without place and severity.
    :param function: the C function it is about, where LLVM names it.
    :param index: the line of the log that it stands on, counted from 0.
    :param speaker: ``compiler``, ``libbpf``, ``bcc``, ``modprobe``, ``loader``, ``tool``;
        ``""`` for a bare ``error: ``, which compilers print and others too.
    """

    file: str | None
    line: int | None
    column: int | None
    severity: str
    text: str
    function: str | None = None
    index: int = 0
    speaker: str = ""

    @property
    def is_error(self) -> bool:
        """Whether this alone is enough to refuse the program."""
        return self.severity in ("error", "fatal error")

    @property
    def is_stack_limit(self) -> bool:
        """Whether this is LLVM's stack error, in either wording."""
        return STACK_LIMIT.search(self.text) is not None

    @property
    def where(self) -> str:
        """``file:line:column`` as far as it is known, else an empty string."""
        parts = (self.file, self.line, self.column)
        return ":".join(str(part) for part in parts if part is not None)


def without_colour(text: str) -> str:
    """Return the text without the escape sequences that colour it in a terminal."""
    return _COLOUR.sub("", text)


def parse(text: str | bytes) -> tuple[Diagnostic, ...]:
    """Return all messages in what a compiler, bcc or libbpf printed, in order. Never raises.

    Lines that show source, carets, or anything else are left out.
    """
    if isinstance(text, (bytes, bytearray, memoryview)):
        text = bytes(text).decode("utf-8", "surrogateescape")
    found = (_read(line, index) for index, line in enumerate(without_colour(text).split("\n")))
    return tuple(diagnostic for diagnostic in found if diagnostic is not None)


def _read(line: str, index: int) -> Diagnostic | None:
    for speaker, form in _FORMS:
        if match := form.match(line.rstrip("\r")):
            return _diagnostic(speaker, match.groupdict(), index)
    return None


def _diagnostic(speaker: str, part: dict[str, str | None], index: int) -> Diagnostic:
    said = part.get("severity") or "error"
    file, line, column = part.get("file"), part.get("line"), part.get("column")
    if file == "<unknown>" or line in (None, "0"):
        file = None if file == "<unknown>" else file
        line = column = None
    return Diagnostic(
        file=file,
        line=int(line) if line else None,
        column=int(column) if column else None,
        severity=_SEVERITIES.get(said, said if said in _KNOWN else "note"),
        text=(part.get("text") or "").strip(),
        function=part.get("function"),
        index=index,
        speaker=speaker,
    )


_KNOWN = ("fatal error", "error", "warning", "remark", "note")


def matters(text: str | bytes) -> Diagnostic | None:
    """Return the one message that refused the program, or None if nothing here refuses it.

    It is the first error, since later ones often only follow from it; but a stack limit goes
    before all others, since clang repeats it and mixes it with notes.
    """
    errors = [one for one in parse(text) if one.is_error and not _FOLLOWS.search(one.text)]
    stack = next((one for one in errors if one.is_stack_limit), None)
    return stack or next(iter(errors), None)
