"""The variables on a program's stack as a table: who takes how many bytes, and their sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.show.style import page, table, tag

if TYPE_CHECKING:
    from labkit.stack.variables import StackVariables


def stack_variables_html(variables: StackVariables) -> str:
    """Return one row a variable, the largest first, and how the sum compares with the limit."""
    rows = [
        [one.name, one.type, one.bytes, "" if one.line is None else one.line]
        for one in variables.variables
    ]
    rows.append(["all", "", variables.sum.strip(), ""])
    return page(
        table(
            ["variable", "type", "bytes", "line"],
            rows,
            "what takes the stack",
            data_testid="stack-variables",
        ),
        tag("p", tag("small", f"found by {variables.found}")),
    )
