"""labkit.check() as a table: what is there, what is missing, and the command that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from labkit.show.style import badge, folded, page, table, tag

_BADGES = {True: ("good", "ok"), False: ("bad", "missing"), None: ("none", "note")}


def check_html(rows: Sequence[Any]) -> str:
    """Return the checklist as HTML: what is lacking; all rows folded away.

    A row has ``name``, ``ok``, ``found`` and ``mend``.
    """
    lacking = [row for row in rows if row.ok is False]
    everything = folded(f"all that was tried: {len(rows)} rows", _table(rows, "all of it"))
    return page(_verdict(rows), _table(lacking, "what is lacking") if lacking else "", everything)


def _table(rows: Sequence[Any], caption: str) -> Markup:
    return table(["", "what", "found", "to mend it"], map(_cells, rows), caption)


def _verdict(rows: Sequence[Any]) -> Markup:
    missing = [row.name for row in rows if row.ok is False]
    if missing:
        words = f"missing: {', '.join(missing)}. Mend the rows marked ✘, then run this cell again."
        return tag("p", badge("bad", words), data_testid="check", data_ok="false")
    words = "this machine can run the whole lab"
    return tag("p", badge("good", words), data_testid="check", data_ok="true")


def _cells(row: Any) -> list[object]:
    kind, word = _BADGES[row.ok]
    mend = tag("code", row.mend) if row.mend else ""
    return [badge(kind, word), row.name, row.found, mend]
