"""The stack drawn: what there is to draw, the picture, the HTML, the stepper."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

import labkit
from labkit import verifier_log
from labkit.machine.stack_limit import StackLimit, largest_frame
from labkit.notebook.stepper import StackStepper, stack_stepper
from labkit.plots.snapshot import stack_snapshot
from labkit.plots.style import BAD, SLOT_LOOKS
from labkit.plots.variables import stack_variables as plot_stack_variables
from labkit.program.llvm_ir import Local
from labkit.show.stack_snapshot import step_html, step_text
from labkit.stack import snapshot as snapshots
from labkit.stack.snapshot import MEANINGS, limit_of, snapshot_of
from labkit.stack.variables import StackVariables, stack_variables
from labkit.verifier_log.state import SLOT_MEANING

mpl.use("Agg")
LOGS = Path(__file__).parents[1] / "logs"
LIFTED = sorted(LOGS.glob("linux-*_stack_lifted.log"))
SPILLS = 64  # bytes that exec_events.c leaves for the compiler's own use; earlier it left none


def carved(spills: int) -> StackVariables:
    """What lies where in stack_lifted, below the bytes that are left for spills."""
    return StackVariables(
        "stack_lifted",
        (
            Local("extra", "struct extra_buffer", 768, -1312 - spills, 25),
            Local("event", "struct big_event", 544, -544 - spills, 24),
            Local("local", "struct local_data", 256, -1568 - spills, 26),
        ),
        "hand",
        512,
    )


KNOWN = carved(0)


def parsed(name):
    return verifier_log.parse((LOGS / f"{name}.log").read_bytes())


def texts(axes):
    legend = axes.get_legend()
    labels = [text.get_text() for text in (legend.get_texts() if legend else [])]
    return "\n".join(
        [*(text.get_text() for text in axes.texts), *labels, axes.get_title(loc="left")]
    )


def bars(axes):
    """Where each bar begins, and how wide it is."""
    boxes = [one for one in axes.patches if isinstance(one, Rectangle)]
    return [(one.get_x(), one.get_width()) for one in boxes]


# Facts ------------------------------------------------------------


@pytest.mark.parametrize("path", LIFTED, ids=lambda path: path.stem)
def test_every_kernel_shows_the_same_access(path):
    raw = path.read_bytes()
    spills = SPILLS if b"SPILLS" in raw else 0
    snapshot = snapshot_of(verifier_log.parse(raw), variables=carved(spills))
    assert snapshot is not None
    assert snapshot.access is not None
    access = snapshot.access
    assert (access.offset, access.bytes, access.verb) == (-544 - spills, 8, "writes")
    assert snapshot.access.outside
    assert f"{32 + spills} bytes past the end" in snapshot.access.words
    assert snapshot.name == "event"
    assert snapshot.variable is not None and snapshot.variable.bytes == 544
    assert snapshot.slots[-8].letters in ("0000????", "mmmm????")
    assert snapshot.slots[-16].letter == "r"


def test_a_helper_reaches_below_the_stack():
    snapshot = snapshot_of(parsed("linux-6.18_llvm-14_helper_write"))
    assert snapshot is not None and snapshot.access is not None
    assert (snapshot.access.offset, snapshot.access.bytes) == (-520, 520)
    assert snapshot.access.verb == "hands bpf_get_current_comm()"


def test_an_instruction_tells_its_access_itself():
    log = parsed("linux-6.18_llvm-14_stack_lifted")
    step = next(
        s for s in log.instructions if s.instruction.disassembly == "*(u64 *)(r10 -16) = r0"
    )
    snapshot = snapshot_of(log, step.number)
    assert snapshot is not None and snapshot.access is not None
    access = snapshot.access
    assert (access.offset, access.bytes, access.verb) == (
        -16,
        8,
        "writes",
    )
    assert not snapshot.fatal
    assert not snapshot.access.outside


def test_every_letter_of_the_log_can_be_drawn():
    assert set(MEANINGS) == set(SLOT_LOOKS) == set(SLOT_MEANING)
    assert len({look.colour for look in SLOT_LOOKS.values()}) == len(SLOT_LOOKS)
    assert len({look.hatch for look in SLOT_LOOKS.values()}) == len(SLOT_LOOKS)


def test_a_log_without_instructions_has_nothing_to_draw():
    assert snapshot_of(verifier_log.parse("")) is None
    assert snapshot_of(verifier_log.parse("R1 !read_ok\nprocessed 0 insns\n")) is None


# The static picture ------------------------------------------------------------


def test_the_picture_says_which_variable_to_move():
    axes = stack_snapshot(parsed("linux-6.18_llvm-14_stack_lifted"), variables=KNOWN)
    told = texts(axes)
    assert "➜ move `event` off the stack" in told
    assert "event: 544 bytes, 32 of them outside" in told
    assert "`extra` (768 bytes), `local` (256 bytes)" in told
    assert "r  spill: a register is saved here" in told
    assert "refused it at instruction 15" in told


def test_the_access_is_drawn_to_scale():
    axes = stack_snapshot(parsed("linux-6.18_llvm-14_stack_lifted"), variables=KNOWN)
    boxes = bars(axes)
    assert (-544, 8) in boxes  # the access
    assert (-544, 32) in boxes  # the part of event outside
    assert (-512, 512) in boxes  # the part inside
    assert axes.get_xlim()[0] > 0 > -544 > axes.get_xlim()[1]  # from the frame pointer, rightwards
    assert sum(width == 8 and -512 <= x < 0 for x, width in boxes) >= 64  # the slots


def test_a_deep_access_still_fits():
    text = "0: (7b) *(u64 *)(r10 -4096) = r1\ninvalid stack off=-4096 size=8\nprocessed 1 insns\n"
    axes = stack_snapshot(verifier_log.parse(text))
    assert axes.get_xlim()[1] < -4096
    assert "3584 bytes past the end" in texts(axes)


def test_a_log_tells_the_limit_under_which_it_was_written():
    for name, size in (
        ("linux-6.18_llvm-14_stack_lifted", 512),
        ("large_stack/llvm-14_stack_lifted", 2048),
    ):
        log = parsed(name)
        assert limit_of(log) == size
        assert f"the {size} bytes of stack" in texts(stack_snapshot(log))
        assert f"past the {size} bytes of stack" in step_html(log)


def test_a_limit_that_nothing_tells_is_not_drawn(monkeypatch):
    monkeypatch.setattr(snapshots, "measured", lambda: StackLimit(unknown="no rights"))
    log = parsed("linux-6.18_llvm-14_percpu")
    assert limit_of(log) is None
    assert "is not known here" in texts(stack_snapshot(log))
    assert "is not known here" in step_html(log)
    assert Checker(step_html(log)).open == []


def test_an_accepted_program_and_no_program_are_drawn_too():
    assert "refused" not in texts(stack_snapshot(parsed("linux-6.18_llvm-14_percpu")))
    assert "no instruction was followed" in texts(stack_snapshot(verifier_log.parse("")))


def test_who_took_the_bytes():
    axes = plot_stack_variables(KNOWN)
    told = texts(axes)
    assert "1568 bytes: 1056 too many" in told
    assert "768 bytes, 256 past the limit" in told
    assert "\n256 bytes\n" in told  # it fits by itself, so none of it is past the limit
    assert "found by hand" in axes.get_xlabel()
    assert {(0, 512), (512, 256), (512, 32), (0, 256), (512, 1056)} == set(bars(axes))


# HTML and the stepper ------------------------------------------------------------


class Checker(HTMLParser):
    """Counts open tags, so that a page which is not well formed shows."""

    def __init__(self, page):
        super().__init__()
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def attributes(page, testid, name):
    return re.findall(rf'data-testid="{testid}"[^>]* {name}="([^"]*)"', page)


def test_the_refused_step_as_html():
    page = step_html(parsed("linux-6.18_llvm-14_stack_lifted"), variables=KNOWN)
    assert Checker(page).open == []
    assert attributes(page, "step", "data-insn") == ["15"]
    assert attributes(page, "touched", "data-offset") == ["-544"]
    assert "move <code>event</code>, 544 bytes, off the stack" in page
    slots = page.count("<td class=") - page.count('<td class="lab-where"')
    assert slots == 4 * 16 + 16  # the stack, and one row outside


def test_only_the_refused_step_is_red():
    log = parsed("linux-6.18_llvm-14_stack_lifted")
    refused = log.fatal_instruction.number
    for step in range(len(log.instructions)):
        page = step_html(log, step, KNOWN)
        signs = ("lab-hit", "✘", "lab-badge lab-bad", "<mark>")  # red, all of them
        found = [sign for sign in signs if sign in page.split("</style>")[-1]]
        assert found == (list(signs) if step == refused else [])
    boxes = [p for p in stack_snapshot(log, 11).patches if to_hex(p.get_edgecolor()) == BAD.lower()]
    assert boxes == []


def test_the_picture_and_the_table_begin_at_the_frame_pointer():
    log = parsed("linux-6.18_llvm-14_stack_lifted")
    first, second = re.findall(r'title="fp(-\d+):', step_html(log))[:2]
    assert (first, second) == ("-8", "-16")  # as the picture: leftwards is up, towards fp
    left, right = stack_snapshot(log).get_xlim()
    assert left > right


def test_what_a_log_says_is_escaped():
    text = "; <script>alert(1)</script> @ <b>.c:1\n0: (b7) r0 = <i>0\nR1 !read_ok <u>\n"
    page = step_html(verifier_log.parse(text))
    assert not re.search("<(script|i|u|b)>(?!move)", page)


def test_the_stepper_starts_at_the_refusal_and_steps():
    widget = StackStepper(parsed("linux-6.18_llvm-14_stack_lifted"), KNOWN)
    assert widget.slider.value == 14
    assert "32 bytes past the end" in repr(widget)
    assert widget.result.value == widget.html
    widget.slider.value = 0
    assert attributes(widget.html, "step", "data-insn") == ["0"]
    assert repr(widget) == "instruction 0: r6 = r1"
    bundle = widget._repr_mimebundle_()
    assert bundle["text/html"] == widget.html
    assert bundle["text/plain"] == widget.words


def test_a_stepper_without_a_log_says_so():
    widget = StackStepper(verifier_log.parse(""))
    assert widget.slider.disabled
    assert "no instruction" in repr(widget)


@settings(max_examples=60)
@given(st.sampled_from(sorted(LOGS.glob("linux-*.log"))), st.integers(0, 10**6))
def test_any_step_of_any_log(path, number):
    log = verifier_log.parse(path.read_bytes())
    if len(log.instructions):
        step = number % len(log.instructions)
        assert Checker(step_html(log, step)).open == []
        assert step_text(snapshot_of(log, step))


@settings(max_examples=100)
@given(st.text())
def test_any_text(text):
    log = verifier_log.parse("0: (7b) *(u64 *)(r10 -8) = r1 ; R10=fp0 " + text)
    assert Checker(step_html(log)).open == []


# Live ------------------------------------------------------------


@pytest.mark.live
@pytest.mark.usefixtures("either_kernel")
def test_live_from_the_report_alone():
    report = labkit.build("stack_beyond")
    size = largest_frame()
    assert limit_of(report) == report.stack_limit == size
    assert f"the {size} bytes of stack" in texts(stack_snapshot(report))
    assert f"the {size} bytes of stack" in stack_stepper(report).html
    snapshot = snapshot_of(report.verifier_log, None, stack_variables(report), size)
    assert snapshot is not None and snapshot.access is not None
    assert snapshot.fatal == report.verifier_log.fatal.body
    assert snapshot.access.outside
    told = texts(stack_snapshot(report))
    assert f"move `{snapshot.name}` off the stack" in told
    assert snapshot.name.startswith(("event", "extra", "local"))
    assert (
        snapshot.name in repr(stack_stepper(report)) or snapshot.name in stack_stepper(report).html
    )
