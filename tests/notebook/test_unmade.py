"""A name that an earlier cell could not make is explained by that cell's error, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from labkit.notebook import unmade
from labkit.notebook.unmade import names_in, watch

NO_ROOT = (
    "from labkit.errors import MachineError\n"
    "def broken(): raise MachineError('no right', 'sudo ./lab')\n"
)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, list[str]]]:
    said: list[str] = []
    made: Any = InteractiveShell()
    monkeypatch.setattr(made, "_showtraceback", lambda _kind, _value, lines: said.append(lines))
    watch(made)
    made.run_cell(NO_ROOT, store_history=True)
    yield made, said
    InteractiveShell.clear_instance()


def run(shell: Any, *cells: str) -> list[str]:
    """Run cells; return what the last one showed of an error, as text."""
    made, said = shell
    for cell in cells:
        said.clear()
        made.run_cell(cell, store_history=True)
    return ["\n".join(lines) for lines in said]


def test_the_cell_that_failed_is_named_with_its_mend(shell: Any) -> None:
    (line,) = run(shell, "refused = broken()", "print(refused)")
    assert line.startswith("MachineError: the cell that makes `refused` could not: no right")
    assert "sudo ./lab" in line and "NameError" not in line


def test_what_needs_what_needs_it_gets_the_same_reason(shell: Any) -> None:
    (line,) = run(shell, "a, b = broken()", "c = b + 1", "for d in c: pass", "d")
    assert "`d`" in line and "no right" in line


def test_a_name_that_nobody_was_to_make_is_pythons_affair(shell: Any) -> None:
    (text,) = run(shell, "a = broken()", "never_heard_of")
    assert "NameError" in text and "no right" not in text


def test_once_it_is_made_it_is_forgotten(shell: Any) -> None:
    assert run(shell, "a = broken()", "a = 1", "a") == []
    (text,) = run(shell, "del a", "a")
    assert "NameError" in text


def test_an_old_value_is_not_lost_by_a_later_failure(shell: Any) -> None:
    assert run(shell, "a = 1", "a = broken()", "a") == []


def test_without_rights_any_error_says_that_this_may_be_why(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unmade, "powerless", lambda: True)
    (line,) = run(shell, "first = next(iter([]))")
    assert line.startswith("MachineError: StopIteration. This process may not load programs")
    (line,) = run(shell, "first")
    assert "the cell that makes `first` could not: StopIteration" in line
    monkeypatch.setattr(unmade, "powerless", lambda: False)
    (text,) = run(shell, "1 / 0")
    assert "ZeroDivisionError" in text and "may be why" not in text


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a, (b, c) = x", ["a", "b", "c"]),
        ("import one.two as three, four.five", ["three", "four"]),
        ("get_ipython().run_cell_magic('bpf', 'mine -D X', 'int f;')", ["mine"]),
        ("get_ipython().run_cell_magic('bpf', '-D X', 'int f;')", []),
        ("a.b = 1; c[0] = 2", []),
        ("not python", []),
    ],
)
def test_the_names_of_a_cell(source: str, names: list[str]) -> None:
    assert sorted(names_in(source)) == sorted(names)


def test_to_load_it_twice_watches_once(shell: Any) -> None:
    made, _said = shell
    before = len(made.events.callbacks["post_run_cell"])
    watch(made)
    assert len(made.events.callbacks["post_run_cell"]) == before
