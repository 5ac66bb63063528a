"""The system call where its memory is counted against a limit, as up to Linux 5.10."""

from __future__ import annotations

import errno
import os
import resource
from types import SimpleNamespace
from typing import Any

import pytest

from labkit import claims
from labkit.claims.claim import NOT_HERE
from labkit.machine import bpf_syscall


class Kernel:
    """Answers EPERM to what is too large, until the limit on locked memory is raised."""

    def __init__(self, may_raise: bool) -> None:
        self.may_raise, self.limited = may_raise, True

    def bpf(self, command: int, layout: str, *words: int) -> tuple[int, int]:
        if self.limited and (command != bpf_syscall.MAP_CREATE or words[2] > 4096):
            return -1, errno.EPERM
        return os.open(os.devnull, os.O_RDONLY), 0

    def setrlimit(self, what: int, limits: tuple[int, int]) -> None:
        assert what == resource.RLIMIT_MEMLOCK and limits[0] == resource.RLIM_INFINITY
        if not self.may_raise:
            raise ValueError("not allowed to raise maximum limit")
        self.limited = False


@pytest.fixture
def kernel(request: Any, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel(request.param)
    monkeypatch.setattr(bpf_syscall, "bpf", made.bpf)
    monkeypatch.setattr(resource, "setrlimit", made.setrlimit)
    return made


@pytest.mark.parametrize("kernel", [True], indirect=True)
def test_the_limit_on_locked_memory_is_raised_where_it_refuses(kernel: Kernel) -> None:
    os.close(bpf_syscall.make_map("array", 8))
    assert kernel.limited  # nothing is changed that need not be
    os.close(bpf_syscall.make_map("array", 8192))
    kernel.limited = True
    assert bpf_syscall.load(bytes(16), "socket_filter")[0] == 0


@pytest.mark.parametrize("kernel", [False], indirect=True)
def test_who_may_not_raise_it_is_told_the_kernels_answer(kernel: Kernel) -> None:
    with pytest.raises(PermissionError):
        bpf_syscall.make_map("array", 8192)
    assert bpf_syscall.load(bytes(16), "socket_filter")[0] == errno.EPERM


@pytest.mark.live
@pytest.mark.parametrize("kernel", [False], indirect=True)
def test_a_lack_of_memory_is_no_cap_on_a_value(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux 5.10 told of 32,600 bytes so, where 32,768 are let through."""
    module = claims.value_cap.measure.__globals__
    limit = SimpleNamespace(bytes=512)
    monkeypatch.setitem(module, "measured", lambda: limit)
    result = claims.value_cap()
    assert result.verdict == NOT_HERE and "Operation not permitted" in result.why
