"""What IPython shows of the values of other libraries: figures and tables that can be read aloud.

Neither JupyterLab nor nbconvert knows a text for an image/png, and pandas' tables have no scopes.
So figures that say what they show (labkit.plots.alt) and DataFrames get an HTML form of ours. A
table's caption is its ``attrs["caption"]``.
"""

from __future__ import annotations

import re
from typing import Any

from labkit.plots.alt import alt_text
from labkit.show.style import png_image, tag

_TYPES = {
    "figure": [("matplotlib.figure", "Figure")],
    # Under the module's name before pandas 3 and since.
    "table": [("pandas", "DataFrame"), ("pandas.core.frame", "DataFrame")],
    "styled": [("pandas.io.formats.style", "Styler")],
}
_EMPTY_HEAD = re.compile(r"<th\b([^>]*)>(?:&nbsp;|\s)*</th>")
_HEAD = re.compile(r"<th(?=[ >])(?![^>]*\bscope=)")


def register(shell: Any) -> None:
    """Have an IPython shell show figures and tables as this room does. Twice is as good as once."""
    html = shell.display_formatter.formatters["text/html"]
    shows = {"figure": figure_html, "table": table_html, "styled": styled_html}
    for kind, names in _TYPES.items():
        for module, name in names:
            html.for_type_by_name(module, name, shows[kind])


def register_here() -> None:
    """Do so in the shell that this runs in, if there is one."""
    from IPython import get_ipython

    if (shell := get_ipython()) is not None:
        register(shell)


def figure_html(figure: Any) -> str | None:
    """Return a figure as an image with its words; None where nobody said any."""
    from IPython.core.pylabtools import print_figure

    words = alt_text(figure)
    png = print_figure(figure, "png") if words else None  # type: ignore[no-untyped-call]
    return None if png is None else str(png_image(png, words))


def table_html(table: Any) -> str | None:
    """Return pandas' own HTML with scopes and, if the table has one, its caption."""
    html = table._repr_html_()
    return html if html is None else _scoped(html, table.attrs.get("caption", ""))


def styled_html(styler: Any) -> str | None:
    """Return a styled table the same way."""
    html = styler._repr_html_()
    caption = (
        "" if styler.caption else styler.data.attrs.get("caption", "")
    )  # pandas writes its own
    return html if html is None else _scoped(html, caption)


def _scoped(html: str, caption: str) -> str:
    head, body_tag, body = _EMPTY_HEAD.sub(r"<td\1></td>", html).partition("<tbody>")
    html = _HEAD.sub('<th scope="col"', head) + body_tag + _HEAD.sub('<th scope="row"', body)
    said = tag("caption", caption) if caption else ""
    return re.sub(r"(<table\b[^>]*>)", lambda match: match[1] + str(said), html, count=1)
