"""``./lab render``: execute the notebooks here and write copies that read well without a kernel.

A hosting site shows no widgets and strips style sheets and scripts. So in a copy a widget is what
it showed at that moment: its text, its plain HTML and its picture. The first cell of a copy names
the kernel, the compiler and the day.
"""

from __future__ import annotations

import argparse
import base64
import datetime
import html
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit import cli, session
from labkit.errors import LabError

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
DOCS = ROOT / "docs"
CELL_LIMIT = 120  # seconds for one cell

# The README's pictures: whose output they are, by notebook and cell.
PICTURES = {
    "stack_frame.png": ("01_stack_limit.ipynb", "frame"),
    "events.png": ("02_percpu_array.ipynb", "collect"),
}
WIDGET = "application/vnd.jupyter.widget-view+json"
PICTURE = "image/png"
SHOWN = ("text/html", "image/png", "text/plain")  # what a copy keeps of an output

# A style sheet would be shown as text; a link that carries its file would be dead, and is large.
_STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL)
_IMAGE = re.compile(r'<img src="data:image/png;base64,([^"]*)" alt="([^"]*)">')
_DATA_LINK = re.compile(r"""<a\b[^>]*\bhref=["']data:.*?</a>""", re.DOTALL)


class RenderError(LabError):
    """A notebook did not run to its end."""


def render(folder: Path = DOCS, say: Callable[[str], object] = lambda _words: None) -> list[Path]:
    """Execute each notebook and write its copy, and the README's pictures; return the paths.

    ``say`` is called with a line for each step. Raises RenderError, which names the cell that
    failed; then nothing is written. Raises MachineError where no Python has bcc.
    """
    versions = session.shared().versions
    executed = {}
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        say(f"executing {path.name}")
        executed[path.name] = execute(path)
    files = {name: picture(executed[book], cell) for name, (book, cell) in PICTURES.items()}
    for name, notebook in executed.items():
        files[name] = _as_json(readable(notebook, name, versions))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        say(f"wrote {folder / name}")
    return [folder / name for name in files]


def execute(path: Path) -> NotebookNode:
    """Return the notebook with the outputs of this machine."""
    import nbformat
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from nbconvert.preprocessors import ExecutePreprocessor

    notebook = nbformat.read(path, as_version=4)
    quiet = ["--log-level=ERROR"]  # what the kernel logs for itself is no output of a cell
    executor = ExecutePreprocessor(timeout=CELL_LIMIT, record_timing=False, extra_arguments=quiet)
    try:
        executed, _ = executor.preprocess(notebook, {"metadata": {"path": str(path.parent)}})
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise RenderError(f"{path.name} did not run to its end: {error}") from error
    return executed


def readable(notebook: NotebookNode, name: str, versions: dict[str, str]) -> NotebookNode:
    """Return the copy: plain outputs, nothing of widgets, and a first cell that says what it is."""
    from nbformat import from_dict

    copy = from_dict(notebook)
    copy.metadata = {"kernelspec": copy.metadata.kernelspec}
    for cell in copy.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = list(_copies(cell.outputs))
    copy.cells.insert(0, _about(name, versions))
    return from_dict(copy)


def _about(name: str, versions: dict[str, str]) -> NotebookNode:
    from nbformat.v4 import new_markdown_cell

    day = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    text = (
        f"> **A copy for reading.** Executed by `./lab render` on {day} with"
        f" Linux {versions['kernel']} ({versions['machine']}), LLVM {versions['llvm']},"
        f" bcc {versions['bcc']}, Python {versions['python']}. Other versions may answer"
        f" differently: `sudo ./lab` opens [`notebooks/{name}`](../notebooks/{name}) live."
    )
    return new_markdown_cell(text, id="about-this-copy")


def _copies(outputs: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the outputs of a cell as those that a hosting site shows, each picture once."""
    words: dict[str, str] = {}
    for output in outputs:
        for png, alt in _IMAGE.findall(output.get("data", {}).get("text/html", "")):
            words[png] = html.unescape(alt)
    shown = set()
    for output in outputs:
        for plain in _plain(output, words):
            png = plain.get("data", {}).get(PICTURE)
            if png is None or png not in shown:
                yield plain
            shown.add(png)


def _plain(output: dict[str, Any], words: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield one output as those that a hosting site shows: HTML and its pictures are several.

    A picture in the HTML would be stripped there, for it carries itself. ``words`` say of a picture
    what it shows.
    """
    if "data" not in output:
        yield output
        return
    data = {kind: output["data"][kind] for kind in SHOWN if kind in output["data"]}
    text = data.pop("text/html", "")
    pictures = [png for png, _alt in _IMAGE.findall(text)]
    if PICTURE in data:
        own = data.pop(PICTURE).replace("\n", "")
        pictures = pictures or [own]
    text = _DATA_LINK.sub("", _STYLE.sub("", _IMAGE.sub("", text)))
    if text.strip():
        yield {**output, "metadata": {}, "data": {**data, "text/html": text}}
    elif not pictures:
        yield {**output, "metadata": {}, "data": data}
    for png in pictures:
        said = {"text/plain": words[png]} if png in words else {} if text.strip() else data
        about = {PICTURE: {"alt": words[png]}} if png in words else {}
        kept = {"output_type": "display_data", "metadata": about, "data": {PICTURE: png, **said}}
        yield kept


def picture(notebook: NotebookNode, cell_id: str) -> bytes:
    """Return the PNG among the outputs of a cell. Raises RenderError where there is none."""
    for cell in notebook.cells:
        if cell.id == cell_id:
            for output in cell.outputs:
                if PICTURE in output.get("data", {}):
                    return base64.b64decode(output["data"][PICTURE])
    raise RenderError(f"no cell {cell_id!r} with a picture")


def _as_json(notebook: NotebookNode) -> bytes:
    import nbformat

    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook)
    return f"{text}\n".encode()


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status."""
    parser = argparse.ArgumentParser(
        prog="./lab render",
        description="Execute the notebooks here and write copies to docs/.",
        epilog="example: sudo ./lab render",
    )
    parser.parse_args(words)
    return cli.exit_status(_render_to_docs)


def _render_to_docs() -> int:
    written = render(say=lambda words: print(words, file=sys.stderr, flush=True))
    print("\n".join(map(str, written)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
