"""What the lab itself finds in a program: each as an attendee meets it, in a cell."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import labkit
from labkit.building import findings
from labkit.building.report import (
    COMPILER_REFUSED,
    HOST_REFUSED,
    VERIFIER_REFUSED,
    BuildReport,
)
from labkit.magic import build_cell
from labkit.program.llvm_ir import Local
from labkit.program.variants import BPF_TREE, Variant

live = pytest.mark.live
PROGRAM = "TRACEPOINT_PROBE(sched, sched_process_exec)\n{\n%s\n\treturn 0;\n}\n"


def cell(text: str) -> BuildReport:
    report = build_cell("", text)
    assert isinstance(report, BuildReport)
    return report


@live
@pytest.mark.parametrize(
    "text", ["\n", "struct a { int b; };\n", "static int f(void *ctx) { return 0; }\n"]
)
def test_a_cell_without_a_program_is_never_accepted(text: str) -> None:
    report = cell(text)
    assert report.outcome == COMPILER_REFUSED
    assert "no program here" in report.reason
    assert "no program here" in str(report.explain())


@live
@pytest.mark.parametrize(
    ("probe", "near"),
    [
        ("TRACEPOINT_PROBE(kmem, kmaloc) { return 0; }", "kmem:kmalloc"),
        ("TRACEPOINT_PROBE(kmem, kmaloc) { return args->bytes_alloc; }", "kmem:kmalloc"),
        ("TRACEPOINT_PROBE(shed, sched_process_exec) { return 0; }", "sched:sched_process_exec"),
        ("RAW_TRACEPOINT_PROBE(sched_swich) { return 0; }", "sched_switch"),
    ],
)
def test_a_tracepoint_that_does_not_exist_is_found(probe: str, near: str) -> None:
    report = cell(probe + "\n")
    assert report.outcome == HOST_REFUSED
    assert "this kernel has no tracepoint" in report.reason
    assert near in report.reason


@live
def test_tracepoints_that_exist_are_not_missed() -> None:
    """pelt_cfs_tp has no place in tracefs: the kernel's types tell that it is there."""
    assert cell("RAW_TRACEPOINT_PROBE(sched_switch) { return 0; }\n").accepted
    assert cell("RAW_TRACEPOINT_PROBE(pelt_cfs_tp) { return 0; }\n").accepted
    assert cell("TRACEPOINT_PROBE(syscalls, sys_enter_openat) { return 0; }\n").accepted


@live
def test_a_call_that_was_left_unlinked_says_so() -> None:
    apart = "static __attribute__((noinline)) int triple(int x) { return x * 3; }\n"
    report = cell(apart + PROGRAM % "\treturn triple(bpf_get_prandom_u32());")
    assert report.outcome == COMPILER_REFUSED
    assert "`triple`" in report.reason and "unlinked" in report.reason
    misspelt = cell(PROGRAM % "\tbpf_get_curent_comm(0, 1);")
    # LLVM 16 and later refuse that themselves, in words that the explanation knows.
    assert "bpf_get_curent_comm" in misspelt.reason + misspelt.explain().happened


@live
def test_a_function_that_is_not_static_is_told_what_to_be() -> None:
    report = cell("int triple(int x) { return x * 3; }\n" + PROGRAM % "\treturn triple(1);")
    assert "static inline" in report.reason


@live
@pytest.mark.parametrize(
    ("declared", "name", "size"),
    [
        ("\tchar big[2000] = {};\n\tbpf_get_current_comm(&big, 16);", "big", 2000),
        (
            "\tstruct { u32 pid; char path[4096]; } data = {};\n"
            '\tbpf_get_current_comm(&data.path, 16);\n\tbpf_trace_printk("%s", data.path);',
            "data",
            4100,
        ),
    ],
)
def test_a_memset_of_a_large_variable_is_about_the_stack(
    declared: str, name: str, size: int
) -> None:
    report = cell(PROGRAM % declared)
    assert report.outcome == COMPILER_REFUSED
    assert "built-in function 'memset'" in report.compiler_log
    assert report.reason.startswith(f"`{name}` takes {size} bytes of stack")
    assert report.reason.index("per-CPU array") < report.reason.index("memset()")
    line, caret = report.pointed_at
    assert line.startswith(f"{4:>5} | ")
    assert line[caret.index("^") :].startswith(name)
    assert f"{size} bytes, the stack has 512 left" in caret
    assert caret in report._repr_html_()


@live
def test_the_variables_that_fill_the_stack_are_pointed_at_in_order() -> None:
    inner = "static inline int a(void *ctx) { char x[300]; bpf_get_current_comm(&x, 16);"
    inner += ' bpf_trace_printk("%s", x); return 0; }\n'
    body = "\tchar z[300];\n\tbpf_get_current_comm(&z, 16);\n\ta(args);\n"
    report = cell(inner + PROGRAM % (body + '\tbpf_trace_printk("%s", z);'))
    told = [line for line in report.pointed_at if "bytes, " in line]
    assert [line.split("bytes, ")[1] for line in told] == ["leaves 212", "the stack has 209 left"]
    assert report.pointed_at[0].startswith("    2 | static inline int a")


def test_a_variable_that_no_line_declares_is_not_pointed_at() -> None:
    stray = Local("gone", "char[]", 600, None, 7, "cell.c")
    assert findings.point_at((stray,), "int x;\n", "cell.c") == ()


@live
def test_libbpfs_dialect_is_told_what_to_write() -> None:
    report = cell(
        '#include "vmlinux.h"\n#include <bpf/bpf_helpers.h>\n'
        'SEC("tracepoint/syscalls/sys_enter_openat")\nint h(void *ctx) { return 0; }\n'
    )
    assert report.outcome == COMPILER_REFUSED
    assert "bcc's dialect" in report.reason
    assert "line 4" in report.reason
    assert "TRACEPOINT_PROBE(syscalls, sys_enter_openat)" in report.reason


@live
def test_an_array_as_a_maps_value_is_wrapped() -> None:
    report = cell("BPF_PERCPU_ARRAY(buf, char[4096], 1);\n" + PROGRAM % "")
    assert "`struct buf_value { char bytes[4096]; };`" in report.reason
    assert "`BPF_PERCPU_ARRAY(buf, struct buf_value, 1);`" in report.reason


@live
def test_what_the_small_headers_lack_is_told_with_what_they_have() -> None:
    """As it is found: a row of the table tells that a header is missing; this tells of the rest."""
    kernels = "#include <uapi/linux/ptrace.h>\n#include <linux/blk-mq.h>\n"
    report = cell(kernels + PROGRAM % "")
    assert report.own_headers == ("uapi/linux/ptrace.h",)
    told = report.explain()
    assert told.key == "missing-header"
    assert "uapi/linux/ptrace.h is the lab's own here" in told.change
    task = "\treturn ((struct task_struct *)bpf_get_current_task())->pid;"
    assert (
        "linux/sched.h is the lab's"
        in cell("#include <linux/sched.h>\n" + PROGRAM % task).explain().change
    )


@live
def test_what_posted_programs_include_is_there() -> None:
    text = "".join(
        f"#include <{path.relative_to(findings.HEADERS)}>\n"
        for path in sorted(findings.HEADERS.rglob("*.h"))
    )
    body = "\tchar comm[TASK_COMM_LEN], name[NAME_MAX + 1];\n\tuint64_t size = PATH_MAX;"
    kprobe = "int on_read(struct pt_regs *ctx, const char __user *name)\n"
    report = cell(text + PROGRAM % body + kprobe + "{ return PT_REGS_PARM2(ctx) + (u64)name; }\n")
    assert report.accepted, report.compiler_log
    assert "linux/limits.h" in report.own_headers


@live
def test_a_function_whose_context_tells_its_type_is_loaded_as_that() -> None:
    """The context of a tracepoint would not let it read a packet's length."""
    report = cell("int length(struct __sk_buff *skb) { return skb->len; }\n")
    assert report.accepted
    assert report.notes == ("length was loaded as a sched_cls program: its context tells",)


@live
def test_a_log_of_hundreds_of_megabytes_is_cut_off_and_says_so() -> None:
    loop = "\tu64 x = bpf_ktime_get_ns();\n\tfor (int i = 0; i < 100000000; i++)"
    loop += '\n\t\t{ x += x >> 3; asm volatile("" : "+r"(x)); }\n\tbpf_trace_printk("%d", x);'
    started = time.monotonic()
    report = cell(PROGRAM % loop)
    assert time.monotonic() - started < 30
    assert report.outcome == VERIFIER_REFUSED
    assert len(report.verifier_text) <= 1 << 20
    assert any("is cut off: " in note for note in report.notes)
    assert "Processed 1000001 insn" in report.verifier_text
    assert report.insns_processed == 1_000_001


@live
def test_the_report_holds_the_text_that_was_compiled(tmp_path: Path) -> None:
    """The file is changed when the build has asked for it, before there is a report."""
    path = tmp_path / "mine.c"
    path.write_text("int f(void *ctx) { return 0; }\n")

    class Changing(type(path)):  # type: ignore[misc]
        def read_text(self, *words: object, **options: object) -> str:
            text: str = super().read_text(*words, **options)
            self.write_text("int changed_meanwhile;\n")
            return text

    report = labkit.build(Variant("mine", Changing(path), "a test"))
    assert report.accepted
    assert report.source == "int f(void *ctx) { return 0; }\n"


@live
@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\f", "\x1c"])
def test_a_sign_that_python_takes_for_a_line_end_leaves_a_comment_whole(sign: str) -> None:
    assert cell(f"int f(void *ctx) {{ // a{sign} int nonsense here\n\treturn 0;\n}}\n").accepted


@live
def test_a_byte_of_latin_1_in_a_message_cuts_nothing() -> None:
    text = '#warning "caf\udce9"\nint f(void *ctx) { return 0; }\n#warning "the end"\n'
    report = labkit.build(Variant("latin", text, "a test"))
    assert report.accepted
    assert "caf" in report.compiler_log
    assert report.compiler_log.rstrip().endswith("generated.")


def test_every_small_header_is_our_own_and_minimal() -> None:
    for path in findings.HEADERS.rglob("*.h"):
        assert len(path.read_text().splitlines()) <= 80, path
        assert path.is_relative_to(BPF_TREE)
