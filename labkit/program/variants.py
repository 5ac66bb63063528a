"""The variants of the lesson's program, in one table that everything reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from labkit.errors import UsageError
from labkit.machine.stack_limit import WORD, measured
from labkit.program.outcomes import ACCEPTED, COMPILER_REFUSED, VERIFIER_REFUSED

BPF_TREE = Path(__file__).resolve().parents[2] / "bpf"
STRUCTS = ("big_event", "extra_buffer", "local_data")  # the lesson's three objects, as in bpf/
EVENT_HEADER = 32  # bytes of struct big_event before its data[], see bpf/exec_event.h
LLVM_LIMIT = 512  # bytes: the compiler's own default (LLVM's -bpf-stack-size), on every kernel
OBJECTS = 1568  # bytes: the three objects in their own sizes
SPILLS = 64  # bytes at most that the compiler keeps above them, see bpf/exec_event.h
LIFTED_LIMIT = 32 << 10  # bytes: the compiler's check when lifted; an offset reaches no further


@dataclass(frozen=True)
class Variant:
    """A BPF program as it is to be built: source, defines, whether LLVM's check is lifted."""

    name: str
    source: Path | str  # a file, or the text itself
    purpose: str
    defines: tuple[str, ...] = ()
    lifted: bool = False
    program_type: str = "tracepoint"  # for functions whose name does not tell
    text_read: str | None = field(default=None, repr=False, compare=False)
    expect: str = ""  # the outcome that is meant; empty where none is: see declared()
    beyond: bool = False  # its objects are to be one word more than this kernel grants: see find()

    @property
    def text(self) -> str:
        """The C source, as it stands in the file at this moment, or stood when it was read()."""
        if self.text_read is not None:
            return self.text_read
        return self.source if isinstance(self.source, str) else self.source.read_text("utf-8")

    @property
    def file_name(self) -> str:
        """The name that messages and the log give to the source."""
        return f"{self.name}.c" if isinstance(self.source, str) else self.source.name

    def read(self) -> Variant:
        """Return the same variant with its text as it is now, whatever becomes of the file."""
        return replace(self, text_read=self.text)

    def with_defines(self, *defines: str) -> Variant:
        """Return the same variant with more defines (``NAME`` or ``NAME=VALUE``)."""
        return replace(self, defines=(*self.defines, *defines))


_EXEC_EVENTS = BPF_TREE / "exec_events.c"

VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(
            "percpu",
            _EXEC_EVENTS,
            "good: 1568 bytes of scratch in per-CPU arrays",
            expect=ACCEPTED,
        ),
        Variant(
            "stack",
            _EXEC_EVENTS,
            "bad: the same 1568 bytes on the stack",
            defines=("BAD_EXAMPLE_STACK",),
            expect=COMPILER_REFUSED,
        ),
        Variant(
            "stack_lifted",
            _EXEC_EVENTS,
            "bad: the same 1568 bytes of stack, let past the compiler's own check",
            defines=("BAD_EXAMPLE_STACK",),
            lifted=True,
            expect=VERIFIER_REFUSED,
        ),
        Variant(
            "stack_beyond",
            _EXEC_EVENTS,
            "bad: objects of one word (8 bytes) more than this kernel's stack, check lifted",
            defines=("BAD_EXAMPLE_STACK",),
            lifted=True,
            expect=VERIFIER_REFUSED,
            beyond=True,
        ),
    )
}


def find(variant: str | Variant) -> Variant:
    """Return the variant of that name, its text read. Raises UsageError, which names them all."""
    if isinstance(variant, str) and variant not in VARIANTS:
        raise UsageError(f"no variant is called {variant!r}; there are: {', '.join(VARIANTS)}")
    found = VARIANTS[variant] if isinstance(variant, str) else variant
    limit = measured().bytes if found.beyond else None
    if limit is None:
        return found.read()
    sized = replace(found, beyond=False, defines=(*found.defines, *sizes_of(limit + WORD)))
    return sized.read()


def declared(variant: Variant) -> str:
    """Return the outcome that is meant on this kernel; empty where its stack limit does not tell.

    The 1568 bytes are too many for every kernel up to Linux 7.3; a later one may grant them.
    """
    limit = measured().bytes
    if variant.expect != VERIFIER_REFUSED or variant.beyond:
        return variant.expect
    if limit is None or OBJECTS <= limit < OBJECTS + SPILLS:
        return ""
    return VERIFIER_REFUSED if limit < OBJECTS else ACCEPTED


def sizes_of(total: int) -> tuple[str, ...]:
    """Return defines that make the lesson's three objects ``total`` bytes, a multiple of 8, in all.

    The three buffers take three fifths, the event's data what is left: up to 2400 bytes no object
    has more than 1 KiB, beyond which LLVM cannot clear it in a BPF program.
    """
    buffer, values = total // 5 // WORD * WORD, 8
    data = total - EVENT_HEADER - 3 * buffer - values * WORD
    return f"DATA_BYTES={data}", f"BUFFER_BYTES={buffer}", f"VALUES={values}"
