"""Who took the bytes: the variables that a program keeps on its stack, against what there is.

    stack_variables("stack")             # a table, the largest first
    stack_variables("stack").sizes       # {'extra_object': 768, ...}, as explain() takes it

The compiler is asked first: it knows each variable's size from its debug information, what remains
after optimisation, and it knows so even for a program that it then refuses. Where it cannot be
asked (no root, no bcc, only a log) the C text is read instead. ``found`` says which it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.building.build import intermediate, layout
from labkit.building.report import BuildReport
from labkit.errors import LabError
from labkit.machine.stack_limit import measured
from labkit.program.c_names import locals_in
from labkit.program.llvm_ir import Local, locals_on_stack
from labkit.program.preprocess import compiled_text
from labkit.program.variants import VARIANTS, Variant, find
from labkit.stack.snapshot import limit_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StackVariables", "by_compiler", "by_source", "stack_variables"]

BY_COMPILER = "the compiler's debug information (LLVM's intermediate text, after optimisation)"
BY_SOURCE = "the C text: declared arrays and structs, before optimisation"


@dataclass(frozen=True)
class StackVariables:
    """The variables on a program's stack, the largest first; ``found`` says where from."""

    variant: str
    variables: tuple[Local, ...]
    found: str
    limit: int | None = None  # bytes of stack there are; None where that is not known

    @property
    def total(self) -> int:
        """Bytes of all of them."""
        return sum(one.bytes for one in self.variables)

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes by name; of two variables with one name, the sum."""
        found: dict[str, int] = {}
        for one in self.variables:
            found[one.name] = found.get(one.name, 0) + one.bytes
        return found

    @property
    def table(self) -> pd.DataFrame:
        """One row a variable: variable, type, bytes, offset from the frame pointer, line of C."""
        import pandas as pd

        rows = [(one.name, one.type, one.bytes, one.offset, one.line) for one in self.variables]
        table = pd.DataFrame(rows, columns=["variable", "type", "bytes", "offset", "line"])
        return table.astype({"offset": "Int64", "line": "Int64"})

    def at(self, offset: int) -> Local | None:
        """Return the variable known to lie at an offset from the frame pointer, if any."""
        for one in self.variables:
            if one.offset is not None and one.offset <= offset < one.offset + one.bytes:
                return one
        return None

    def __repr__(self) -> str:
        rows = [f"{one.bytes:>6} bytes  {one.name}  ({one.type})" for one in self.variables]
        return "\n".join([*rows, self.sum, f"found by {self.found}"])

    @property
    def verdict(self) -> str:
        """How the sum compares with the limit, in words; empty where that is not known."""
        if self.limit is None:
            return ""
        over = self.total - self.limit
        return f"{over} too many" if over > 0 else f"{-over} to spare"

    @property
    def sum(self) -> str:
        """The sum and how it compares, as a line."""
        against = f", of {self.limit}: {self.verdict}" if self.limit is not None else ""
        return f"{self.total:>6} bytes in all{against}"

    def _repr_html_(self) -> str:
        from labkit.show.stack_variables import stack_variables_html

        return stack_variables_html(self)


def stack_variables(program: str | Variant | BuildReport) -> StackVariables:
    """Return the variables on the stack of a program, the largest first.

    Raises UsageError for an unknown variant; a machine that cannot compile is no error, then the C
    text tells.
    """
    if isinstance(program, BuildReport):
        variant, limit = _variant_of(program), limit_of(program)
    else:
        variant, limit = find(program), measured().bytes
    found: tuple[Local, ...] = ()
    how = BY_COMPILER
    with suppress(LabError, OSError):
        found = by_compiler(variant)
    if not found:
        found, how = by_source(variant, _struct_sizes()), BY_SOURCE
    return StackVariables(variant.name, _largest_first(found), how, limit)


def _variant_of(report: BuildReport) -> Variant:
    known = VARIANTS.get(report.variant)
    if known is not None and known.text == report.source:
        return known.with_defines(*(d for d in report.defines if d not in known.defines))
    lifted = report.how_lifted is not None
    return Variant(report.variant, report.source, "", defines=report.defines, lifted=lifted)


def _largest_first(found: Sequence[Local]) -> tuple[Local, ...]:
    return tuple(sorted(found, key=lambda one: -one.bytes))


def by_compiler(variant: Variant) -> tuple[Local, ...]:
    """Ask this machine's compiler. Raises MachineError where no Python has bcc."""
    return locals_on_stack(intermediate(variant))


def by_source(variant: Variant, structs: Mapping[str, int] | None = None) -> tuple[Local, ...]:
    """Read the C text, of which the preprocessor leaves what the variant's defines select.

    ``structs`` are sizes in bytes by name (``big_event``). What has no known size is left out.
    """
    text = compiled_text(variant.text, variant.defines)
    lines = text.split("\n")
    found = []
    for name, (kind, declared) in locals_in(text).items():
        struct = kind.removeprefix("struct ").strip()
        size = declared if declared is not None else (structs or {}).get(struct)
        if size is not None:
            line = next((n for n, row in enumerate(lines, 1) if _declares(row, name)), None)
            found.append(Local(name, kind, size, None, line, variant.file_name))
    return tuple(found)


def _declares(row: str, name: str) -> bool:
    return re.search(rf"\w\s+{re.escape(name)}\s*[\[=;,]", row) is not None


def _struct_sizes() -> dict[str, int]:
    """Return the sizes of the lesson's structs as this machine's compiler has them, if it can."""
    try:
        layouts: dict[str, dict[str, Any]] = layout()
    except (LabError, OSError):
        return {}
    return {name: int(facts["size"]) for name, facts in layouts.items()}
