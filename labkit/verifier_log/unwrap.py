"""Take off what loggers put around the lines of a log: times, names, levels, quotes, escapes.

    level=warning msg="0: (7b) *(u64 *)(r10 -912) = r1" subsys=loader   ->   0: (7b) *(u64 *)...

No logger is known by name. Only the verifier writes ``12: (7b) `` and ``processed 12 insns``, so
what stands before these is the logger's: it is learnt from this very text, its numbers are taken
as variable, and then it is taken off every line. Pure and total; a bare log comes back as it is.
"""

from __future__ import annotations

import html
import re

__all__ = ["unwrap"]

_COLOUR = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
_SAMPLE = 1 << 18  # characters at either end of a text that are looked at to learn from
_FORMS = 8  # a text may have gone through several loggers

# The verifier's own line, and what stands before it. Its precision tracking quotes instructions
# behind words of its own, and its report behind arrows: those are no logger's.
_LEARN = re.compile(
    r"^(?![ \t]*(?:\d+: |;|R\d|regs=|mark_precise|last_idx|from \d|>>>))(?P<prefix>[^\n]{1,400}?)"
    r"(?<![\w.-])(?:\d+: \([0-9a-f]{2}\) |processed \d+ insns)"
    r"|^(?P<indent>[ \t]+)(?:\d+: \([0-9a-f]{2}\) |processed \d+ insns)",
    re.M,
)
_BARE = re.compile(r"^(?:\d+: \([0-9a-f]{2}\) |processed \d+ insns)", re.M)
# A whole log in one line: line ends are written as \n, and what follows them is the verifier's,
# or a loader's that prints its log.
_ONE_LINE = re.compile(
    r"^[^;\n][^\n]*?\\n(?:\\+t|[ \t])*(?:\d+: |processed \d|; |func#\d|from \d+ to|R\d+ |-- BEGIN"
    r"|libbpf: |Prog section|[\w .-]*(?:error|invalid|failed|rejected|stack))[^\n]*$",
    re.M | re.I,
)
_ESCAPE = re.compile(r"\\(?:u\{?([0-9a-fA-F]{2,6})\}?|x([0-9a-fA-F]{2})|([ntr\"'\\/]))")
_LETTERS = {"n": "\n", "t": "\t", "r": ""}
_QUOTED = re.compile(r'((?:[^"\\\n]|\\.|"")*)".*')
# cilium/ebpf and aya put the refusal behind words of their own, in one line.
_SAID = re.compile(
    r"^(?P<head>[^\n]*?(?:load program: [^:\n]+:|Verifier output:)) "
    r"(?:(?P<insn>\d+: \([0-9a-f]{2}\) [^\n]*?): (?=R\d+ |invalid |func ))?"
    r"(?P<said>[^\n]*?)(?P<omitted> ?\(\d+ lines?(?:\(s\))? omitted\)[^\n]*)?$",
    re.M,
)


def unwrap(text: str | bytes) -> str:
    """Return the text without what stands around the verifier's lines.

    Bytes are decoded as UTF-8, or as UTF-16 where they are that; those that are neither become
    lone surrogates. Of one line that holds several, several are made.
    """
    if isinstance(text, (bytes, bytearray, memoryview)):
        text = _decoded(bytes(text))
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    if any(entity in text for entity in ("&gt;", "&lt;", "&quot;", "&#39;")):
        text = html.unescape(text)
    if "\\n" in text:
        text = _ONE_LINE.sub(lambda line: _unescaped(line[0]), text)
    if "load program: " in text or "Verifier output: " in text:
        text = _SAID.sub(lambda line: "\n".join(part for part in line.groups() if part), text)
    return _without_prefixes(text)


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if data[1:200:2].count(0) > len(data[:200]) // 3:  # UTF-16 without its mark
        return data.decode("utf-16-le", "replace")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _unescaped(line: str) -> str:
    """Undo escapes, as often as the line was escaped: a log in JSON in JSON is escaped twice."""
    for _ in range(3):
        line = _ESCAPE.sub(_letter, line)
        if not _ONE_LINE.search(line):
            break
    return line


def _letter(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2]
    if code is None:
        return _LETTERS.get(escape[3], escape[3])
    return chr(int(code, 16)) if int(code, 16) < 0xD800 else escape[0]


def _without_prefixes(text: str) -> str:
    sample = text if len(text) <= 2 * _SAMPLE else text[:_SAMPLE] + "\n" + text[-_SAMPLE:]
    prefixes = {found["prefix"] for found in _LEARN.finditer(sample) if found["prefix"]}
    forms = {_form(prefix) for prefix in prefixes if not prefix.endswith("before ")}
    # White space alone is a prefix only where no line stands without it: the verifier indents
    # tables of its own.
    if not _BARE.search(sample):
        indents = [len(found["indent"]) for found in _LEARN.finditer(sample) if found["indent"]]
        forms |= {rf"[ \t]{{{min(indents)}}}"} if indents else set()
    seen = {form: len(re.findall(f"^{form}", sample, re.M)) for form in forms}
    for form in sorted(forms, key=lambda form: (-seen[form], form))[:_FORMS]:
        once = seen[form] == 1  # then the words before it are no logger's, and say something
        line = re.compile(rf"^(?P<prefix>{form})(?P<rest>[^\n]*)$", re.M)
        text = line.sub(lambda found, once=once: _taken_off(found, once), text)  # type: ignore[misc]
    return text


def _form(prefix: str) -> str:
    """Return a pattern for a prefix. A logger that had nothing to log may leave its end away."""
    words = re.split(r"([ \t]+)", prefix)
    parts = [re.sub(r"\d+", r"\\d+", re.escape(word)) for word in words[::2]]
    if len(parts) == 1:
        return parts[0]
    # The verifier indents too: of what stands right before its line, no more than the logger's.
    return r"[ \t]+".join(parts[:-1]) + rf"(?:[ \t]{{1,{len(words[-2])}}}{parts[-1]}|[ \t]*$)"


def _taken_off(found: re.Match[str], once: bool) -> str:
    prefix, rest = found["prefix"], found["rest"]
    if prefix.endswith('"') and (quoted := _QUOTED.fullmatch(rest)):
        rest = _ESCAPE.sub(_letter, quoted[1].replace('""', '"'))
    elif (bar := prefix.strip()[:1]) and not bar.isalnum():
        rest = re.sub(rf"[ \t]+{re.escape(bar)}[ \t]*$", "", rest)
    return f"{prefix.rstrip()}\n{rest}" if once else rest
