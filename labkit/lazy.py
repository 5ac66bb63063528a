"""Names of a package that load their module when they are first used.

So that ``import labkit`` is quick, and a command of the terminal loads no more than it uses. A
table says which module has a name. Standard library only, Python 3.9: the worker passes through
here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any


def attribute(package: str, table: Mapping[str, str], name: str) -> Any:
    """Return what ``package.name`` stands for. Raises AttributeError, which names all of them."""
    if name not in table:
        raise AttributeError(f"{package} has no {name!r}; it has: {', '.join(table)}")
    return getattr(import_module(table[name]), name)
