from __future__ import annotations

import base64
import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit
from labkit import results, show
from labkit.building.report import (
    ACCEPTED,
    COMPILER_REFUSED,
    HOST_REFUSED,
    OUTCOMES,
    VERIFIER_REFUSED,
    WORKER_DIED,
    BuildReport,
    Gate,
)
from labkit.checklist import Checklist, Row
from labkit.show import style
from labkit.show.log import log_html

STACK_ERROR = (
    "error: exec_events.c:28:19: in function f i32 (i8*): Looks like the BPF stack limit of 512"
    " bytes is exceeded. Please move large on stack variables into BPF per-cpu array map.\n"
)
REFUSAL = (
    "func#0 @0\n0: R1=ctx() R10=fp0\n; struct a b = {}; @ x.c:3\n0: (b7) r2 = 1\n"
    "1: (7b) *(u64 *)(r10 -520) = r2\ninvalid write to stack R10 off=-520 size=8\n"
    "verification time 58 usec\nstack depth 0\n"
    "processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0\n"
)
HOSTILE = "<script>alert('x')</script>\"&<img src=x onerror=alert(1)>"


def made(outcome: str, **changes: Any) -> BuildReport:
    gates = {
        ACCEPTED: (Gate("compiler", True, 0.2), Gate("verifier", True, 0.001)),
        COMPILER_REFUSED: (Gate("compiler", False, 0.2), Gate("verifier")),
        VERIFIER_REFUSED: (Gate("compiler", True, 0.2), Gate("verifier", False, 0.001)),
    }.get(outcome, (Gate("compiler"), Gate("verifier")))
    report = BuildReport(
        variant="some",
        outcome=outcome,
        gates=gates,
        compiler_log=STACK_ERROR if outcome == COMPILER_REFUSED else "",
        verifier_text=REFUSAL if outcome == VERIFIER_REFUSED else "",
        how_lifted=None,
        versions={"kernel": "6.1.0", "llvm": "14", "bcc": "0.26.0", "python": "3.11.2"},
    )
    return replace(report, **changes)


def body(page: str) -> str:
    return re.sub(r"<style>.*?</style>", "", page, flags=re.S)


def marked(page: str) -> list[str]:
    found = re.findall(r"<mark[^>]*>(.*?)</mark>", page, flags=re.S)
    return [html.unescape(text) for text in found]


class Balance(HTMLParser):
    """Fails on an element that is closed out of turn or never."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)
        if tag != "col":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def balanced(page: str) -> set[str]:
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    return parser.seen


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_report_tells_its_outcome_and_what_became_of_each_gate(outcome):
    page = show.report_html(made(outcome))
    balanced(page)
    assert f'data-outcome="{outcome}"' in page
    assert OUTCOMES[outcome] in html.unescape(page)
    said = re.findall(r'data-testid="gate-(\w+)" data-passed="(\w+)"', page)
    words = {True: "yes", False: "no", None: "never"}
    assert said == [(gate.name, words[gate.passed]) for gate in made(outcome).gates]


def test_the_versions_stand_beside_the_verdict():
    page = show.report_html(made(ACCEPTED))
    assert all(words in page for words in ("Linux 6.1.0", "LLVM 14", "bcc 0.26.0", "Python 3.11.2"))


def test_the_line_that_matters_is_marked():
    assert marked(show.report_html(made(COMPILER_REFUSED))) == [f"▶ {STACK_ERROR.strip()}"]
    (verifier,) = marked(show.report_html(made(VERIFIER_REFUSED)))
    assert verifier == "▶ invalid write to stack R10 off=-520 size=8"


def test_an_accepted_report_marks_nothing():
    assert marked(show.report_html(made(ACCEPTED, verifier_text=REFUSAL))) == []


def test_verdicts_do_not_need_colour():
    for outcome in OUTCOMES:
        text = re.sub(r"<[^>]*>", " ", body(show.report_html(made(outcome))))
        assert ("✔ some" in text) == (outcome == ACCEPTED)
        assert ("✘ some" in text) == (outcome != ACCEPTED)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_comes_from_strangers_is_escaped(outcome):
    report = made(
        outcome,
        variant=HOSTILE,
        compiler_log=f"{HOSTILE}.c:1:1: error: {HOSTILE}\n{HOSTILE}\n",
        verifier_text=f"; {HOSTILE} @ {HOSTILE}.c:3\n{REFUSAL}{HOSTILE}\n",
        how_lifted=HOSTILE,
        reason=HOSTILE,
        notes=(HOSTILE,),
        versions={"kernel": HOSTILE, "llvm": HOSTILE},
        source=HOSTILE,
        file_name=HOSTILE,
    )
    elements = balanced(show.report_html(report))
    assert not elements & {"script", "img"}
    assert HOSTILE in html.unescape(show.report_html(report))


def text_of(page: str) -> str:
    """The log's own lines, as a page shows them, in order."""
    found = re.findall(r'<pre class="lab-log">(.*?)</pre>', page, flags=re.S)
    return html.unescape(re.sub(r"<[^>]*>", "", "".join(found)))


@given(st.lists(st.text("abc<&; \t", max_size=20), min_size=1, max_size=60), st.data())
def test_no_line_of_a_log_is_lost(lines, data):
    text = "\n".join([*lines, "end"])
    number = data.draw(st.integers(0, len(lines)))
    shown = text_of(log_html("log", text, number, "x.log"))
    assert re.sub(r"(?m)^(  |▶ )", "", shown).split() == text.split()
    assert marked(log_html("log", text, number, "x.log")) == [f"▶ {text.split(chr(10))[number]}"]


def test_the_download_holds_the_log_byte_for_byte():
    text = "α\n\udcff broken\n" + HOSTILE
    page = log_html("log", text, 0, "x.log")
    carried = re.search(r'download="x.log" href="data:text/plain;base64,([^"]*)"', page)
    assert carried
    assert base64.b64decode(carried[1]) == text.encode("utf-8", "surrogateescape")


@pytest.fixture
def results_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def test_a_log_of_16_megabytes_does_not_swamp_the_page():
    lines = [f"{n}: (b7) r1 = {n}  ; R1={'x' * 60}" for n in range(190_000)]
    lines[170_000] = "invalid write to stack R10 off=-520 size=8"
    text = "\n".join(lines)
    assert len(text) > 15 << 20
    page = log_html("log", text, 170_000, "big.log")
    assert len(page) < 1 << 20
    assert marked(page) == ["▶ invalid write to stack R10 off=-520 size=8"]
    assert "report.save_logs()" in page


def test_to_show_a_report_writes_nothing(results_folder):
    report = made(VERIFIER_REFUSED, verifier_text=REFUSAL + "x" * 3_000_000)
    assert "report.save_logs()" in report._repr_html_()
    assert not results_folder.exists()


def test_saved_logs_are_whole_and_never_written_over(results_folder):
    first = made(VERIFIER_REFUSED, verifier_text="α\n\udcff broken\n", compiler_log="warning\n")
    assert [path.name for path in first.save_logs()] == ["some-compiler.log", "some-verifier.log"]
    later = made(VERIFIER_REFUSED, verifier_text="later\n").save_logs()
    assert [path.name for path in later] == ["some-verifier-2.log"]
    assert (results_folder / "some-verifier.log").read_bytes() == b"\xce\xb1\n\xff broken\n"
    assert later[0].read_text() == "later\n"
    assert made(ACCEPTED).save_logs() == []


def test_a_name_cannot_leave_the_results_folder(results_folder):
    (path,) = made(VERIFIER_REFUSED, variant="../../etc/x y").save_logs()
    assert path.parent == results_folder
    assert path.name == "..-..-etc-x-y-verifier.log"


def test_logs_that_cannot_be_saved_are_not_lost(results_folder):
    results_folder.write_text("a file where the folder should be")
    report = made(VERIFIER_REFUSED)
    with pytest.raises(labkit.UsageError, match="Nothing is lost"):
        report.save_logs()


def test_lines_that_are_not_on_the_page_are_named_exactly():
    lines = [f"line-{n:06}-{'x' * 80}" for n in range(1, 60_001)]
    page = log_html("log", "\n".join(lines), 50_000, "big.log")
    shown = {int(n) for n in re.findall(r"line-(\d{6})-", page)}
    gaps = re.findall(r"lines ([\d,]+)–([\d,]+) are not on this page", page)
    missing = set()
    for first, last in gaps:
        missing |= set(range(int(first.replace(",", "")), int(last.replace(",", "")) + 1))
    assert missing
    assert shown | missing == set(range(1, 60_001))
    assert not shown & missing


def test_one_endless_line_is_shortened_and_says_so():
    page = log_html("log", "x" * 3_000_000, 0, "long.log")
    assert len(page) < 100_000
    assert "2,996,000 more characters" in page


def test_backticks_become_code_and_nothing_else():
    assert style.prose("move `a<b` out") == "move <code>a&lt;b</code> out"


def test_the_checklist_shows_what_is_missing_and_how_to_mend_it():
    rows = [Row("kernel", None, "Linux 6"), Row("bcc", False, HOSTILE, "apt-get <bcc>")]
    page = show.check_html(Checklist(rows))
    assert 'data-ok="false"' in page
    assert "missing: bcc" in page
    assert "<code>apt-get &lt;bcc&gt;</code>" in page
    assert "script" not in balanced(page)
    open_part, folded = page.split("<details", 1)
    assert "apt-get" in open_part and "Linux 6" not in open_part
    assert "Linux 6" in folded and "apt-get" in folded
    able = show.check_html(Checklist(rows[:1]))
    assert 'data-ok="true"' in able
    assert "<table" not in able.split("<details", 1)[0]


def test_both_sides_are_read_from_the_file():
    both = show.side_by_side("stack", "percpu")
    lines = both.left.text.splitlines()
    for pair in both.pairs:
        for line in (pair.left, pair.right):
            assert line is None or lines[line.number - 1] == line.text
        if not pair.differs:
            assert pair.left == pair.right


def test_only_the_allocation_differs():
    left, right = show.side_by_side("stack", "percpu").differing
    assert sum("_object" in line for line in left) == len(left)
    assert sum("lookup" in line for line in right) == 3
    assert not any("fill_" in line or "ringbuf_output" in line for line in (*left, *right))


def test_differing_lines_have_a_sign_and_not_only_a_colour():
    both = show.side_by_side("stack", "percpu")
    page = both._repr_html_()
    balanced(page)
    left, right = both.differing
    assert page.count(">−</td>") == len(left)
    assert page.count(">+</td>") == len(right)
    assert repr(both).count("\n-\t") == len(left)


@pytest.mark.live
def test_a_lifted_check_is_shown_as_it_is_lifted_here():
    both = show.side_by_side("stack", "stack_lifted")
    how = labkit.build("stack_lifted").how_lifted
    assert how and both.how_lifted == how
    left, right = both.differing
    carved = "CARVE_FROM_FRAME_POINTER" in how
    assert bool(left) == bool(right) == carved
    assert sum("CARVE(" in line for line in right) == (3 if carved else 0)
    page = both._repr_html_()
    balanced(page)
    assert how in page
    assert repr(both).endswith(how)


def test_a_check_that_nothing_lifted_is_not_said_to_be(monkeypatch):
    report = labkit.building.report.BuildReport
    refused = report("stack_lifted", "host_refused", (), "", "", None, {}, reason="no rights")
    monkeypatch.setattr(show.sources, "build", lambda _variant: refused)
    assert "not known, nothing was compiled: no rights" in repr(
        show.side_by_side("stack", "stack_lifted")
    )


def test_a_variant_that_does_not_exist_is_named():
    with pytest.raises(labkit.UsageError, match="no variant"):
        show.side_by_side("stack", "none")


def test_reports_that_ended_badly_tell_the_reason():
    for outcome in (HOST_REFUSED, WORKER_DIED):
        assert "out of luck" in show.report_html(made(outcome, reason="out of luck"))


def test_what_the_lab_found_itself_is_said_once():
    found = "there is no program here; to mend it: write a function"
    page = show.report_html(made(COMPILER_REFUSED, reason=found))
    assert page.count("there is no program here") == 1
    assert page.count("write a function") == 1
