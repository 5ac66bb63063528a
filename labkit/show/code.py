"""C source in a cell: the text in plain form, its words told apart in HTML."""

from __future__ import annotations

from pathlib import Path

from IPython.display import Code

from labkit.show.style import c_code, headline, page


class CSource(Code):
    """A file of C as it stands at this moment."""

    def __init__(self, path: Path) -> None:
        super().__init__(filename=str(path), language="c")  # type: ignore[no-untyped-call]

    def _repr_html_(self) -> str:
        return page(headline(Path(self.filename).name), c_code(self.data))
