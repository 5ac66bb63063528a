"""The variants of the lesson's program, in one table that everything reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from labkit.errors import UsageError

BPF_TREE = Path(__file__).resolve().parents[2] / "bpf"
STACK_LIMIT = 512  # bytes: MAX_BPF_STACK in the kernel's include/linux/filter.h
LIFTED_LIMIT = 8192  # bytes: the compiler's check when lifted, far above any lesson's frame


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
        Variant("percpu", _EXEC_EVENTS, "good: 1568 bytes of scratch in per-CPU arrays"),
        Variant(
            "stack",
            _EXEC_EVENTS,
            "bad: the same 1568 bytes on the 512-byte stack",
            defines=("BAD_EXAMPLE_STACK",),
        ),
        Variant(
            "stack_lifted",
            _EXEC_EVENTS,
            "bad, with the compiler's own check lifted, so that the verifier sees it",
            defines=("BAD_EXAMPLE_STACK",),
            lifted=True,
        ),
    )
}


def find(variant: str | Variant) -> Variant:
    """Return the variant of that name, its text read. Raises UsageError, which names them all."""
    if isinstance(variant, Variant):
        return variant.read()
    if variant not in VARIANTS:
        raise UsageError(f"no variant is called {variant!r}; there are: {', '.join(VARIANTS)}")
    return VARIANTS[variant].read()
