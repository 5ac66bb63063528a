from __future__ import annotations

import errno
import importlib
import os
from typing import Any

import pandas as pd
import pytest

from labkit import claims
from labkit.claims.claim import FALSE, HALF_TRUE, NOT_HERE, TRUE
from labkit.claims.value_cap import judge
from labkit.machine.bpf_syscall import make_map

module = importlib.import_module("labkit.claims.value_cap")


def tried(largest, refused=True, stack=512):
    sizes = [8, largest, *([largest + 1] if refused else [])]
    rows = [(size, size <= largest, "" if size <= largest else "too long", stack) for size in sizes]
    return pd.DataFrame(rows, columns=["bytes", "accepted", "said", "stack_bytes"])


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (tried(32768), HALF_TRUE),
        (tried(65536, refused=False), TRUE),
        (tried(512), FALSE),
        (tried(1024, stack=2048), FALSE),
    ],
)
def test_the_rule_follows_the_numbers(table, expected):
    ruling = judge(table)
    assert ruling.verdict == expected, ruling.why
    assert ruling.why.endswith(".")


@pytest.mark.live
def test_the_largest_value_is_the_last_that_the_kernel_takes():
    table: Any = claims.value_cap().measured
    size = int(table[table.accepted].bytes.max())
    os.close(make_map("percpu_array", size))
    with pytest.raises(OSError, match="too long"):
        make_map("percpu_array", size + 1)
    assert table.bytes.iloc[-1] == size + 1


def test_of_all_tries_the_decisive_two_are_shown():
    table = tried(32768)
    brief = module.decisive(pd.concat([table, table.assign(bytes=65536, accepted=False)]))
    assert brief[["bytes", "accepted"]].to_numpy().tolist() == [[32768, True], [32769, False]]
    assert len(module.decisive(tried(4096, refused=False))) == 1


@pytest.mark.live
def test_a_search_that_meets_no_cap_says_so():
    result = claims.value_cap(upper=4096)
    assert result.verdict == TRUE
    assert "4,096" in result.why


@pytest.mark.live
def test_a_kernel_that_makes_no_maps_cannot_tell(monkeypatch):
    def refuse(kind, size):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(module, "make_map", refuse)
    result = claims.value_cap()
    assert (result.verdict, "not permitted" in result.why) == (NOT_HERE, True)
