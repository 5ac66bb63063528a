from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

import labkit
from labkit.building.report import ACCEPTED, COMPILER_REFUSED, VERIFIER_REFUSED
from labkit.magic import build_cell, cell_variant, parse_line

GOOD = "int f(void *ctx)\n{\n\treturn 0;\n}\n"


@pytest.fixture
def shell():
    made = InteractiveShell()
    made.run_line_magic("load_ext", "labkit.magic")
    yield made
    InteractiveShell.clear_instance()


def test_the_line_is_read():
    options = parse_line("mine -D A -DB=2 --lift --run 1.5")
    assert (options.name, options.defines, options.lift, options.run) == (
        "mine",
        ["A", "B=2"],
        True,
        1.5,
    )
    plain = parse_line("")
    assert (plain.name, plain.defines, plain.lift, plain.run) == ("", [], False, None)


@pytest.mark.parametrize(
    "line", ["--what", "two names", "-D", "-D 9x", "--run soon", "9name", "mine --run", "'open"]
)
def test_a_line_that_makes_no_sense_is_told_how_it_should_look(line):
    with pytest.raises(labkit.UsageError, match="%%bpf|write NAME"):
        parse_line(line)


def test_the_magics_own_line_is_line_1():
    variant = cell_variant("mine -D A --lift", "first\nsecond\n")
    assert variant.text.splitlines() == ["", "first", "second"]
    assert (variant.name, variant.defines, variant.lifted) == ("mine", ("A",), True)


@pytest.mark.live
def test_the_compilers_errors_stand_at_the_cells_own_lines():
    for blank in range(4):
        cell = '#include "exec_event.h"\n' + "\n" * blank + "int f(void *ctx)\n{\n\tretrn 0;\n}\n"
        shown = ["%%bpf mine", *cell.splitlines()]
        report = build_cell("mine", cell)
        line = shown.index("\tretrn 0;") + 1
        assert f"mine.c:{line}:" in report.compiler_log


@pytest.mark.live
def test_the_verifiers_log_names_the_cells_own_lines():
    cell = "int f(void *ctx)\n{\n\tu64 *p = ctx;\n\n\treturn p[100000];\n}\n"
    report = build_cell("", cell)
    assert report.outcome == VERIFIER_REFUSED
    step = report.verifier_log.fatal_instruction
    assert step
    assert step.source
    assert "return p[100000];" in step.source.text
    shown = ["%%bpf", *cell.splitlines()]
    assert step.source.line in (None, shown.index("\treturn p[100000];") + 1)


@pytest.mark.live
def test_defines_and_lifting_reach_the_build():
    cell = "int f(void *ctx)\n{\n#ifdef STOP\n#error stopped here\n#endif\n\treturn 0;\n}\n"
    assert build_cell("", cell).outcome == ACCEPTED
    stopped = build_cell("-D STOP", cell)
    assert stopped.outcome == COMPILER_REFUSED
    assert "stopped here" in stopped.compiler_log
    assert "cell.c:5:" in stopped.compiler_log
    text = labkit.VARIANTS["stack"].text
    lifted = build_cell("-D BAD_EXAMPLE_STACK --lift", text)
    assert lifted.outcome == labkit.build("stack_lifted").outcome
    assert lifted.how_lifted


@pytest.mark.live
def test_the_name_becomes_a_variable_and_the_report_the_cells_value(shell):
    value = shell.run_cell_magic("bpf", "mine", GOOD)
    assert value.accepted
    assert shell.user_ns["mine"] is value


@pytest.mark.live
def test_a_run_collects_events(shell):
    text = labkit.VARIANTS["percpu"].text
    with labkit.exec_storm(rate=50):
        run = shell.run_cell_magic("bpf", "mine --run 1", text)
    assert run.report.accepted
    assert len(run.table) > 0
    assert run.table.data_ok.all()
    assert shell.user_ns["mine"] is run


@pytest.mark.live
def test_a_run_of_something_refused_is_its_report(shell):
    text = labkit.VARIANTS["stack"].text
    report = shell.run_cell_magic("bpf", "mine -D BAD_EXAMPLE_STACK --run 1", text)
    assert report.outcome == labkit.build("stack").outcome
    assert not report.accepted


@pytest.mark.live
def test_a_run_without_its_maps_is_told_which():
    with pytest.raises(labkit.UsageError, match="events"):
        build_cell("--run 1", GOOD)


def test_a_mistake_shows_no_insides_of_the_library(shell, capsys):
    result = shell.run_cell("%%bpf --what\nint x;\n")
    assert isinstance(result.error_in_exec, labkit.UsageError)
    printed = capsys.readouterr()
    shown = printed.out + printed.err
    assert "UsageError" in shown
    assert "Traceback" not in shown
    assert "magic.py" not in shown


@pytest.mark.live
def test_each_line_that_the_log_shows_is_that_line_of_the_file():
    """Also in and after an #else arm, where bcc's own text shifts the lines."""
    report = labkit.build("percpu")
    lines = report.source.splitlines()
    frame = report.verifier_log.table
    told = frame[(frame.file == report.file_name) & (frame.source_line > 0)]
    if told.empty:
        pytest.skip("this kernel's log names no lines: that came with Linux 6.9")
    shown = set(zip(told.source_line, told.source, strict=True))
    assert any("event_slot.lookup" in text for _, text in shown)
    assert [pair for pair in shown if lines[pair[0] - 1].strip() != pair[1].strip()] == []
