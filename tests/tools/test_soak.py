"""Each fault of the soak in its short form; and the soak itself finds what is wrong."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.errors import MachineError
from tools import processes
from tools.soak import __main__ as command
from tools.soak import lab, machines, names, workers

SEED = 20

# What is not as it should be yet, and where. Mend it, and this test says that it can go.
KNOWN = {
    "kill_in_a_run": "see the test of a worker that dies before a run",
    "interrupt_a_run": "see the test of Ctrl-C while the worker is ended",
    "interrupt_a_build": "see the test of Ctrl-C while the worker is ended",
}
BY_CHANCE = {
    "kill_in_a_run",
    "interrupt_a_build",
    "interrupt_a_run",
}  # three moments may all be good ones


def marked(name: str):
    reason = KNOWN.get(name)
    strict = name not in BY_CHANCE
    marks = [pytest.mark.xfail(strict=strict, reason=reason)] if reason else []
    return pytest.param(name, marks=marks)


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(os.geteuid() != 0, reason="faults are made by root: sudo ./lab test")
@pytest.mark.parametrize(
    "name", [marked(name) for name, fault in command.FAULTS.items() if not fault.only_by_name]
)
def test_the_lab_says_so_keeps_what_it_has_and_cleans_up(name: str) -> None:
    wrong = command.soak(name, range(command.FAULTS[name].short), SEED)
    assert not wrong, "\n".join(wrong)


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_a_traceback_is_found() -> None:
    faults, _printed = lab.trial(python("1 / 0"), statuses=(1,))
    assert len(faults) == 1
    assert "ZeroDivisionError" in faults[0]


def test_another_status_is_found_and_a_sentence_without_advice() -> None:
    faults, _printed = lab.trial(python("import sys; print('no'); sys.exit(3)"), statuses=(0,))
    assert [fault.partition(":")[0] for fault in faults] == [
        "status 3, not one of [0]",
        "no word of what to do",
    ]
    advice = "import sys; print('cannot.\\n  To mend it: sudo ./lab'); sys.exit(3)"
    assert lab.trial(python(advice)) == ([], "cannot.\n  To mend it: sudo ./lab\n")


def test_a_process_that_stays_is_found(monkeypatch) -> None:
    monkeypatch.setattr(lab, "CLEAN_LIMIT", 0.2)
    script = "import subprocess; subprocess.Popen(['sleep', '5.0625'], start_new_session=True)"
    faults, _printed = lab.trial(python(script), statuses=(0,))
    assert len(faults) == 1
    assert "sleep 5.0625" in faults[0]
    assert not subprocess.run(["pgrep", "-x", "-f", "sleep 5.0625"], capture_output=True).stdout


def test_one_that_does_not_end_is_found_and_ended(monkeypatch) -> None:
    monkeypatch.setattr(lab, "END_LIMIT", 0.3)
    faults, _printed = lab.trial(python("import time; time.sleep(30)"))
    assert len(faults) == 1
    assert faults[0].startswith("it did not end within 0.3 s: ")
    assert "time.sleep(30)" in faults[0]


@pytest.mark.live
def test_a_program_that_stays_loaded_is_found(monkeypatch) -> None:
    """A program that somebody else holds on to is in the kernel still."""
    import labkit
    from labkit.collecting.collection import Collection

    monkeypatch.setattr(lab, "CLEAN_LIMIT", 0.2)
    with Collection("percpu") as collection:
        while not collection.attached:
            collection.read()
        held = processes.programs_of(processes.tree(os.getpid()))
        assert held
        one = lab.Lab(python("pass"))
        one.programs = held
        faults = lab.what_is_wrong(one, [0])
        one.end()
        collection.finish()  # else its file would stay
    labkit.close()
    assert faults == [f"BPF programs stay loaded: {sorted(held)}"]
    assert not processes.still_loaded(held)


def test_a_trial_can_be_repeated() -> None:
    chances = [random.Random(f"1:hostile_names:{number}") for number in (0, 0, 1)]
    first, again, other = (names.some(chance) for chance in chances)
    assert first == again != other


@pytest.mark.live
def test_a_cpu_comes_back_and_where_none_can_go_that_is_said(tmp_path: Path, monkeypatch) -> None:
    """With a switch that is only a file: the tests take no CPU from this machine."""
    monkeypatch.setattr(machines, "CPUS", tmp_path)
    with pytest.raises(MachineError, match="no CPU of this machine can be taken offline"):
        machines.cpu_offline(random.Random(0))
    switch = tmp_path / "cpu1" / "online"
    switch.parent.mkdir()
    switch.write_text("1\n")
    assert machines.cpu_offline(random.Random(0)) == []
    assert switch.read_text() == "1"


def test_there_are_a_hundred_names_and_each_can_be_a_files() -> None:
    made = names.some(random.Random(0))
    assert len(set(made)) == names.COUNT
    assert all(0 < len(name) <= 255 and not {0, ord("/")} & set(name) for name in made)


@pytest.mark.live
def test_a_worker_that_dies_before_a_run_is_no_refusal(tmp_path: Path) -> None:
    """The structs are asked for first: a death there is the machine's status, 3, not a gate's."""
    environment = workers.between(tmp_path, "cut:600:0")
    assert lab.trial([*lab.LAB, "run", "percpu"], environment=environment)[0] == []


INTERRUPTED_IMPORT = """
import importlib.abc, runpy, signal, sys
class Interrupts(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == WHEN:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
sys.argv = ["labkit", "build", "percpu"]
runpy.run_module("labkit", run_name="__main__")
"""


@pytest.mark.parametrize("when", ["labkit.cli", "labkit.explain_command"])
def test_ctrl_c_while_the_command_is_imported_is_no_traceback(when: str) -> None:
    script = INTERRUPTED_IMPORT.replace("WHEN", repr(when))
    faults, _printed = lab.trial(python(script), statuses=(130, -signal.SIGINT))
    assert faults == []


INTERRUPTED_END = """
import atexit, signal
import labkit
labkit.build("percpu")
signal.signal(signal.SIGALRM, signal.default_int_handler)
atexit.register(signal.setitimer, signal.ITIMER_REAL, 0.001)  # called first: it came last
"""


@pytest.mark.live
def test_ctrl_c_while_the_worker_is_ended_is_no_traceback() -> None:
    faults, _printed = lab.trial(python(INTERRUPTED_END), statuses=(0, 130))
    assert faults == []


def test_a_child_is_found_and_its_time_counted() -> None:
    script = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\n"
    with subprocess.Popen(python(script + "input()"), stdin=subprocess.PIPE) as child:
        assert child.pid in processes.tree(os.getpid())
        os.kill(child.pid, signal.SIGSTOP)
        before = processes.cpu_seconds([child.pid])
        os.kill(child.pid, signal.SIGCONT)
        while processes.cpu_seconds([child.pid]) < before + 0.05:
            assert child.poll() is None
    assert processes.cpu_seconds([child.pid]) == 0
    assert processes.tree(os.getpid())[0] == os.getpid()


@pytest.mark.parametrize("words", [["--rounds", "-1"], ["--only", "nothing"]])
def test_wrong_words_are_wrong_use(words: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(words)
    assert ended.value.code == 2
    assert "./lab soak" in capsys.readouterr().err
