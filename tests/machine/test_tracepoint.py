"""The format file, parsed; and this machine's own, read live."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.errors import MachineError, UsageError
from labkit.machine import tracepoint
from labkit.machine.tracepoint import Tracepoint, read_tracepoint

FORMAT = """name: sched_process_exec
ID: 365
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;
\tfield:char comm[16];\toffset:12;\tsize:16;\tsigned:0;
\tfield:const char * pointer;\toffset:32;\tsize:8;\tsigned:0;

print fmt: "filename=%s", __get_str(filename)
"""


def test_each_field_has_its_type_offset_and_size() -> None:
    rows = Tracepoint("a:b", FORMAT).fields.reset_index().itertuples(index=False, name=None)
    assert list(rows) == [
        ("common_type", "unsigned short", 0, 2),
        ("common_pid", "int", 4, 4),
        ("filename", "__data_loc char[]", 8, 4),
        ("comm", "char[16]", 12, 16),
        ("pointer", "const char *", 32, 8),
    ]


def test_data_loc_is_told_from_data() -> None:
    exec_event = Tracepoint("a:b", FORMAT)
    assert exec_event.is_data_loc("filename") is True
    assert exec_event.is_data_loc("comm") is False
    with pytest.raises(UsageError, match="no field 'argv'"):
        exec_event.is_data_loc("argv")


@pytest.mark.parametrize("text", ["", "field", "field:x;\toffset:1", "\0"])
def test_a_file_without_fields_gives_an_empty_table(text: str) -> None:
    assert list(Tracepoint("a:b", text).fields.columns) == ["type", "offset", "size"]


@pytest.mark.parametrize("name", ["", "exec", "sched:", "../../etc:passwd", "sched:a/b"])
def test_a_wrong_name_is_refused_before_any_file_is_opened(name: str) -> None:
    with pytest.raises(UsageError, match="category:event"):
        read_tracepoint(name)


def test_no_tracefs_says_how_to_mount_it(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tracepoint, "TRACEFS", str(tmp_path))
    monkeypatch.setattr(tracepoint, "LEGACY_TRACEFS", str(tmp_path))
    with pytest.raises(MachineError, match="mount -t tracefs"):
        read_tracepoint()


@pytest.mark.live
def test_the_kernels_own_format_names_the_file_by_place() -> None:
    exec_event = read_tracepoint()
    assert exec_event.is_data_loc("filename")
    assert exec_event.fields.at["filename", "size"] == 4


@pytest.mark.live
def test_a_tracepoint_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="no tracepoint 'sched:no_such_event'"):
        read_tracepoint("sched:no_such_event")
