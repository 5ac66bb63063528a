"""The small building blocks of the lab's HTML. All that comes from elsewhere passes escaped.

Colours come from JupyterLab's theme, with a fall-back for other readers. Where a reader strips
the style sheet, as hosting sites do, signs, words and plain tables still tell the whole story.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from markupsafe import Markup, escape

CSS = """
.lab { color: var(--jp-content-font-color1, CanvasText); font-size: 13px; line-height: 1.45;
  max-width: 1120px; }
.lab p.lab-title { margin: .6em 0 .3em; font-weight: 700; }
.lab a { color: var(--jp-content-link-color, #1565c0); text-decoration: underline; }
.lab p { margin: .35em 0; }
.lab pre { font-family: var(--jp-code-font-family, monospace); }
.lab table.lab-table { border-collapse: collapse; margin: .4em 0; font-size: 13px; }
.lab table.lab-table td, .lab table.lab-table th { text-align: left; vertical-align: top;
  padding: 3px 10px; border-bottom: 1px solid var(--jp-border-color2, #bbb);
  white-space: normal; max-width: 46em; overflow-wrap: anywhere; }
.lab table.lab-table th { white-space: nowrap; }
.lab table.lab-table th[scope=row] { font-weight: inherit; }
.lab caption { caption-side: top; text-align: left; padding: 3px 0; font-weight: 600;
  color: var(--jp-content-font-color1, CanvasText); }
.lab-scroll { overflow-x: auto; }
.lab img { max-width: 100%; }
.lab-badge { display: inline-block; padding: 1px 9px; border-radius: 9px; font-weight: 600;
  border: 1.5px solid currentColor; }
.lab-good { color: var(--jp-success-color1, #1a7f37); }
.lab-bad { color: var(--jp-error-color1, #c62828); }
.lab-none { color: var(--jp-content-font-color2, #666); }
.lab pre.lab-log, .lab .highlight pre { margin: 0; padding: 6px 8px; overflow-x: auto;
  line-height: 1.35; font-family: var(--jp-code-font-family, monospace); font-size: 12px;
  white-space: pre-wrap;
  overflow-wrap: anywhere; word-break: normal; color: var(--jp-content-font-color1, #111);
  background: var(--jp-layout-color2, #f3f3f3) !important; }
.lab .highlight { background: none; }
.lab .highlight .k, .lab .highlight .kt { color: var(--jp-mirror-editor-keyword-color, #7928a1);
  font-weight: 600; }
.lab .highlight .c1, .lab .highlight .cm { color: var(--jp-content-font-color2, #6a737d);
  font-style: italic; }
.lab .highlight .cp, .lab .highlight .cpf {
  color: var(--jp-mirror-editor-operator-color, #0072b2); }
.lab .highlight .s { color: var(--jp-mirror-editor-string-color, #a31515); }
.lab mark { color: inherit; font-weight: 700; background: var(--jp-error-color3, #ffcdd2); }
[data-jp-theme-light="false"] .lab mark { background: var(--jp-error-color0, #8b1a1a); }
.lab details { margin: 2px 0; }
.lab summary { cursor: pointer; color: var(--jp-content-link-color, #1565c0); }
.lab table.lab-code { border-collapse: collapse; width: 100%; table-layout: fixed; }
.lab table.lab-code td { font-family: var(--jp-code-font-family, monospace); font-size: 11.5px;
  line-height: 1.35; padding: 0 4px; text-align: left; vertical-align: top; border: 0;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.lab table.lab-code th { text-align: left !important; padding: 2px 4px; font-size: 13px; }
.lab table.lab-code tr { background: none !important; }
.lab table.lab-code td.lab-number { width: 2.2em; text-align: right; opacity: .65; }
.lab table.lab-code td.lab-sign { width: 1em; font-weight: 700; }
.lab td.lab-del { background: var(--jp-error-color3, #ffcdd2); }
.lab td.lab-add { background: var(--jp-success-color3, #c8e6c9); }
[data-jp-theme-light="false"] .lab td.lab-del { background: #5c1f1f; color: #fff; }
[data-jp-theme-light="false"] .lab td.lab-add { background: #1c4a24; color: #fff; }
"""

# kind → sign; the word is the caller's. The sign and the word tell without the colour.
SIGNS = {"good": "✔", "bad": "✘", "none": "–"}


def join(parts: Iterable[object], between: str = "") -> Markup:
    """Put parts one after the other, each escaped unless it is Markup."""
    return Markup(between).join(map(escape, parts))


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """Return an element. ``class_`` stands for class and ``data_testid`` for data-testid."""
    words = join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, words, join(content))


def page(*content: object, **attributes: object) -> str:
    """Wrap the parts of one output, with the style sheet.

    It is a plain str: this leaves the lab, and whoever adds to Markup would have it escaped. Keys
    pressed in it are its own: without the mark, JupyterLab would move on to another cell.
    """
    inside = tag("div", *content, class_="lab", data_lm_suppress_shortcuts="true", **attributes)
    return f"<style>{CSS}</style>{inside}"


def headline(*words: object) -> Markup:
    """Return what a part of an output is called. No heading: those are the notebook's own."""
    return tag("p", *words, class_="lab-title")


def badge(kind: str, words: object, **attributes: object) -> Markup:
    """Return a verdict: a sign, words and, where it can be seen, a colour."""
    text = join([SIGNS[kind], " ", words])
    return tag("span", text, class_=f"lab-badge lab-{kind}", **attributes)


def log_lines(*content: object) -> Markup:
    """Return preformatted text: lines of a log or of a source."""
    return tag("pre", *content, class_="lab-log")


def c_code(text: str) -> Markup:
    """Return C with its words told apart, in the colours of JupyterLab's own editor."""
    from IPython import display

    shown: Any = display.Code(text, language="c")  # type: ignore[no-untyped-call]
    _colours_for_white_paper, _, code = shown._repr_html_().partition("</style>")
    return Markup(code)


def folded(summary: object, *content: object, shown: bool = False) -> Markup:
    """Return content that opens by a click on its summary."""
    return tag("details", tag("summary", summary), *content, open="" if shown else None)


def png_image(png: bytes, words: object) -> Markup:
    """Return a picture that carries itself, and what it shows in words."""
    data = base64.b64encode(png).decode()
    return Markup('<img src="data:image/png;base64,{}" alt="{}">').format(data, words)


def table(
    head: Sequence[object],
    rows: Iterable[Sequence[object]],
    caption: object = "",
    **attributes: object,
) -> Markup:
    """Return a table; each cell is escaped unless it is Markup.

    Without a ``head`` the first cell of a row says what the row is of.
    """
    top = tag("thead", tag("tr", *map(_head_cell, head))) if head else ""
    body = (tag("tr", *_body_cells(row, named=not head)) for row in rows)
    said = tag("caption", caption) if caption else ""
    return tag("table", said, top, tag("tbody", *body), class_="lab-table", **attributes)


def _head_cell(cell: object) -> Markup:
    return tag("th", cell, scope="col") if cell else tag("td")


def _body_cells(row: Sequence[object], *, named: bool) -> Iterator[Markup]:
    for place, cell in enumerate(row):
        yield tag("th", cell, scope="row") if named and place == 0 else tag("td", cell)


def prose(text: str) -> Markup:
    """Return plain sentences as HTML; what stands between backticks becomes code."""
    parts = text.split("`")
    return join(tag("code", part) if place % 2 else part for place, part in enumerate(parts))


def download(name: str, data: bytes, words: object, kind: str = "text/plain") -> Markup:
    """Return a link that saves data, which it carries in itself, under a name."""
    address = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return tag("a", words, download=name, href=address)
