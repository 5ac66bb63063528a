"""Every claim is an experiment: each rule is fed numbers that must flip it; then all, live."""

from __future__ import annotations

import html
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import kernel
import pandas as pd
import pytest

import labkit
from labkit import claims, session
from labkit.building.report import ACCEPTED, BuildReport, Gate
from labkit.claims import (
    EXPERIMENTS,
    base,
    calls,
    costs,
    gates,
    losses,
    maps,
    measuring,
    sharing,
    tiny,
)
from labkit.claims.base import FALSE, HALF_TRUE, NOT_HERE, TRUE
from labkit.claims.measuring import NotTold
from labkit.collecting.workload import PROGRAM
from labkit.errors import LabError, UsageError, WorkerError
from labkit.notebook.alternatives import WaySwitch
from labkit.plots.claims import PICTURES
from labkit.program import alternatives

ROUNDS = range(9)
STATISTICS = Path("/proc/sys/kernel/bpf_stats_enabled")


def tearing(shared, percpu, events=20_000):
    rows = [
        (trigger, scratch, events, torn if trigger == "rename" else 0)
        for trigger in ("exec", "rename")
        for scratch, torn in (("shared", shared), ("per-CPU", percpu))
    ]
    return pd.DataFrame(rows, columns=["trigger", "scratch", "events", "torn"])


def nesting(raw, remedied=0, skipped=500, raw_skipped=0):
    rows = [
        ("raw tracepoint", "none", 1000, raw, 50, raw_skipped),
        ("raw tracepoint", "depth", 1000, remedied, 50, 0),
        ("tracepoint", "none", 1000, 0, 50, skipped),
        ("tracepoint", "depth", 1000, 0, 50, skipped),
    ]
    columns = ["attached_as", "remedy", "events", "mixed", "interrupts", "skipped"]
    return pd.DataFrame(rows, columns=columns)


def timed(noise=0.0, **dearer):
    """Times in which each way is so many ns dearer than the per-CPU array's 400, give or take."""
    times = {"percpu_array": 0.0, **dearer}
    rows = [
        (turn, way, 400 + ns + noise * (-1) ** (turn + place) * (turn + 1))
        for turn in ROUNDS
        for place, (way, ns) in enumerate(times.items())
    ]
    return pd.DataFrame(rows, columns=["round", "way", "ns_per_event"])


def copies(per_kib, noise=0.0):
    rows = [
        (turn, way, size, 200 + slope * size / 1024 * (1 + noise * (-1) ** turn * turn))
        for turn in ROUNDS
        for way, slope in (("output", per_kib), ("reserve", 2.0))
        for size in costs.SIZES
    ]
    return pd.DataFrame(rows, columns=["round", "way", "bytes", "ns_per_event"])


def stale(none, clear=0, used=0, events=10):
    rows: list[tuple] = [
        ("exec", 0, name, events, count, None)
        for name, count in zip(maps.REMEDIES, (none, clear, used), strict=True)
    ]
    rows += [
        ("rename", turn, name, None, None, 300.0 + 10 * place)
        for turn in ROUNDS
        for place, name in enumerate(maps.REMEDIES)
    ]
    columns = ["trigger", "round", "remedy", "events", "stale", "ns_per_event"]
    return pd.DataFrame(rows, columns=columns)


def tried(largest, refused=True):
    sizes = [8, largest, *([largest + 1] if refused else [])]
    rows = [(size, size <= largest, "" if size <= largest else "too long") for size in sizes]
    return pd.DataFrame(rows, columns=["bytes", "accepted", "said"])


def accounted(per_byte, cpus=4, fixed=320):
    sizes = (8, 96, 1000, 32000)
    rows = [("percpu_array", n, cpus, n * cpus, round(per_byte * n + fixed)) for n in sizes]
    columns = ["map", "value_bytes", "possible_cpus", "expected", "memlock"]
    return pd.DataFrame(rows, columns=columns)


def unaccounted():
    return accounted(0, fixed=0)


def looked_up(constant, variable, checked=True):
    rows = [
        ("constant", True, checked, ""),
        ("variable", True, True, ""),
        ("constant", False, constant, "map_value_or_null"),
        ("variable", False, variable, "map_value_or_null"),
    ]
    return pd.DataFrame(rows, columns=["key", "checked", "accepted", "said"])


def chains(tracepoint, socket_filter, alone=True):
    verdicts = {"tracepoint": tracepoint, "socket_filter": socket_filter}
    rows = [(1, False, kind, alone, "304", "") for kind in verdicts]
    rows += [(2, False, kind, passed, "304+304", "608") for kind, passed in verdicts.items()]
    columns = ["frames", "tail_call", "program_type", "accepted", "stack_depth", "said"]
    return pd.DataFrame(rows, columns=columns)


def frames(compiler, verifier):
    rows = [
        (gate, size, size <= largest)
        for gate, largest in (("compiler", compiler), ("verifier", verifier))
        for size in range(496, 536, 8)
    ]
    return pd.DataFrame(rows, columns=["gate", "bytes", "passed"])


def lost(failed, missing=None, delivered=None, attempted=5000):
    delivered = attempted - failed if delivered is None else delivered
    missing = failed if missing is None else missing
    row = (0, attempted, attempted - failed, failed, delivered, missing)
    columns = ["cpu", "attempted", "submitted", "failed", "delivered", "missing"]
    return pd.DataFrame([row], columns=columns)


def stormed(failed=0, undelivered=0, attempted=5000, foreign=0):
    submitted = attempted - failed
    row = (0, attempted, submitted, failed, submitted - undelivered, foreign, 4.0)
    columns = ["cpu", "attempted", "submitted", "failed", "delivered", "foreign", "seconds"]
    return pd.DataFrame([row], columns=columns)


DEAR = {"percpu_hash": 50.0, "hash_by_task": 300.0, "task_storage": 60.0}

RULES = [
    (gates.judge_limit, frames(512, 512), TRUE),
    (gates.judge_limit, frames(504, 512), HALF_TRUE),
    (gates.judge_limit, frames(504, 520), FALSE),
    (sharing.judge_tearing, tearing(shared=300, percpu=0), TRUE),
    (sharing.judge_tearing, tearing(shared=300, percpu=1), FALSE),
    (sharing.judge_tearing, tearing(shared=0, percpu=1), FALSE),
    (sharing.judge_tearing, tearing(shared=0, percpu=0), NOT_HERE),
    (sharing.judge_tearing, tearing(shared=9, percpu=0), NOT_HERE),
    (sharing.judge_nesting, nesting(raw=80), FALSE),
    (sharing.judge_nesting, nesting(raw=0, raw_skipped=20), TRUE),
    (sharing.judge_nesting, nesting(raw=0), NOT_HERE),
    (sharing.judge_nesting, nesting(raw=0, raw_skipped=float("nan")), NOT_HERE),
    (costs.judge_cost, timed(ringbuf_reserve=70.0, **DEAR), TRUE),
    (costs.judge_cost, timed(ringbuf_reserve=-70.0, **DEAR), FALSE),
    (costs.judge_cost, timed(ringbuf_reserve=-70.0, noise=100.0, **DEAR), NOT_HERE),
    (costs.judge_cost, timed(ringbuf_reserve=70.0, noise=100.0, **DEAR), NOT_HERE),
    (costs.judge_cost, timed(small_event=-70.0, shared_array=-90.0, **DEAR), TRUE),
    (costs.judge_copy, copies(per_kib=30.0), FALSE),
    (costs.judge_copy, copies(per_kib=2.0), TRUE),
    (costs.judge_copy, copies(per_kib=2.0, noise=1.0), TRUE),
    (costs.judge_copy, copies(per_kib=30.0, noise=1.0), NOT_HERE),
    (maps.judge_stale, stale(none=10), FALSE),
    (maps.judge_stale, stale(none=0), TRUE),
    (maps.judge_stale, stale(none=10, clear=1), NOT_HERE),
    (maps.judge_stale, stale(none=0, events=0), NOT_HERE),
    (maps.judge_cap, tried(32768), HALF_TRUE),
    (maps.judge_cap, tried(65536, refused=False), TRUE),
    (maps.judge_cap, tried(512), FALSE),
    (maps.judge_memory, accounted(per_byte=4), TRUE),
    (maps.judge_memory, accounted(per_byte=1), FALSE),
    (maps.judge_memory, accounted(per_byte=1, cpus=1), TRUE),
    (maps.judge_memory, accounted(per_byte=3), NOT_HERE),
    (maps.judge_memory, unaccounted(), NOT_HERE),
    (gates.judge_null_check, looked_up(constant=True, variable=False), HALF_TRUE),
    (gates.judge_null_check, looked_up(constant=False, variable=False), TRUE),
    (gates.judge_null_check, looked_up(constant=True, variable=True), FALSE),
    (gates.judge_null_check, looked_up(constant=True, variable=False, checked=False), NOT_HERE),
    (calls.judge_call_chain, chains(tracepoint=True, socket_filter=False), HALF_TRUE),
    (calls.judge_call_chain, chains(tracepoint=True, socket_filter=True), TRUE),
    (calls.judge_call_chain, chains(tracepoint=False, socket_filter=False), FALSE),
    (calls.judge_call_chain, chains(True, False, alone=False), NOT_HERE),
    (losses.judge_loss, lost(failed=4900), TRUE),
    (losses.judge_loss, lost(failed=4900, missing=4901), FALSE),
    (losses.judge_loss, lost(failed=4900, missing=4900, delivered=99), FALSE),
    (losses.judge_loss, lost(failed=0), NOT_HERE),
    (losses.judge_full_speed, stormed(), TRUE),
    (losses.judge_full_speed, stormed(failed=1), FALSE),
    (losses.judge_full_speed, stormed(failed=1, foreign=200), FALSE),
    (losses.judge_full_speed, stormed(failed=1, foreign=300), NOT_HERE),
    (losses.judge_full_speed, stormed(foreign=3000), TRUE),
    (losses.judge_full_speed, stormed(undelivered=1, foreign=3000), FALSE),
    (losses.judge_full_speed, stormed(attempted=999), NOT_HERE),
]


@pytest.mark.parametrize(("judge", "frame", "expected"), RULES)
def test_a_rule_follows_the_numbers(judge, frame, expected) -> None:
    word, why = judge(frame)
    assert word == expected, why
    assert why.endswith(".")


def test_every_experiment_has_a_rule_that_is_tested_a_picture_and_its_files() -> None:
    assert {one.judge for one in EXPERIMENTS.values()} == {judge for judge, *_ in RULES}
    assert set(PICTURES) == set(EXPERIMENTS)
    assert all(one.rule and one.__doc__ and one.files for one in EXPERIMENTS.values())
    assert all(path.is_file() for one in EXPERIMENTS.values() for path in one.files)


def test_what_cannot_be_measured_is_a_result_too() -> None:
    def measure():
        raise NotTold("no such <thing> here")

    result = base.experiment("Anything.", losses.judge_loss)(measure)()
    assert (result.verdict, result.why) == (NOT_HERE, "no such <thing> here")
    assert result.measured is None and result.to_json()["measured"] == []
    assert result.plot().texts[0].get_text() == result.why
    assert "&lt;thing&gt;" in result._repr_html_()


def test_programs_are_short_enough_to_be_read() -> None:
    files = list(alternatives.FOLDER.iterdir())
    assert files
    assert all(len(path.read_text("utf-8").splitlines()) <= 60 for path in files)


def test_one_cpu_cannot_tell(monkeypatch) -> None:
    monkeypatch.setattr("labkit.claims.measuring.cpus", lambda: [0])
    result = claims.across_cpus()
    assert result.verdict == NOT_HERE
    assert "one CPU" in result.why


def test_without_clang_the_chains_are_skipped_clearly(monkeypatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    result = claims.call_chain()
    assert result.verdict == NOT_HERE
    assert "clang" in result.why and "skipped" in result.why


def test_an_unknown_name_is_a_usage_error_that_names_them_all() -> None:
    with pytest.raises(UsageError, match="full_speed"):
        labkit.prove("perpetual motion")


def test_torn_events_are_those_with_two_marks() -> None:
    words = pd.DataFrame([[7, 7, 7], [7, 7, 8], [8, 7, 7], [9, 9, 9]]).to_numpy()
    assert sharing.torn(words) == 2


def test_rounds_are_folded_to_median_and_quartiles() -> None:
    folded = base.summary(timed(ringbuf_reserve=100.0, noise=1.0)).set_index("way")
    assert folded.loc["percpu_array", "ns_per_event"] == pytest.approx(400, abs=10)
    assert folded.loc["ringbuf_reserve", "ns_per_event"] == pytest.approx(500, abs=10)
    assert (folded["lower quartile"] <= folded.ns_per_event).all()


def test_the_table_of_ways_shows_files_and_measured_costs() -> None:
    cost = base.Result("cost", "", TRUE, "", timed(ringbuf_reserve=-70.0), "")
    table = labkit.other_ways(cost).set_index("file")
    assert table.loc["ringbuf_reserve.c", "ns_per_event"] == 330
    assert table.loc["percpu_array.c", "ns_per_event"] == 400
    assert all((alternatives.FOLDER / file).is_file() for file in table.index if file)


class Builds:
    """Stands in for build(): refuses what it is told to."""

    def __init__(self) -> None:
        self.built: list[str] = []

    def __call__(self, variant):
        self.built.append(variant.name)
        if variant.name == "task_storage":
            raise LabError("no <task> storage")
        gates_passed = (Gate("compiler", True, 0.1), Gate("verifier", True, 0.1))
        return BuildReport(variant.name, ACCEPTED, gates_passed, "", "", None, {})


def test_the_gallery_toggle_shows_program_and_verdict() -> None:
    builds = Builds()
    switch = WaySwitch(builds)
    assert builds.built == ["percpu_array"]
    switch.choice.value = "ringbuf_reserve"
    assert switch.builds.wait(5)
    assert "ringbuf_reserve(sizeof(*event))" in switch.result.value
    assert "Since Linux 5.8" in switch.html
    assert "accepted" in switch.state.value and switch.report is not None
    switch.choice.value = "task_storage"
    assert switch.builds.wait(5)
    assert "no &lt;task&gt; storage" in switch.result.value
    assert switch.report is None


def test_a_burst_that_lost_events_is_not_timed() -> None:
    gap = copies(per_kib=30.0)
    gap.loc[gap["round"] == 3, "ns_per_event"] = [float("nan"), *[1e9] * 9]
    assert len(costs.slopes(gap)) == len(ROUNDS) - 1
    assert costs.judge_copy(gap).word == FALSE
    taken = FakeTaken(failures=[0, 5, 0], times=[100.0, 900.0, 110.0])
    times = [ns for _, _, ns in measuring.timings([taken], [0])]
    assert times[::2] == [100.0, 110.0] and math.isnan(times[1])
    with pytest.raises(NotTold):
        measuring.timings([FakeTaken(failures=[5, 5, 0], times=[1.0] * 3)], [0])


class FakeTaken(measuring.Taken):
    """A step of one source, as far as its times and failures."""

    def __init__(self, failures: list[int], times: list[float]) -> None:
        object.__setattr__(self, "made", (failures, times))

    def failures(self, number: int) -> list[int]:
        return self.made[0]  # type: ignore[attr-defined]

    def ns_per_run(self, number: int) -> list[float]:
        return self.made[1]  # type: ignore[attr-defined]


@pytest.mark.parametrize("machine", tiny.MACHINES)
def test_the_tiny_program_is_an_elf_file_for_its_machine(machine) -> None:
    image = tiny.image(machine)
    assert image[:4] == b"\x7fELF"
    assert int.from_bytes(image[18:20], "little") == tiny.MACHINES[machine][0]
    assert image.endswith(tiny.MACHINES[machine][1])


def test_the_tiny_program_runs_and_is_gone_afterwards() -> None:
    with tiny.program() as path:
        assert subprocess.run([path]).returncode == 0
    assert path == PROGRAM or not os.path.exists(path)


@pytest.fixture(scope="module")
def proven():
    """All results of one run; what the kernel's switch for statistics was, is what it still is."""
    before = STATISTICS.read_text()
    seen = []
    results = labkit.prove(progress=lambda *told: seen.append(told))
    assert STATISTICS.read_text() == before
    assert [told[0] for told in seen] == list(range(len(EXPERIMENTS) + 1))
    return results


@pytest.mark.live
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_tells_something_here(name, proven) -> None:
    result = proven[name]
    if name == "call_chain" and result.verdict == NOT_HERE:
        assert "skipped" in result.why
        return
    assert result.measured is not None and len(result.measured)
    assert result.versions["kernel"] == os.uname().release
    assert EXPERIMENTS[name].judge(result.measured) == (result.verdict, result.why)
    assert result.plot().has_data() or result.plot().texts
    assert html.escape(result.claim) in result._repr_html_()


@pytest.mark.live
def test_measured_figures_that_no_noise_can_change(proven) -> None:
    cap = proven["value_cap"].measured
    assert cap[cap.accepted].bytes.max() == 32768
    stale_events = proven["stale_bytes"].measured
    assert stale_events[stale_events.trigger == "exec"].events.min() > 0
    percpu = proven["across_cpus"].measured
    if percpu is not None:
        assert not percpu[percpu.scratch == "per-CPU"].torn.any()
    counted = proven["loss"].measured
    assert (counted.failed == counted.missing).all() and counted.failed.sum() > 0


@pytest.mark.live
def test_text_and_json_tell_the_same(proven) -> None:
    text = proven.to_text(100)
    rows = json.loads(claims.to_json(proven))
    assert [row["name"] for row in rows] == list(EXPERIMENTS)
    assert all(row["verdict"] in base.VERDICTS for row in rows)
    assert all(row["name"] in text and row["verdict"].upper() in text for row in rows)
    assert max(map(len, text.splitlines()[:-1])) <= 100


@pytest.mark.live
@pytest.mark.parametrize("way", alternatives.WAYS)
def test_a_way_out_collects_real_execs(way) -> None:
    variant = alternatives.WAYS[way].variant
    storm = labkit.exec_storm(rate=100)
    run = labkit.collect(variant, seconds=0.7, workload=storm)
    if way == "task_storage" and not run.report.accepted:
        assert run.report.compiler_log or run.report.verifier_text  # this kernel or bcc is older
        return
    if way == "shared_array":  # its events may be torn, their CPU included
        assert run.account.delivered.sum() == run.account.submitted.sum() > 5
        return
    assert run.balanced
    execs = run.frame[run.frame.filename == storm.program]
    assert len(execs) > 5
    assert execs.data_ok.all()


INTERRUPTED = """
import labkit
print("ready", flush=True)
try:
    labkit.prove({name!r})
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def _held(pid: int) -> set[int]:
    """Return the ids of the BPF programs that a process and its descendants hold."""
    held: set[int] = set()
    for one in [pid, *_descendants(pid)]:
        for path in Path(f"/proc/{one}/fdinfo").glob("*"):
            try:
                held |= set(map(int, re.findall(r"^prog_id:\s+(\d+)", path.read_text(), re.M)))
            except OSError:
                continue
    return held


def _descendants(pid: int) -> list[int]:
    try:
        direct = kernel.children(pid)
    except OSError:
        return []
    return [one for child in direct for one in (child, *_descendants(child))]


def _loaded(ids: set[int]) -> list[int]:
    listed = subprocess.run(["bpftool", "prog", "show", "-j"], capture_output=True, text=True)
    return [found["id"] for found in json.loads(listed.stdout) if found["id"] in ids]


@pytest.mark.live
@pytest.mark.parametrize("name", ["cost", "across_cpus", "stale_bytes"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupt_half_way_leaves_nothing_behind(name, how, tmp_path) -> None:
    before = STATISTICS.read_text()
    words = [sys.executable, "-c", INTERRUPTED.format(name=name)]
    place = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=place)
    assert process.stdout and process.stdout.readline() == "ready\n"
    assert kernel.wait_until(lambda: len(_held(process.pid)) > 2, 30)
    time.sleep(0.5)
    ids, family = _held(process.pid), _descendants(process.pid)
    process.send_signal(how)
    said = process.stdout.read()
    process.wait(10)
    assert how == signal.SIGKILL or said == "interrupted\n"
    assert kernel.wait_until(lambda: not _loaded(ids), 5)
    assert kernel.wait_until(lambda: not [pid for pid in family if _lives(pid)], 5)
    assert STATISTICS.read_text() == before
    assert how == signal.SIGKILL or not list(tmp_path.iterdir())


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.live
def test_a_tracepoint_that_is_not_there_cannot_be_told(tmp_path) -> None:
    path = tmp_path / "nowhere.c"
    path.write_text("RAW_TRACEPOINT_PROBE(no_such_tracepoint) { return 0; }\n")
    with pytest.raises(NotTold, match="no_such_tracepoint"):
        measuring.measure([labkit.Variant("nowhere", path, "")], [measuring.Step((0,))])


@pytest.mark.live
def test_a_refused_program_cannot_be_told_and_is_left_out_where_asked(tmp_path) -> None:
    path = tmp_path / "refused.c"
    path.write_text("int f(void *ctx) { return *(int *)0; }\n")
    refused = labkit.Variant("refused", path, "")
    with pytest.raises(NotTold, match=r"refused\.c was not loaded"):
        measuring.measure([refused], [])
    load = (measuring.rename(measuring.cpus()[0], 10),)
    good = measuring.source("nothing", "AT_RENAME")
    done = measuring.measure([refused, good], [measuring.Step((0, 1), load)], partial=True)
    assert done.accepted == (1,)
    assert (done.taken[0].counted(1, "task_rename", "run_cnt") or 0) >= 10


@pytest.mark.live
def test_a_defect_of_the_worker_is_an_error_and_no_verdict() -> None:
    load = ({"kind": "no such load", "cpu": -1},)
    with pytest.raises(WorkerError):
        measuring.measure([measuring.source("nothing")], [measuring.Step((7,), load)])


@pytest.mark.live
def test_nothing_stays_loaded_after_an_experiment() -> None:
    claims.memory()
    process = session.shared().process.pid
    assert not _held(process)
