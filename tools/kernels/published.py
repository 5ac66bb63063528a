"""docs/kernels.md, .csv, .png and docs/kernels/*.json: written here from what was brought back."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from labkit import survey
from tools.kernels.trying import DISTRIBUTIONS, Found

DOCS = Path(__file__).resolve().parents[2] / "docs"
HEAD = """# The same lab on each kernel

Written by `sudo ./lab kernels` on {day}; do not edit. Debian's own kernel packages, each booted
under QEMU on a root file system of Debian 12 (bcc 0.26, LLVM 14); and, on one kernel, the bcc and
LLVM of several releases of Debian (`sudo ./lab kernels --distributions`). In each the lab made its
record (`./lab record`): every program of `bpf/`, the limits, the claims, and a short collection of
real execs. What a cell tells was tried; a claim that takes a load was left out where its cell says
*not tried* (`--claims all` measures it). A kernel that could not be had is a row that says why.

![Program by machine](kernels.png)

"""
FOLDER = DOCS / "kernels"


def keep(found: Found) -> Path:
    """Write one record into docs/kernels; return its file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{found.tried.name}.json"
    path.write_text(found.written())
    return path


def in_short(found: Found) -> str:
    """Return what came of it, in a line."""
    record = found.record
    if record.get("problem"):
        return f"nothing: {record['problem']}"
    odd = [one["name"] for one in record["programs"] if one.get("agrees") is False]
    same = f"not as declared: {', '.join(odd)}" if odd else "all as declared"
    return f"{len(record['programs'])} programs, {same}"


def _order(path: Path) -> tuple[int, list[float], str]:
    """Kernels by their series, experimental's last, then distributions."""
    if path.stem in DISTRIBUTIONS:
        return 2, [], path.stem
    numbers = [float(word) for word in path.stem.split(".") if word.isdigit()]
    return (0, numbers, "") if numbers else (1, [], path.stem)


def files() -> list[Path]:
    """Return the published records' files in the order of the table."""
    return sorted(FOLDER.glob("*.json"), key=_order)


def boots(rows: Iterable[dict[str, Any]]) -> str:
    """Return the table of how each record came about, as Markdown."""
    lines = [
        "## How each was tried",
        "",
        "| | kernel | packages | how | CPUs | seconds |",
        "|---|---|---|---|---:|---:|",
    ]
    for row in rows:
        tried = row["tried"]
        kernel = row["machine"]["kernel"] if not row.get("problem") else row["problem"]
        cells = [tried["name"], kernel, "<br>".join(tried["packages"]), tried["how"]]
        figures = [tried["cpus"] or "", f"{tried['seconds']:.0f}" if tried["seconds"] else ""]
        lines.append("| " + " | ".join(map(str, [*cells, *figures])) + " |")
    return "\n".join([*lines, ""])


def write() -> str:
    """Write the three documents from all records in docs/kernels; say which."""
    paths = files()
    compared = survey.Comparison(survey.open_records(paths))
    day = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    rows = [json.loads(path.read_text()) for path in paths]
    text = HEAD.format(day=day) + compared.to_markdown() + "\n" + boots(rows)
    (DOCS / "kernels.md").write_text(text)
    compared.to_csv(DOCS / "kernels.csv")
    compared.save_picture(DOCS / "kernels.png")
    return f"wrote {DOCS}/kernels.md, .csv, .png, from {len(paths)} records"
