"""C source in a cell, with its colours."""

from __future__ import annotations

from pathlib import Path

from IPython.display import Code

from labkit.show.style import Html, page, tag

# IPython's own colours reach the classic notebook alone. These are JupyterLab's, light or dark.
CSS = """
.lab-c pre { padding: 6px 8px; line-height: 1.35; font-size: 12px; overflow-x: auto;
  background: var(--jp-layout-color2, #f3f3f3) !important; }
.lab-c .k, .lab-c .kt { color: var(--jp-mirror-editor-keyword-color, #008000); }
.lab-c .c1, .lab-c .cm { color: var(--jp-mirror-editor-comment-color, #408080); }
.lab-c .cp, .lab-c .cpf { color: var(--jp-mirror-editor-meta-color, #7a3e9d); }
.lab-c .mi, .lab-c .mh { color: var(--jp-mirror-editor-number-color, #008800); }
.lab-c .s { color: var(--jp-mirror-editor-string-color, #ba2121); }
"""


class CSource(Code):
    """A file of C as it stands at this moment; its plain form is the text."""

    def __init__(self, path: Path) -> None:
        super().__init__(filename=str(path), language="c")  # type: ignore[no-untyped-call]
        self.path = path

    def _repr_html_(self) -> str:
        shown = super()._repr_html_()  # type: ignore[no-untyped-call]
        _style, _, lines = str(shown).partition("</style>")
        text = tag("div", Html(lines), class_="lab-c")
        return page(tag("style", Html(CSS)), tag("h4", self.path.name), text)
