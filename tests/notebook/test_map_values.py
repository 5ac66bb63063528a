"""The per-CPU map's values beside the last rows: the same bytes, or it shows where they differ."""

from __future__ import annotations

import subprocess

import made_runs
import pytest

import labkit
from labkit.errors import UsageError
from labkit.notebook.map_values import left_over, look_into_map

EMPTY = b"\0" * 544


def run_with_values(made: list[bytes], values: list[bytes]):
    held = {"event_slot": made_runs.records(*values)}
    return made_runs.make_run(made, cpus=len(values), slots=held)


def test_the_last_event_of_each_cpu_is_compared() -> None:
    second = made_runs.SECOND
    made = [made_runs.record(pid=n, cpu=n % 2, timestamp=n * second) for n in (1, 2, 3, 4)]
    table = look_into_map(run_with_values(made, [made[3], made[2]]))
    assert table["map_pid"].tolist() == [4, 3]
    assert table["same_bytes"].tolist() == [True, True]


def test_one_byte_behind_the_name_makes_it_another_event() -> None:
    sent, held = made_runs.record(), made_runs.record(left_over=b"x")
    table = look_into_map(run_with_values([sent], [held]))
    assert table["same_bytes"].tolist() == [False]
    assert table["map_filename"].tolist() == table["row_filename"].tolist()


def test_a_cpu_that_saw_nothing_has_no_row() -> None:
    made = made_runs.record()
    table = look_into_map(run_with_values([made], [made, *[EMPTY] * 9]))
    assert table.index.tolist() == [0]
    assert table.at[0, "same_bytes"]


def test_cpus_are_told_by_their_ids_where_there_are_holes() -> None:
    made = [made_runs.record(pid=n, cpu=cpu) for n, cpu in enumerate((0, 8, 9, 8), 1)]
    run = made_runs.make_run(made, cpus=10)
    run.cpus, run.slots = (0, 8), {"event_slot": made_runs.records(made[0], made[3])}
    table = look_into_map(run)
    assert table.index.tolist() == [0, 8]
    assert table["row_pid"].tolist() == [1, 4]
    assert table["same_bytes"].tolist() == [True, True]


def test_an_event_that_failed_is_in_the_map_alone() -> None:
    table = look_into_map(run_with_values([], [made_runs.record()]))
    assert table["same_bytes"].tolist() == [False]


def test_a_run_without_the_map_says_which_variant_has_it() -> None:
    with pytest.raises(UsageError, match="percpu"):
        look_into_map(made_runs.refused_run())


def test_what_is_left_of_a_longer_name_is_shown() -> None:
    made = [made_runs.record(left_over=b"thon3\0\xff"), made_runs.record()]
    assert left_over(made_runs.make_run(made)).tolist() == [r"thon3 \xff", ""]


@pytest.mark.live
def test_user_space_reads_the_event_that_it_was_sent() -> None:
    run = labkit.collect("percpu", seconds=1, workload=labkit.exec_storm(rate=100))
    table = look_into_map(run)
    assert len(table) >= 1
    assert table["same_bytes"].all()


@pytest.mark.live
def test_a_longer_name_shines_through_the_next_one() -> None:
    class LongThenShort:
        """Ten times, since others exec on that CPU too."""

        def start(self) -> None:
            for program in (f"/bin{'/.' * 40}/true", "/bin/true") * 10:
                subprocess.run(["taskset", "-c", "0", program], check=True)

        def stop(self) -> None:
            pass

    run = labkit.collect("percpu", seconds=1, workload=LongThenShort())
    behind = left_over(run)[[b"/bin/true\0" in bytes(data) for data in run.records["data"]]]
    assert behind.str.contains("/./././true", regex=False).any()
