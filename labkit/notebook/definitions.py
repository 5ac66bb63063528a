"""The lesson's three structs, as the C file defines them."""

from __future__ import annotations

from labkit.program.variants import BPF_TREE, STRUCTS
from labkit.show.excerpt import Excerpt


def struct_definitions() -> Excerpt:
    """Return the definitions in bpf/exec_event.h, with the sizes that the compiler checks there."""
    header = BPF_TREE / "exec_event.h"
    return Excerpt(header, rf"^struct {STRUCTS[0]} {{", "^#endif")
