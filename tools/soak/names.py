"""A hundred hostile names, exec'd by real processes, through all that shows or keeps them."""

from __future__ import annotations

import csv
import io
import os
import platform
import random
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import labkit
from labkit import plots
from labkit.claims import minimal_elf
from labkit.collecting.records import raw_bytes
from labkit.collecting.run import Run
from labkit.show import terminal

COUNT = 100
# Controls, formats, surrogates, separators of lines and of paragraphs; as Unicode sorts them.
ACTED_ON = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Formats that are seen and do nothing: they enclose numbers (Prepended_Concatenation_Mark).
SEEN = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
LONGEST_NAME, LONGEST_PATH = 255, 4095  # bytes, without the NUL (linux/limits.h)

# What markup, terminals, spreadsheets, shells, templates and mathematics act on.
PIECES = (
    *(
        b"<script>alert(1)</script>",
        b"<img src=x onerror=alert(1)>",
        b"</td></table>",
        b"&lt;&#60;",
    ),
    *(b"\"'><svg onload=1>", b"<!--", b"]]>", b"\x1b[31m", b"\x1b]0;title\x07", b"\x9b2J", b"\r\n"),
    *(b"=1+1", b"+cmd", b"-2", b"@SUM(1)", b"=HYPERLINK(1)", b"\t=2", b";=3", b",", b'"', b"'"),
    *(b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xef\xbb\xbf"),
    *(
        b"$x^2$",
        b"$\\frac{1}{",
        b"$",
        b"\\",
        b"\\x3d",
        b"{0}",
        b"%s%n",
        b"${HOME}",
        b"`id`",
        b"_^_",
    ),
    *(
        b"\x01\x02",
        b"\x7f",
        b"\x08\x08",
        b"\xf0\x9f\x92\xa9",
        b"\xcc\x81" * 4,
        b"NaN",
        b"NULL",
        b" ",
    ),
)


def some(chance: random.Random, count: int = COUNT) -> list[bytes]:
    """Return names for files: each piece alone, then mixtures, some as long as can be."""
    made = [piece.replace(b"/", b"|")[:LONGEST_NAME] for piece in PIECES]
    while len(made) < count:
        mixed = b"".join(chance.choices(PIECES, k=chance.choice([2, 3, 40])))
        random_bytes = bytes(chance.randrange(1, 256) for _ in range(chance.randrange(1, 200)))
        name = chance.choice([mixed, random_bytes]).replace(b"/", b"|")[:LONGEST_NAME]
        made.append(name)
    return [name for name in dict.fromkeys(made) if name not in (b".", b"..")][:count]


class Strangers:
    """A load: it execs a program by each of those names, and one by the longest of paths."""

    def __init__(self, names: list[bytes]) -> None:
        self.names = names
        self.paths: list[bytes] = []

    def start(self) -> None:
        """Exec them all. It takes no time to speak of."""
        with tempfile.TemporaryDirectory(prefix="labkit-soak-") as folder:
            program = os.path.join(os.fsencode(folder), b"program")
            Path(os.fsdecode(program)).write_bytes(minimal_elf.image(platform.machine()))
            os.chmod(program, 0o755)
            links = [os.path.join(os.fsencode(folder), b"l", name) for name in self.names]
            os.mkdir(os.path.join(folder, "l"))
            for link in links:
                os.symlink(program, link)
            fill = LONGEST_PATH - len(os.fsencode(folder)) - len(b"/program")
            self.paths = [*links, os.fsencode(folder) + b"/" * fill + b"/program"]
            for path in self.paths:
                os.waitpid(os.posix_spawn(path, [path], {}), 0)

    def stop(self) -> None:
        """Nothing runs any more."""


class Tags(HTMLParser):
    """Counts the elements of a page, and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of one."""
        self.found.update([tag, *(f"{tag} {name}" for name, _ in attrs)])


def hostile_names(chance: random.Random) -> list[str]:
    """Collect them, and see them through HTML, plots, CSV, Parquet and terminal."""
    strangers = Strangers(some(chance))
    run = labkit.collect("percpu", seconds=2, workload=strangers)
    rows = [raw_bytes(text) for text in run.table.filename]
    cut = max(map(len, rows), default=0)
    missing = [path for path in strangers.paths if path[:cut] not in rows]
    faults = [f"{len(missing)} of them did not arrive: {missing[:3]!r}"] if missing else []
    if not run.balanced:
        faults.append("the account does not balance")
    for check in (_html, _plots, _csv, _parquet, _terminal):
        faults += [f"{check.__name__[1:]}: {fault}" for fault in check(run)]
    return faults


def _innocent(run: Run) -> Run:
    """Return the same run with names that are plain letters."""
    from dataclasses import replace

    records = run.records.copy()
    records["comm"] = b"plain"
    records["data"][:, 16:] = 0
    records["data"][:, 16:21] = ord("x")
    return replace(run, records=records)


def _html(run: Run) -> list[str]:
    """Look for an element or an attribute that a name adds to a page."""
    extra = Tags(run._repr_html_()).found - Tags(_innocent(run)._repr_html_()).found
    frame = run.table.tail(40).to_html()  # pandas' own, of the texts that the lab hands out
    bad = [name for name in ("script", "img", "svg") if Tags(frame).found[name]]
    return [f"elements that were not meant: {dict(extra)} {bad}"] if extra or bad else []


def _plots(run: Run) -> list[str]:
    """Draw every picture of the events."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    drawn: list[Callable[[Run], object]] = [plots.busiest, plots.timeline]
    faults = []
    for plot in [*drawn, plots.events_per_cpu, plots.rate]:
        try:
            plot(run)
            pyplot.savefig(io.BytesIO(), format="png")
        except Exception as error:
            faults.append(f"{plot.__name__}: {type(error).__name__}: {error}")
        finally:
            pyplot.close("all")
    return faults


def _csv(run: Run) -> list[str]:
    """Write a CSV: it reads back to the same; no cell of it begins a formula or breaks a line."""
    with tempfile.TemporaryDirectory(prefix="labkit-soak-") as folder:
        path = labkit.export_csv(run, Path(folder, "run.csv"))
        same = labkit.read_csv(path).equals(run.table)
        text = path.read_text("utf-8")
    cells = [row[3:5] for row in csv.reader(io.StringIO(text, newline=""))]
    wrong = [c for row in cells for c in row if c[:1] in tuple("=+-@＝＋－＠\t\r") and c]
    faults = [] if same else ["it does not read back to the same"]
    if len(text.splitlines()) != len(run) + 1:
        faults.append("a name breaks a line")
    return faults + ([f"cells that begin a formula: {wrong[:3]!r}"] if wrong else [])


def _parquet(run: Run) -> list[str]:
    """Write a Parquet file: it reads back to the same."""
    import pandas as pd

    with tempfile.TemporaryDirectory(prefix="labkit-soak-") as folder:
        path = labkit.export_parquet(run, Path(folder, "run.parquet"))
        same = pd.read_parquet(path).equals(run.table)
    return [] if same else ["it does not read back to the same"]


def _terminal(run: Run) -> list[str]:
    """Print the events: no line has a character that a terminal acts on."""
    lines = "".join(terminal.event_lines(run.records)).splitlines()
    wrong = [line for line in lines if ACTED_ON & set(map(unicodedata.category, {*line} - SEEN))]
    faults = [f"{wrong[0]!r} and {len(wrong) - 1} more"] if wrong else []
    return faults if len(lines) == len(run) else [*faults, "not a line an event"]
