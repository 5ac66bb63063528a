"""One line of a verifier log: of which kind it is, and what stands in it.

Each recogniser here looks at a single line and nothing else. :mod:`labkit.verifier_log` is the
layer above, that knows how lines belong together.

The wordings come from the format strings of the kernels 5.4 to 7.3 (``kernel/bpf/verifier.c``,
``log.c``, ``backtrack.c``, ``liveness.c`` and ``diagnostics.c`` of 7.3, which split the first).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

__all__ = [
    "Instruction",
    "Kind",
    "Source",
    "classify",
    "parse_instruction",
    "parse_source",
    "split_state",
]


class Kind(str, Enum):
    """What a line of a verifier log is."""

    INSTRUCTION = "instruction"  # 4: (63) *(u32 *)(r6 +0) = r0    ; R6=fp-544
    SOURCE = "source"  # ; e->pid = pid; @ exec.c:41
    STATE = "state"  # from 4 to 7: R0=0, or 7: R0=0, or caller:
    FUNCTION = "function"  # func#0 @0, or Validating inner() func#1...
    ERROR = "error"  # invalid write to stack R10 off=-520 size=8
    STATISTIC = "statistic"  # processed 5 insns (limit 1000000) ...
    PRECISION = "precision"  # mark_precise: frame0: last_idx 3 ...
    LIVENESS = "liveness"  # Live regs before insn: and the table below it
    REPORT = "report"  # the explanation that 7.3 prints under an error
    NOTE = "note"  # a remark that refuses nothing
    WRAPPER = "wrapper"  # what bcc, libbpf, bpftool or Python print around the log
    BLANK = "blank"
    UNRECOGNISED = "unrecognised"

    def __str__(self) -> str:
        return self.value


# How the refusals begin, roughly by topic. New kernels add more; see the remark below.
_ERRORS = (
    # registers and memory
    r"R\d+ (?! *=)|R\d+ type=|arg ?#\d+ |dereference of|misaligned|off[= ]-?\d|unbounded",
    r"math between|value -?\d+ makes|variable |(?:write|read)(?:ing)? (?:into|from|to) |only read",
    r"leaking pointer|attempt to|spilled ptr|uninit stack|same insn cannot|div by zero",
    r"pointer in |\w+ pointer offset|Possibly NULL",
    # words that start many of them
    r"[Ii]nvalid|[Uu]n(?:known|recognized|released|matched|supported|reachable|expected) ",
    r"[Cc]an(?:not|'t) |[Ee]xpected|[Dd]ynptr|[Mm]issing|nonzero|failed to|too many|[Oo]nly ",
    r"(?:BPF|LD|CONST_PTR)_\S+ |BPF program is too large|bpf_\w+ ",
    # the whole program
    r"combined stack|stack size |stack depth \d+ exceeds|tail_calls? |the call stack of",
    r"[Tt]he sequence of|(?:infinite )?loop detected|back-edge|jump (?:out|into)|last insn|At ",
    r"recursive call|number of funcs|func_info|same or smaller|mixing|insn \d|liveness analysis",
    r"frame\d+ bpf_loop|[Ss]ubprog(?:ram)? |callback ",
    # helpers, kernel functions, references, locks
    r"program of this type|the prog |calling kernel|kernel (?:func|sub|is missing)|kfunc |helper ",
    r"[Hh]elper |func[# ]?\S+ (?:not|can|is only|supported|arg|reference)|Func#\d+ |Caller passes",
    r"(?:[Gg]lobal )?function calls are not|release |sleepable |reference |destructive",
    r"Leaking|Locking|Acquiring|[\w']+ lock|\w+_(?:un)?lock |exception c|[Ee]xception ",
    # maps and what a program is attached to
    r"map '|map_ptr |fd[ _]|perf_event programs|trac(?:e|ing) (?:type|progs)|JIT (?:d|is)",
    r"[Aa]ttach|(?:Extension|Tracing|FENTRY/FEXIT|Sleepable|Syscall|struct ops|Program of) ",
    r"\S+\(\) (?:is not|may)|\S+ is not sleepable|loading/calling|Target ",
    r"verifier (?:bug|internal)|BUG ",
)

# Tried in this order; the first that fits names the kind. No group inside may capture, since the
# number of the group that matched is the answer. An error that is not listed here is still found,
# by the place where it stands: see _fatal_index in scan.py.
_RECOGNISERS: tuple[tuple[Kind, str], ...] = (
    (Kind.BLANK, r"[\s\0]*$"),
    # 7.3 prints three tables of all instructions before it starts to walk; these are their rows.
    (Kind.LIVENESS, r"\s*\d+: \([0-9a-f]{2}\) [^\t;]*(?:\t|// (?:r|sa|fp)|; +(?:use|def): )"),
    (Kind.INSTRUCTION, r"\s*\d+: \([0-9a-f]{2}\) "),
    (Kind.SOURCE, r"\s*;(?: |$)"),
    (
        Kind.STATE,
        r"\s*\d+: ?(?:frame\d+:)? *(?:(?:R\d|fp)-?\d*(?:_[rwD]+)?=|refs=|safe\s*$|\s*$)"
        r"|\s*from \d+ to \d+"
        r"|\s*frame\d+: *(?:$|R\d|fp-|refs=)"
        r"|\s*R\d+(?:_[rwD]+)?=|\s*fp-\d+(?:_[rwD]+)?="
        r"|(?:caller|callee|cur state|old state|returning from callee):"
        r"|to caller at \d+:",
    ),
    (
        Kind.PRECISION,
        r"mark_precise:|force_precise:|last_idx \d|regs=\S+ stack=\S* "
        r"|parent (?:didn't have|already)"
        r"|(?:frame ?\d+:? ?)?propagating (?:r|fp)",
    ),
    (
        Kind.LIVENESS,
        r"\s*(?:\d+ +)?\d+: [0-9.]{10,11} "
        r"|Live regs before insn|\(\d[\d,]*\) (?:frame \d|live stack|refined)"
        r"|SCC (?:enter|exit|backedge) |subprog#\d+[: ]|topo_order\[|stack use/def "
        r"|arg (?:JOIN|tracking)",
    ),
    (
        Kind.STATISTIC,
        r"processed \d+ insns|verification time \d|stack depth \d|stack depth max"
        r"|subprog \d+ \(.*insns_|peak_states |insns processed",
    ),
    (
        Kind.FUNCTION,
        r"func#\d+ @\d|Validating .* func#\d"
        r"|Func#\d+ .*(?:safe for any args|assumed valid|Skipping)"
        r"|Global function .*doesn't return scalar",
    ),
    (
        Kind.NOTE,
        r"arg#\d+ (?:reference type\(|type is not a struct)|Unrecognized arg#"
        r"|reg type unsupported for arg#|func '.*' arg\d+ (?:has|type)"
        r"|\[\d+\] (?:[A-Z_]+|\S+) |verifier log line truncated|signature verification passed"
        r"|(?:magic|version|flags|hdr_len|type_off|type_len|str_off|str_len|btf_total_size): "
        r"|Cannot find btf of tracepoint template|R1 type=ctx expected=fp"
        r"|speculat|REG INVARIANTS VIOLATION|btf_vmlinux is malformed",
    ),
    (
        Kind.WRAPPER,
        r"\s*(?:libbpf|libxdp|bpf|bpftool|Error|Warning|WARNING|HINT|warning|error): ?"
        r"|\s*-- (?:BEGIN|END) PROG LOAD LOG --|=+\s*$|-+(?:\[ cut here \])?-*\s*$"
        r"|VERIFIER LOG:|Traceback \(most recent|  File \"|    \S|\w*Exception: |\w*Error: "
        r"|If it used to work for|(?:PROCESSING|File|Program|Processing|Verifying) "
        # iproute2's and bpftrace's
        r"|\[\.\.\.\]|Prog section '| - (?:Type|Attach Type|Instructions|License): "
        r"|Verifier analysis:|Skipped \d+ bytes, use|'probe' is not a recognized"
        r"|Attaching \d+ probes?\.\.\.|(?:Kernel )?[Ee]rror log:|ERROR: |error creating ",
    ),
    (Kind.REPORT, r"Verification failed: "),
    (Kind.ERROR, "|".join(_ERRORS)),
)

_LINE = re.compile("|".join(f"({regex})" for _, regex in _RECOGNISERS))


def classify(text: str, start: int = 0, end: int | None = None) -> Kind:
    """Return the kind of the line ``text[start:end]``, from that line alone.

    ``end`` leaves out the line end. Never raises.
    """
    match = _LINE.match(text, start, len(text) if end is None else end)
    if match is None or match.lastindex is None:
        return Kind.UNRECOGNISED
    return _RECOGNISERS[match.lastindex - 1][0]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction as the verifier printed it on its way.

    :param index: which instruction of the program this is, counted from 0. The same one comes
        again on each path that leads through it.
    :param opcode: its first byte, two hexadecimal digits.
    :param disassembly: the kernel's own wording, such as ``r1 = *(u32 *)(r6 +0)``.
    :param state: what follows ``;`` on the line (registers and slots that changed), or ``""``.
        Kernels before 5.17 print this on a line of its own.
    """

    index: int
    opcode: str
    disassembly: str
    state: str


@dataclass(frozen=True, slots=True)
class Source:
    """A line of the program's C source; ``file`` and ``line`` are None before kernel 6.9."""

    text: str
    file: str | None
    line: int | None


# At log level 1 the state before the next instruction can follow on the same line, without a ";":
# "11: (15) if r0 == 0x1 goto pc+3 15: R0=1 R10=fp0". It belongs to another path.
_INSTRUCTION = re.compile(
    r"\s*(\d{1,18}): \(([0-9a-f]{2})\) (.*?)"
    r"(?:\s+;(?: (.*))?|\s(?=\d{1,18}: (?:frame\d+: ?)?(?:R\d|fp-|refs=)).*)?\s*$",
    re.DOTALL,
)
_SOURCE = re.compile(r"\s*; ?(?:(.*) @ (\S.*):(\d{1,18})|(.*))$", re.DOTALL)
_STATE_HEAD = re.compile(
    r"\s*(?:(?:from (\d{1,18}) to )?(\d{1,18})(?: \([^)]*\))?:|from (\d{1,18}) to (\d{1,18}).*?:)?"
)


def parse_instruction(body: str) -> Instruction | None:
    """Return the instruction in a line without its line end, or None if it holds none."""
    match = _INSTRUCTION.match(body)
    if match is None:
        return None
    return Instruction(int(match[1]), match[2], match[3], (match[4] or "").strip())


def parse_source(body: str) -> Source | None:
    """Return the source in a ``; ...`` line without its line end, or None if it holds none."""
    match = _SOURCE.match(body)
    if match is None:
        return None
    if match[2] is None:
        return Source((match[4] or "").strip(), None, None)
    return Source(match[1].strip(), match[2], int(match[3]))


def split_state(body: str) -> tuple[int | None, str]:
    """Take a state line apart: the instruction it stands before (or None), and the state's text."""
    match = _STATE_HEAD.match(body)
    if match is None or match[2] is None:
        return None, body.strip()
    return int(match[2]), body[match.end() :].strip()
