"""Words and numbers that the rows share: limits, names, whose line is whose, what looks refused."""

from __future__ import annotations

SMALLER, LARGER = 512, 2048
"""Bytes of stack: MAX_BPF_STACK (include/linux/filter.h), and MAX_BPF_STACK_JIT after 7.3."""

LIMIT_UNKNOWN = f"{SMALLER} bytes ({LARGER} on kernels after 7.3 with a JIT that has it)"

SEE = {
    "compiler": "01_stack_limit, section 3",
    "verifier": "01_stack_limit, section 4",
    "chain": "03_compiler_and_verifier, section 5",
    "percpu": "01_stack_limit, section 2",
    "log": "03_compiler_and_verifier, section 1",
    "machine": "01_stack_limit, section 1",
    "break": "03_compiler_and_verifier, section 6",
    "unknown": "01_stack_limit, section 4",
}
"""Topic to the place in the notebooks that treats it."""

# Old kernels print a helper's number alone (include/uapi/linux/bpf.h, enum bpf_func_id).
HELPERS = {
    "1": "bpf_map_lookup_elem",
    "2": "bpf_map_update_elem",
    "3": "bpf_map_delete_elem",
    "4": "bpf_probe_read",
    "5": "bpf_ktime_get_ns",
    "6": "bpf_trace_printk",
    "12": "bpf_tail_call",
    "14": "bpf_get_current_pid_tgid",
    "15": "bpf_get_current_uid_gid",
    "16": "bpf_get_current_comm",
    "25": "bpf_perf_event_output",
    "26": "bpf_skb_load_bytes",
    "27": "bpf_get_stackid",
    "45": "bpf_probe_read_str",
    "67": "bpf_get_stack",
}

POINTER_FROM = ("1", "bpf_map_lookup_elem", "bpf_ringbuf_reserve", "bpf_get_local_storage")
"""Helpers that give a pointer, as a log names them; where it shows no types."""

MEMORY = {"value": "map's value", "key": "map's key", "memory": "record"}
"""What the verifier calls the memory that an access is outside of, in plain words."""

ABOUT_BPF = (
    r"^(?!.*(?:attach|perf.?event|[uk]probe '|BPF link|\bmount\b|\bopen /)).*"
    r"(?:\be?bpf|\bprog|\bverifier|\bload|libscap|\bmap\b)"
)
"""What makes an errno one of BPF's: other calls have the same numbers."""

ABOUT_LOAD = (
    r"^(?!.*(?:attach|perf.?event|[uk]probe '|BPF link|\bmount\b|\bopen /|map create|create map"
    r"|\bpin|map '))"
    r".*(?:\bload|\bprog|\bverifier|^bpf: |libscap)"
)
"""What makes it one of loading a program."""

_RINGBUF = "bpf_ringbuf_submit() or bpf_ringbuf_discard()"
RELEASE = {
    "bpf_ringbuf_reserve": _RINGBUF,
    "bpf_ringbuf_reserve_dynptr": "bpf_ringbuf_submit_dynptr() or bpf_ringbuf_discard_dynptr()",
    "bpf_sk_lookup_tcp": "bpf_sk_release()",
    "bpf_sk_lookup_udp": "bpf_sk_release()",
    "bpf_skc_lookup_tcp": "bpf_sk_release()",
    "bpf_task_acquire": "bpf_task_release()",
    "bpf_task_from_pid": "bpf_task_release()",
    "bpf_task_from_vpid": "bpf_task_release()",
    "bpf_cgroup_acquire": "bpf_cgroup_release()",
    "bpf_cgroup_from_id": "bpf_cgroup_release()",
    "bpf_cgroup_ancestor": "bpf_cgroup_release()",
    "bpf_task_get_cgroup1": "bpf_cgroup_release()",
    "bpf_cpumask_create": "bpf_cpumask_release()",
    "bpf_cpumask_acquire": "bpf_cpumask_release()",
    "bpf_crypto_ctx_create": "bpf_crypto_ctx_release()",
    "bpf_get_task_exe_file": "bpf_put_file()",
    "bpf_ct_lookup": "bpf_ct_release()",
    "bpf_skb_ct_lookup": "bpf_ct_release()",
    "bpf_xdp_ct_lookup": "bpf_ct_release()",
    "bpf_obj_new_impl": "bpf_obj_drop(), or a push or add into a list or tree",
    "bpf_kptr_xchg": "the release function of its type, or bpf_kptr_xchg() back into a map",
    "bpf_iter_num_new": "bpf_iter_num_destroy()",
    "bpf_iter_task_new": "bpf_iter_task_destroy()",
}
"""What takes something, and what gives it back (``BPF_CALL`` and ``KF_ACQUIRE`` of the kernel)."""

TOOLS = (
    ("bpftrace", r"\bbpftrace\b|^error: <unknown>:0:0: in function (?:[ku](?:ret)?probe|tracepoint"
     r"|rawtracepoint|interval|profile|fentry|fexit|k(?:ret)?func|BEGIN|END|usdt)[:_]\S*(?::\S+"
     r"|_\d+) "
     r"|^Attaching \d+ probes?\.\.\.|Error loading BPF program for"),
    ("bcc", r"/virtual/(?:main\.c|include)|\bfrom bcc\b|\bbcc/__init__|^bpf: |\bbcc\b.*\.py"
     r"|\bBPF_(?:PERCPU_ARRAY|HASH|ARRAY|PERF_OUTPUT|RINGBUF_OUTPUT|STACK_TRACE|TABLE)\("
     r"|\bTRACEPOINT_PROBE\(|\.(?:perf_submit|ringbuf_\w+|lookup_or_\w+)\("
     r"|Failed to (?:load|compile|attach) BPF (?:program|module)"),
    ("rust", r"\baya\b|bpf-linker|BPF_PROG_LOAD syscall failed|VerifierLog\(|\bProgramError\b"
     r"|ebpf::\w+|\bunsafe \{"),
    ("go", r"line\(s\) omitted|\bload program: |cilium/ebpf|loading (?:eBPF )?objects"
     r"|\bfield \w+: program|bpf2go"),
    ("tc", r"^Prog section '|^Verifier analysis:|Error fetching program/map"),
    ("libbpf", r"\blibbpf: |bpftool|libxdp: |libscap|libpman"),
)  # fmt: skip
"""The tool that someone builds or loads with, and how it shows in a text or in a source."""

SPEAKERS = (
    ("the compiler", r"^\S+:\d+:\d+: (?:fatal )?error|LLVM ERROR|^error: <unknown>|^clang"),
    ("libbpf, which loads the program", r"\blibbpf: "),
    ("libxdp, which loads the program", r"\blibxdp: "),
    ("libscap, which loads the program", r"\blib(?:scap|pman)\b"),
    ("the kernel's log", r"^\[ *\d+\.\d+\]|\bLockdown: |\baudit: "),
    ("cilium/ebpf, the Go library that loads the program", r"\bload program: |line\(s\) omitted"),
    ("aya, the Rust library that loads the program", r"BPF_PROG_LOAD syscall|\baya\b"),
    ("bpftrace", r"\bbpftrace\b|^ERROR: |^stdin:\d+"),
    ("bcc", r"^bpf: |\bBPF (?:program|module|text)\b|\bbcc\b"),
    ("tc", r"^Prog section|Error fetching program|RTNETLINK"),
    ("bpftool", r"\bbpftool\b"),
    ("Python", r"^\w+(?:Error|Exception): |^Exception: "),
)
"""Whose line is whose; tried in this order."""

REFUSAL = (
    r"\b(?:reject\w*|refus\w*|fail(?:s|ed|ure|ures|ing)?|den(?:y|ied)|prohibited|disallowed"
    r"|forbidden|error|errors|errno|exception|cannot|can't|couldn't|unable|invalid|illegal|unknown"
    r"|unsupported|unrecogni[sz]ed|missing|mismatch\w*|corrupt\w*|malformed|panicked|panic|abort\w*|fatal|exceed\w*"
    r"|(?:not|could not|no longer) (?:be )?(?:permitted|allowed|supported|found|open|load|loaded"
    r"|attach|create|find|exist|enough)|no such|no space left|too (?:large|big|long|many|small"
    r"|deep|complex|old)"
    r"|is not|isn't|does not|not resolved|unresolved|ambiguous|already attached|answers: "
    r"|is specified, use|not traceable"
    r"|doesn't|didn't|bad|beyond|bug|no module|can only|args while"
    r"|needs? (?:super|root)|must be|permissions|privil\w+|omitted|owned by|type enabled in|err=\d+"
    r"|restricted|lockdown|E(?:PERM|ACCES|INVAL|2BIG|NOMEM|NOSPC|FAULT|BUSY|NOENT|NOTSUPP"
    r"|OPNOTSUPP|EXIST|BADF))\b|\bexit(?:ed)?(?: with)? (?:status|code):? ?[1-9]|[:=] ?-\d{1,3}\b"
)
"""What makes a line look like a refusal."""

HARMLESS = (
    r"[Rr]etrying without|is optional, ignoring|, skipping|skipping |Ignored and continue"
    r"|\b0 errors?"
    r"|falling? back|is not a recognized processor|Cannot find btf of tracepoint template"
    r"|^\s*;|^\s*#|max_states_per_insn|[Ww]arning: "
)
"""What has such a word and refuses nothing."""

REMARKS = r"arg ?#\d+ |Global function |reg type unsupported|Unrecognized arg#"
"""What begins a remark that is the verdict where the walk did not go on after it."""

TIME_LIMIT_OVER = "the time limit was over"
"""How it is told that the lab itself ended a build."""

UNKNOWN: dict[str, tuple[str | tuple[str, ...], ...]] = {
    "verifier": (
        "An error that this lab does not know",
        "The verifier stopped<< at {where}>> and said: {said}",
        "This lab has no explanation for this message.",
        "Read the lines before it: the last instruction, the C line above that, and what the"
        " registers held.",
    ),
    "compiler": (
        "An error that this lab does not know",
        "The compiler<< stopped at {where}, and>> said: {said}",
        "This lab has no explanation for this message.",
        "Read the lines around it; an error further up may be the cause of this one.",
    ),
    "line": (
        "Not known to this lab",
        "This line looks like the refusal<<, and it is from {speaker}>>: {said}",
        "This lab has no explanation for this message, and will not guess at one.",
        "Look at the lines around it, and search for its words in the documentation of what printed"
        " it. If a verifier's log belongs to it, give that too.",
    ),
    "cut": (
        "The log ends before the verdict",
        "This log shows the verifier at work, but neither a refusal nor its last line"
        " (`processed ... insns`): its end is missing.",
        "The reason stands at the end of a log. A tool may print only its beginning, and kernels"
        " before 6.4 lose the end when the buffer is too small.",
        "Get the whole log: a larger buffer, or a lower log level; and look at what the tool that"
        " loads it printed after the log.",
    ),
    "nothing": (
        "No refusal found",
        "Here neither the verifier nor a compiler refuses a program.",
        "There is no verifier's log in this text, and no word of something that failed.",
        "Give the output of the load from its beginning to its end; with libbpf or bpftool `-d`,"
        " the"
        " verifier's log is in it.",
    ),
    "not_all_read": (
        "No refusal found at either end",
        "This text has too many lines that are not a verifier's; the first and the last 500 of"
        " them were read, and none of these refuses a program.",
        "A refusal usually stands at the end of what a tool prints.",
        "Give only the part around the load.",
    ),
    "worker_died": (
        "No answer",
        "The process that compiles and loads did not come to an answer<<: {said}>>.",
        (
            "Nobody judged the program to the end, so this says nothing of it. {late} is too short"
            " on a machine that is slow or busy, for a loop that the compiler unrolls into"
            " thousands of copies, and for one so long that the verifier walks it for minutes.",
            "Nobody judged the program, so this says nothing of it.",
        ),
        (
            "{late} can be longer: `labkit.build(..., time_limit=SECONDS)`, or `LABKIT_PATIENCE=4`"
            " in the environment, which makes every limit four times the usual one. If there is a"
            " long loop, take `#pragma unroll` away or unroll less, or give it a smaller constant"
            " bound.",
            "Try the same once more. If it ends so again, see what this machine lacks:"
            " `sudo ./lab check`.",
        ),
    ),
    "host_refused": (
        "This machine refused",
        "The kernel refused before the verifier looked.",
        "This lab has no explanation without a message.",
        "Look at the last lines that were printed, and try the same build once more.",
    ),
    "silent": (
        "No reason found",
        "The program was refused, and neither log says why.",
        "This lab has no explanation without a message.",
        "Look at the last lines that were printed, and try the same build once more.",
    ),
}  # fmt: skip
"""What is said where no row fits: title, what happened, why, what to do."""

ACCEPTED = (
    "Accepted",
    (
        "The verifier walked {walked} instructions and refused nothing<<; it counted {depth} bytes"
        " of stack>>.",
        "The program passed the compiler and the verifier<<; {depth} bytes of stack>>.",
    ),
    "On every path each access stayed inside memory that the program may use.",
    "Nothing.",
)

OF = "{depth} of {limit}"

REPORT = "The kernel's own report says: {report}"
REPORT_DIFFERS = (
    "The kernel's own report files it under {category}, which is not how this lab reads the line"
    " above. Believe the kernel: {report}"
)
