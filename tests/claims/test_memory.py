from __future__ import annotations

import importlib
from typing import Any

import pandas as pd
import pytest

from labkit import claims
from labkit.claims.claim import FALSE, NOT_HERE, TRUE
from labkit.claims.memory import judge
from labkit.machine.cpus import possible_cpus

module = importlib.import_module("labkit.claims.memory")


def accounted(per_byte, cpus=4, fixed=320):
    sizes = (8, 96, 1000, 32000)
    rows = [("percpu_array", n, cpus, n * cpus, round(per_byte * n + fixed)) for n in sizes]
    columns = ["map", "value_bytes", "possible_cpus", "expected", "memlock"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (accounted(per_byte=4), TRUE),
        (accounted(per_byte=1), FALSE),
        (accounted(per_byte=1, cpus=1), TRUE),
        (accounted(per_byte=3), NOT_HERE),
        (accounted(per_byte=0, fixed=0), NOT_HERE),
    ],
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


def rounded(size, page=4096):
    return -(-size // page) * page


# bytes of memlock for one value of an array on so many CPUs, each with its kernel's own sum
ACCOUNTING = {
    "5.10": lambda size, cpus: rounded(312 + 8 + size * cpus),  # array_map_alloc: cost
    "6.1": lambda size, cpus: rounded(8 * (4 + size * cpus + 4) // 8),  # bpf_map_memory_footprint
    "6.4": lambda size, cpus: 320 + size * cpus,  # array_map_mem_usage
}


@pytest.mark.parametrize("kernel", ACCOUNTING)
@pytest.mark.parametrize("cpus", [2, 3, 8, 32])
def test_memory_that_is_accounted_in_whole_pages_can_be_told(kernel, cpus):
    rows = [
        ("percpu_array", size, cpus, size * cpus, ACCOUNTING[kernel](size, cpus))
        for size in module.SIZES
    ]
    columns = ["map", "value_bytes", "possible_cpus", "expected", "memlock"]
    ruling = judge(pd.DataFrame(rows, columns=columns))
    assert ruling.verdict == TRUE, ruling.why


@pytest.mark.live
def test_what_the_kernel_accounts_is_read_and_nothing_stays_open():
    table: Any = claims.memory(sizes=(8, 100)).measured
    assert len(table) == 2 * len(module.KINDS)
    assert (table.memlock >= table.expected).all() or not table.memlock.any()
    assert set(table.possible_cpus) == {len(possible_cpus())}


@pytest.mark.live
def test_cpus_are_counted_by_their_ids(monkeypatch):
    monkeypatch.setattr(module, "possible_cpus", lambda: (0, 2, 8))
    assert set(claims.memory(sizes=(8, 16)).measured.possible_cpus) == {3}


@pytest.mark.live
def test_a_size_that_no_map_takes_cannot_be_told():
    assert "no percpu_array of 1048576 bytes" in claims.memory(sizes=(1 << 20,)).why
