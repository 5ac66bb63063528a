"""What is libbpf's way of writing, and what bcc takes instead."""

from __future__ import annotations

import pytest

from labkit.program.dialect import instead_of

MAP = """struct {
	__uint(type, BPF_MAP_TYPE_%s);
	__uint(max_entries, 10240);
	__type(key, u64);
	__type(value, %s);
} found SEC(".maps");
"""


@pytest.mark.parametrize(
    ("kind", "value", "write"),
    [
        ("HASH", "struct a", "BPF_HASH(found, u64, struct a, 10240);"),
        ("PERCPU_ARRAY", "struct a", "BPF_PERCPU_ARRAY(found, struct a, 10240);"),
        (
            "PERCPU_ARRAY",
            "char[4096]",
            "struct found_value { char items[4096]; };"
            " BPF_PERCPU_ARRAY(found, struct found_value, 10240);",
        ),
        ("RINGBUF", "u32", "BPF_RINGBUF_OUTPUT(found, 3);"),
        ("LRU_HASH", "u32", 'BPF_TABLE("lru_hash", u64, u32, found, 10240);'),
    ],
)
def test_a_map(kind: str, value: str, write: str) -> None:
    (only,) = instead_of(MAP % (kind, value))
    assert (only.line, only.write) == (1, f"write `{write}`")


@pytest.mark.parametrize(
    ("section", "write"),
    [
        ("tracepoint/syscalls/sys_enter_openat", "TRACEPOINT_PROBE(syscalls, sys_enter_openat)"),
        ("tp/sched/sched_switch", "TRACEPOINT_PROBE(sched, sched_switch)"),
        ("raw_tp/sys_enter", "RAW_TRACEPOINT_PROBE(sys_enter)"),
        ("kprobe/do_unlinkat", "int kprobe__do_unlinkat(struct pt_regs *ctx)"),
        ("kretprobe/do_unlinkat", "int kretprobe__do_unlinkat(struct pt_regs *ctx)"),
        ("fentry/do_unlinkat", "KFUNC_PROBE(do_unlinkat, ...)"),
        ("xdp", "write the function alone"),
    ],
)
def test_a_program(section: str, write: str) -> None:
    (only,) = instead_of(f'\n\nSEC("{section}")\nint BPF_PROG(handle, int dfd)\n{{ return 0; }}\n')
    assert only.line == 3
    assert write in only.write
    assert "handle" in only.found


def test_headers_calls_and_the_license() -> None:
    source = (
        '#include "vmlinux.h"\n#include <bpf/bpf_helpers.h>\n'
        "u64 *n = bpf_map_lookup_elem(&counts, &key);\n"
        'char LICENSE[] SEC("license") = "GPL";\n'
    )
    assert [one.line for one in instead_of(source)] == [1, 2, 3, 4]
    assert "`counts.lookup(&key)`" in instead_of(source)[2].write


def test_bccs_own_way_is_not_remarked() -> None:
    source = (
        '#include "exec_event.h"\nBPF_HASH(h, u32, u64);\nTRACEPOINT_PROBE(a, b) { return 0; }\n'
    )
    assert instead_of(source) == ()
