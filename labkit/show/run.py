"""A Run as HTML: the account, CPU by CPU, and the first rows; or the refusal in place of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from labkit.show.report import report_html, versions
from labkit.show.style import badge, page, table, tag

if TYPE_CHECKING:
    from labkit.collecting.run import Run

FIRST_ROWS = 5
LONGEST_PATH = 60  # characters of a file name that are shown; the table has all of it
SHOWN = ("time", "cpu", "pid", "comm", "filename", "data_ok")
ACCOUNT = ("attempted", "submitted", "failed", "delivered")


def run_html(run: Run) -> str:
    """Return a run as HTML. A refused variant has no run: its report is shown in place of one."""
    if not run.attached:
        words = badge("none", "nothing was attached, so there is nothing to collect")
        return page(tag("p", words, data_testid="run-refused")) + report_html(run.report)
    return page(
        tag("p", summary(run)),
        _account_table(run),
        _first_rows(run),
        tag("p", versions(run.report), data_testid="versions"),
    )


def summary(run: Run) -> Markup:
    """Return what came of the run, in one line."""
    kind = "good" if run.balanced else "bad"
    facts = {"data_testid": "run-summary", "data_events": len(run)}
    return badge(kind, f"{len(run)} events in {run.seconds:.1f} s: {_judgement(run)}", **facts)


def _judgement(run: Run) -> str:
    if not run.complete:
        kept = f"; the events are kept in {run.file}" if run.file else ""
        return f"the worker died, so what was attempted and what failed is not known{kept}"
    if run.problem:
        missing = int((run.account.submitted - run.account.delivered).sum())
        return f"ended before its time ({run.problem}); {missing} events could not be written"
    if not run.balanced:
        return "the account does not balance, events are missing without a trace"
    ending = ", ended by an interrupt" if run.interrupted else ""
    lost = int(run.account.failed.sum())
    return (f"{lost} failed, each one counted" if lost else "none lost, each one counted") + ending


def _account_table(run: Run) -> Markup:
    """One row per CPU that saw something, and the sum."""
    if not len(run.account):
        return Markup("")
    busy = run.account[run.account.attempted > 0]
    rows = [[f"CPU {cpu}", *(int(row[name]) for name in ACCOUNT)] for cpu, row in busy.iterrows()]
    quiet = len(run.account) - len(busy)
    total = [int(run.account[name].sum()) for name in ACCOUNT]
    rows += [[f"{quiet} more, quiet", *"0000"]] if quiet and rows else []
    return table(["", *ACCOUNT], [*rows, ["all", *total]], "the account", data_testid="account")


def _first_rows(run: Run) -> Markup:
    if not len(run):
        return tag("p", "No exec happened while it was attached.")
    first = run.table[list(SHOWN)].head(FIRST_ROWS)
    first = first.assign(time=first.time.dt.strftime("%H:%M:%S.%f"))
    rows = [[_cell(*pair) for pair in row.items()] for row in first.to_dict("records")]
    more = len(run) - len(first)
    after = [tag("p", f"… and {more} rows more in .table")] if more else []
    head, caption = ["time (UTC)", *SHOWN[1:]], f"the first {len(rows)} events"
    shown = table(head, rows, caption, data_testid="first-rows")
    return Markup("".join([shown, *after]))


def _cell(name: object, value: object) -> Markup:
    """Only a path may be broken over lines: half a pid would be another pid."""
    if name != "filename":
        return tag("span", value, style="white-space: nowrap")
    path = str(value)
    return tag("span", path if len(path) <= LONGEST_PATH else f"{path[: LONGEST_PATH - 1]}…")
