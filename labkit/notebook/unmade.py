"""A cell that needs what an earlier one could not make says why, in a line, and not "NameError".

On a machine that cannot load programs one cell stops, and every cell below would then complain of
names; or of an empty list, a division by no time. ``%load_ext labkit.magic`` starts the watch.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from typing import Any

from labkit.errors import LabError, MachineError
from labkit.machine import rights


class Unmade:
    """The names that cells were to make and did not, each with the error that was the first."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.reasons: dict[str, LabError] = {}

    def after_cell(self, result: Any) -> None:
        """Take note of the names of a cell that failed; forget those of one that did not."""
        reason = self.reason_of(result.error_in_exec)
        for name in names_in(self.shell.transform_cell(result.info.raw_cell or "")):
            if reason is None:
                self.reasons.pop(name, None)
            elif name not in self.shell.user_ns:
                self.reasons[name] = reason

    def reason_of(self, error: object) -> LabError | None:
        """Return what a cell failed of: of ours, of an earlier cell's, or of the lack of rights."""
        if isinstance(error, LabError):
            return error
        if isinstance(error, NameError):
            return self.reasons.get(str(error.name))
        if isinstance(error, Exception) and powerless():
            words = f"{type(error).__name__}: {error}".rstrip(": ")
            reason = f"{words}. This process may not load programs, which may be why"
            return MachineError(reason, rights.mend())
        return None

    def show(self, shell: Any, kind: Any, error: Any, trace: Any, tb_offset: Any = None) -> Any:
        """Show an error: in a line where the reason lies elsewhere, else as IPython does."""
        reason = self.reason_of(error)
        if reason is None or reason is error:
            return shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        missing = isinstance(error, NameError)
        words = f"the cell that makes `{error.name}` could not: {reason}" if missing else reason
        lines = [f"{type(reason).__name__}: {words}"]
        shell._showtraceback(type(reason), words, lines)
        return lines


def powerless() -> bool:
    """Whether neither this process nor a Python of its choice (SECURITY.md) may load programs."""
    return not rights.may_load() and "LABKIT_BCC_PYTHON" not in os.environ


def names_in(source: str) -> Iterator[str]:
    """Yield the names that a cell's Python binds, and what ``%%bpf NAME`` names."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.Call):
            yield from _of_magic(node)


def _of_magic(call: ast.Call) -> Iterator[str]:
    """Yield NAME of ``get_ipython().run_cell_magic('bpf', 'NAME …', …)``: so IPython writes it."""
    if getattr(call.func, "attr", "") == "run_cell_magic" and len(call.args) > 1:
        magic, line = (getattr(one, "value", None) for one in call.args[:2])
        first = str(line or "").partition(" ")[0]
        if magic == "bpf" and first.isidentifier():
            yield first


def watch(shell: Any) -> None:
    """Watch an IPython shell's cells. A second call starts afresh."""
    unmade = Unmade(shell)
    for old in [one for one in shell.events.callbacks["post_run_cell"] if _is_ours(one)]:
        shell.events.unregister("post_run_cell", old)
    shell.events.register("post_run_cell", unmade.after_cell)
    shell.set_custom_exc((Exception,), unmade.show)


def _is_ours(callback: Any) -> bool:
    return isinstance(getattr(callback, "__self__", None), Unmade)
