"""Names of a package that load their module when they are first used.

So that ``import labkit`` is quick, and a command of the terminal loads no more than it uses. In a
table, ``"name": "module"`` is what the module calls by that name, ``"name": "module:other"`` what
it calls ``other``. Standard library only, Python 3.9: the worker passes through here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any


def attribute(package: str, table: Mapping[str, str], name: str) -> Any:
    """Return what ``package.name`` stands for. Raises AttributeError, which names all of them."""
    if name not in table:
        raise AttributeError(f"{package} has no {name!r}; it has: {', '.join(table)}")
    module, _, called = table[name].partition(":")
    return getattr(import_module(module), called or name)
