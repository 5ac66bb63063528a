"""Take off what loggers put around the lines of a log: times, names of programs, levels, quotes.

    level=warning msg="0: (7b) *(u64 *)(r10 -912) = r1" subsys=loader   ->   0: (7b) *(u64 *)...

Pure and total. A text in which no verifier's line is wrapped comes back as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["unwrap"]

# A line of the verifier, somewhere behind something else.
_WRAPPED = re.compile(
    r"^(?:load program: |Verifier (?:output|analysis): "
    r"|(?!\s*(?:\d+: \(|;|libbpf: |regs=|mark_precise))\s*\S.*?"
    r"(?:\b\d+: \([0-9a-f]{2}\) |processed \d+ insns|invalid (?:\S+ ){0,6}stack"
    r"|Verifier (?:output|analysis):|load program: ))"
    r"|^\s+\d+: \([0-9a-f]{2}\) ",
    re.M,
)
_ENOUGH = 1 << 18  # characters at either end of a text that tell whether it is wrapped
_STAMPS = re.compile(
    r"(?:\d{4}[-/]\d\d[-/]\d\d[T ][\d:.,]+(?:Z|[+-][\d:]+)? ?"  # 2021-04-21T11:52:43.74Z
    r"|[A-Z][a-z]{2} +\d{1,2} [\d:]{8} [\w.-]+ [^\s:]+: ?"  # May 14 16:21:40 host program[12]:
    r"|\[(?: *\d+\.\d+|\s*|[A-Z]+)\] "  # [   59.69], [DEBUG]; but not BTF's [5]
    r"|(?:stdout|stderr): )+"
)
_MESSAGE = re.compile(r'(?:\w+=(?:[^\s"]+|"[^"]*") )*?(?:msg|message)="((?:[^"\\]|\\.)*)".*')
_EMPTY = re.compile(r"(?:\w+=[^\s\"]+ ?)+$")
# cilium/ebpf and aya put the line that refused into one line with words of their own.
_ONE_LINE = re.compile(
    r".*?(?:load program: [\w ]+: |Verifier output: )(?P<insn>\d+: \([0-9a-f]{2}\) .*?: )?"
    r"(?P<said>\S.*?)(?: \(\d+ lines?(?:\(s\))? omitted\))?\"?$"
)
_OMITTED = re.compile(r"\s*\(\d+ lines?(?:\(s\))? omitted\)$|.*load program: [\w ]+:$")
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\"}


def unwrap(text: str | bytes) -> str:
    """Return the text without what stands around the verifier's lines.

    Bytes that are not UTF-8 become lone surrogates. Of one line that holds several, several are
    made; else the count of lines stays.
    """
    if isinstance(text, (bytes, bytearray, memoryview)):
        text = bytes(text).decode("utf-8", "surrogateescape")
    if not _WRAPPED.search(text, 0, _ENOUGH) and not _WRAPPED.search(text[-_ENOUGH:]):
        return text
    return "".join(line + "\n" for line in _lines(text.removesuffix("\n").split("\n")))


def _lines(lines: list[str]) -> Iterator[str]:
    indent = _common_indent(lines)
    for raw in lines:
        line = raw[indent:] if raw[:indent].isspace() else raw
        stamps = _STAMPS.match(line)
        line = line[stamps.end() :] if stamps else line
        message = _MESSAGE.fullmatch(line)
        if message:
            line = _unescaped(message[1])
        elif _EMPTY.fullmatch(line) and "level=" in line:
            line = ""
        yield from _parts(line)


def _unescaped(text: str) -> str:
    return re.sub(r"\\[nt\"\\]", lambda match: _ESCAPES[match[0]], text)


def _parts(line: str) -> Iterator[str]:
    """Yield the lines that one line holds: the instruction and the refusal behind it."""
    if _OMITTED.fullmatch(line):
        yield ""
        return
    one = _ONE_LINE.fullmatch(line.rstrip("\r"))
    if one is None:
        yield line
        return
    if one["insn"]:
        yield one["insn"].removesuffix(": ")
    yield from _unescaped(one["said"]).split("\n")


def _common_indent(lines: list[str]) -> int:
    """Return how far the verifier's instructions are indented, if all of them are."""
    found = [re.match(r"(\s*)\d+: \([0-9a-f]{2}\) ", line) for line in lines]
    widths = {len(match[1]) for match in found if match}
    return min(widths, default=0)
