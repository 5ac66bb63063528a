"""Helpers, kernel functions, other functions of the program, licences, sleeping."""

from __future__ import annotations

from labkit.explain.message import Message

_TYPES_WHY = (
    "Each type of program has its own list of helpers, and each kernel its own set: what a network"
    " filter"
    " may do can make no sense, or do harm, in a tracepoint."
)

ROWS = (
    Message(
        key="unknown-function",
        rank=0,
        speaker="compiler",
        pattern=r"implicit declaration of function '(?P<func>\w+)'"
        r"|implicitly declaring library function '(?P<func_lib>\w+)'"
        r"|call to undeclared (?:library )?function '(?P<func_new>\w+)'",
        title="A function that nobody declared",
        happened="The compiler<<, at {where},>> does not know a function {func}(): it has to guess"
        " what it is,"
        " and BPF has no library that could have it. What follows, in the verifier or the linker,"
        " comes from this.",
        why="The name of a helper is declared in bpf_helpers.h (bcc: its own headers), with its"
        " number. A name that"
        " is spelt wrong, or a function of the C library, is an ordinary call to a function that"
        " is not there.",
        change={
            "": "Check the spelling of {func}(), and include the header that declares it"
            " (`#include <bpf/bpf_helpers.h>`, bpf_tracing.h, bpf_core_read.h). Instead of a"
            " function of the C library"
            " use a helper or `__builtin_...`.",
            "bcc": "Check the spelling of {func}(). bcc declares all helpers that its release"
            " knows: a newer one needs"
            " a newer bcc; a function of the C library is not there at all.",
        },
        example="x.bpf.c:3:5: warning: implicit declaration of function 'bpf_get_curent_comm' is"
        " invalid in C99"
        " [-Wimplicit-function-declaration]",
        source="clang: DiagnosticSemaKinds.td: ext_implicit_function_decl_c99",
    ),
    Message(
        key="co-re-relocation",
        rank=0,
        pattern=r"failed to resolve CO-RE relocation <(?P<what>\w+)> (?:\[\d+\] )?(?P<target>.+?)"
        r"(?: \(\d+:[\d:]*(?: @ offset \d+)?\))?$",
        speaker="loader",
        title="The running kernel has not what the program asks for (CO-RE)",
        happened="A CO-RE relocation failed: the running kernel has no {target}, or has it in"
        " another form.",
        why="The program was compiled against one kernel's structs. At load time each access to a"
        " member is fitted to"
        " the running kernel, from its BTF, and this one was not found: it was renamed, moved or"
        " removed, or belongs"
        " to another version of the kernel.",
        change="Ask for it before use: `if (bpf_core_field_exists(s->member))`, with a second"
        " struct"
        " (`struct name___old`) for the other name. If the program is not yours, take its version"
        " for your kernel.",
        example="failed to resolve CO-RE relocation <byte_off> [423] struct inode.i_atime.tv_sec"
        " (0:15:0 @ offset 88)",
        source="libbpf: src/libbpf.c: fixup_log_failed_core_relo",
    ),
    Message(
        key="co-re-relocation",
        rank=0,
        pattern=r"unknown#195896080|0xbad2310\b|bad CO-?RE relocation|<invalid CO-RE relocation>"
        r"|bad relocation.*CO-?RE",
        speaker="loader",
        title="A CO-RE relocation that failed",
        happened="A CO-RE relocation failed: the program uses a field, a struct or an enum value"
        " that the running"
        " kernel does not have, or has in another form. No helper is meant: 195896080 (0xbad2310)"
        " is the number that"
        " loaders put into an instruction which they could not fit to this kernel.",
        why="The program was compiled against one kernel's structs. At load time each access to a"
        " member is fitted to"
        " the running kernel, from its BTF; what is not found there is marked so, and is refused"
        " if it is reached.",
        change={
            "": "Find the C line above the marked instruction: its struct member is missing in"
            " this kernel. Guard it with"
            " bpf_core_field_exists() or bpf_core_type_exists(), or describe the other layout"
            " (`struct name___old`). If"
            " the program is not yours, take its version for your kernel.",
            "go": "Print the whole error (`%+v` of *ebpf.VerifierError): the C line before the"
            " marked instruction names"
            " the struct member that this kernel lacks. Guard it with bpf_core_field_exists(). If"
            " the program is not"
            " yours, take its version for your kernel, and check that the kernel has BTF"
            " (/sys/kernel/btf/vmlinux).",
        },
        example="invalid func unknown#195896080",
        source="libbpf: src/relo_core.c: bpf_core_poison_insn; cilium/ebpf: btf/core.go",
    ),
    Message(
        key="kfunc-missing",
        rank=0,
        pattern=r"extern \(func ksym\) '(?P<func>\w+)'(?:: | )?(?:not found in kernel"
        r"|incompatible types|func_proto)"
        r"|calling invalid kfunc (?P<func_bad>\S+)|kfunc \"?(?P<func_go>\w+)\"?:? (?:unknown"
        r"|not found)|unknown kfunc"
        r"|extern '(?P<func_x>\w+)'(?: \(strong\))?: not resolved"
        r"|kfunc '(?P<func_l>\w+)' is referenced but wasn't resolved",
        speaker="loader",
        title="A kernel function that the running kernel does not have",
        happened=(
            "The program calls {func}(), and the running kernel has no kernel function of that"
            " name, or one with"
            " another signature.",
            "The program calls a kernel function (kfunc) that the running kernel does not have.",
        ),
        why="Kernel functions (kfuncs) come and go with kernel versions, configuration and"
        " modules; the loader looks each"
        " one up in the kernel's BTF.",
        change="Load it on a newer kernel (or the one it was written for), or with the module that"
        " has it. Declare it"
        " `__weak __ksym` and test `if (bpf_ksym_exists({func}))` to do without it.",
        example="libbpf: extern (func ksym) 'bpf_iter_task_new': not found in kernel or module"
        " BTFs",
        source="libbpf: src/libbpf.c: bpf_object__resolve_ksym_func_btf_id",
    ),
    Message(
        key="kernel-symbol",
        rank=0,
        pattern=r"extern \(var ksym\) '(?P<name>\w+)'(?:: | )?(?:not found|incompatible)",
        speaker="loader",
        title="A kernel variable that is not there",
        happened="The program uses the kernel's variable {name}, and the running kernel has none of"
        " that name, or of another type: {said}.",
        why="An `extern ... __ksym` is looked up in the running kernel's BTF and /proc/kallsyms;"
        " BTF has the per-CPU variables only.",
        change="Check the name for this kernel (`sudo grep -w {name} /proc/kallsyms`); declare it"
        " `__weak __ksym` and test for NULL before use.",
        example="libbpf: extern (var ksym) 'runqueuesx': not found in kernel BTF",
        source="libbpf: src/libbpf.c: bpf_object__resolve_ksym_var_btf_id",
    ),
    Message(
        key="kfunc-missing",
        rank=0,
        pattern=r"<invalid kfunc call>",
        speaker="loader",
        title="A kernel function that the running kernel does not have",
        happened="The program calls a kernel function (kfunc) that the running kernel does not"
        " have; the loader put a mark in place of the call.",
        why="Kernel functions (kfuncs) come and go with kernel versions, configuration and"
        " modules.",
        change="Load it on a newer kernel (or the one it was written for), or with the module that"
        " has it. Declare it `__weak __ksym` and test bpf_ksym_exists() to do without it. The"
        " loader's lines above the log name it.",
        example="15: <invalid kfunc call>",
        source="libbpf: src/libbpf.c: fixup_verifier_log",
    ),
    Message(
        key="gpl",
        pattern=r"cannot call (?:GPL-restricted|GPL only"
        r"|kernel) function from (?:non-GPL compatible|proprietary) program"
        r"|(?P<who>LSM programs|struct ops programs"
        r"|Fentry/fexit programs?) must have a GPL compatible license"
        r"|Cannot access kernel 'struct \S+' from non-GPL",
        title="The program's licence forbids this",
        happened=(
            "The program calls {helper}(), which is only for programs under the GPL, and declares"
            " another license.",
            "{who} are only for programs under the GPL, and this one declares another license.",
            "The program uses something that is only for programs under the GPL, and declares"
            " another license.",
        ),
        why="Some helpers are exported to GPL-compatible programs only, as some kernel functions"
        " are to modules.",
        change={
            "": 'Declare a compatible license if you may: `char LICENSE[] SEC("license") ='
            ' "GPL";`.',
            "bcc": "Declare a compatible license if you may: `#define BPF_LICENSE GPL` (bcc's own"
            " default is GPL).",
            "rust": "Declare a compatible license if you may: `#[unsafe(link_section ="
            ' "license")] #[unsafe(no_mangle)]'
            ' static LICENSE: [u8; 4] = *b"GPL\\0";`.',
        },
        example="cannot call GPL-restricted function from non-GPL compatible program",
        source="kernel/bpf/verifier.c: check_helper_call",
        report="Policy",
    ),
    Message(
        key="sleepable",
        pattern=r"helper call might sleep in a non-sleepable prog"
        r"|program must be sleepable to call (?:sleepable )?kfunc"
        r" (?P<func>\S+)|(?:sleepable|kernel) (?:helper|func|kfunc|function"
        r"|global function) (?P<func_in>\S+?)(?:#\d+|\(\))?"
        r" (?:is sleepable|called in|in|might sleep)|is sleepable but the program is not",
        title="A call that may sleep, where the program must not",
        happened=(
            "The program calls {helper}(), which may sleep, and a program of this kind (or this"
            " part of it) may not"
            " sleep.",
            "The program calls {func}(), which may sleep, and a program of this kind (or this part"
            " of it) may not sleep.",
            "The program calls something that may sleep, and a program of this kind may not sleep.",
        ),
        why="Most programs run where the kernel cannot wait: in an interrupt, with preemption off,"
        " under a lock or RCU."
        " A page fault would have to wait.",
        change={
            "": "Use a function that does not sleep (bpf_probe_read_user() instead of"
            " bpf_copy_from_user(): it gives up"
            " where the page is not there), or make the program sleepable, where its type can be:"
            ' `SEC("lsm.s/...")`,'
            ' `SEC("fentry.s/...")`, `SEC("uprobe.s")`, `SEC("iter.s/...")`,'
            ' `SEC("syscall")`. A tracepoint or a'
            " kprobe cannot. Inside a lock or bpf_rcu_read_lock() nothing may sleep.",
            "bcc": "Use bpf_probe_read_user() instead of bpf_copy_from_user(): it does not sleep,"
            " and gives up where the"
            " page is not there. A tracepoint or a kprobe cannot be a sleepable program.",
        },
        example="7: (85) call bpf_copy_from_user#148\nhelper call might sleep in a non-sleepable"
        " prog",
        source="kernel/bpf/verifier.c: check_helper_call",
        report="Execution Context Safety|Policy",
    ),
    Message(
        key="helper-locked",
        pattern=r"unknown func bpf_(?P<name>probe_write_user|override_return)#\d+"
        r"|program of this type cannot use helper bpf_(?P<name_type>probe_write_user"
        r"|override_return|probe_read\b"
        r"|probe_read_str|probe_read_kernel|probe_read_kernel_str|trace_printk)#\d+",
        title="A helper that this kernel keeps from this program",
        happened="The program calls bpf_{name}(), and this kernel does not give it to this"
        " program. Either this type of"
        " program may not use it, or the kernel is configured or locked down so that none may.",
        why="The kernel hides helpers that read or change its memory: under lockdown (Secure Boot"
        " turns it on) reading"
        " helpers go with `confidentiality`, bpf_probe_write_user() already with `integrity`;"
        " bpf_override_return()"
        " needs CONFIG_BPF_KPROBE_OVERRIDE and a kprobe; bpf_probe_read() and bpf_probe_read_str()"
        " exist only on machines"
        " where kernel and user addresses do not overlap (not on arm64, s390 and others).",
        change="Look at `cat /sys/kernel/security/lockdown`: if `integrity` or `confidentiality`"
        " is in brackets, Secure"
        " Boot or a boot option locked the kernel, and only booting without it helps. Else look at"
        " the kernel's CONFIG_"
        " options and the type of the program; and use bpf_probe_read_kernel() or"
        " bpf_probe_read_user() instead of"
        " bpf_probe_read().",
        example="unknown func bpf_probe_write_user#36",
        source="kernel/trace/bpf_trace.c: bpf_tracing_func_proto",
    ),
    Message(
        key="helper",
        pattern=r"invalid func (?:unknown#)?(?P<number>\d+)\b"
        r"|invalid func (?P<name>\S+?)#(?P<number_known>\d+)",
        title="A helper that this kernel does not have",
        happened=(
            "The program calls {name}() (number {number}), which this kernel does not have.",
            "The program calls {helper}() (number {number}), which this kernel does not have.",
            "The program calls helper number {number}, and this kernel has no helper of that"
            " number.",
        ),
        why="Helpers are numbered in the order they came (include/uapi/linux/bpf.h); a number the"
        " kernel does not know"
        " is from a newer kernel, or no helper at all: a number can also be put there by a loader"
        " as a mark.",
        change="Load it on a newer kernel, or do without the helper: `if"
        " (bpf_core_enum_value_exists(enum bpf_func_id,"
        " BPF_FUNC_...))`. `bpftool feature probe` lists what this kernel has.",
        example="invalid func unknown#211",
        source="kernel/bpf/verifier.c: check_helper_call",
    ),
    Message(
        key="helper",
        pattern=r"unknown func (?P<func>[^\s#]+)"
        r"|program of this type cannot use helper (?P<func_type>[^\s#]+)"
        r"|func (?P<func_prog>[^\s#]+)#\d+ (?:not )?supported (?:only )?for"
        r"|calling kernel function (?P<func_k>\S+) is not allowed",
        title="A function that this program may not call",
        happened="The program calls {func}(), which this type of program may not call, or which"
        " this kernel does not"
        " have for it.",
        why=_TYPES_WHY,
        change="Use a helper that this type of program has, another type of program (look at its"
        " section name or where it"
        " is attached), or a newer kernel. `bpftool feature probe` lists which type has which.",
        example="unknown func bpf_skb_load_bytes#26",
        source="kernel/bpf/verifier.c: check_helper_call, check_kfunc_call",
        report="Policy",
    ),
    Message(
        key="helper",
        pattern=r"helper call is not allowed in probe",
        title="A helper that is not allowed at this probe",
        happened=(
            "The program calls the helper {helper}(), which is not allowed in a program of this"
            " type or at this place of"
            " attachment.",
            "The program calls a helper that is not allowed in a program of this type or at this"
            " place of attachment.",
        ),
        why="Some helpers are only for certain hooks (bpf_d_path() for a list of functions,"
        " bpf_get_func_ip() for"
        " kprobes...), and the kernel looks at where the program is to be attached.",
        change="Attach it to a function that is on the kernel's list, use another helper for what"
        " you need, or a type of"
        " program that may call it.",
        example="helper call is not allowed in probe",
        source="kernel/bpf/verifier.c: check_helper_call (fn->allowed)",
        report="Policy",
    ),
    Message(
        key="map-function",
        pattern=r"cannot pass map_type (?P<type>\d+) into func (?P<func>[^\s#]+)"
        r"|(?P<who>Sleepable programs) can only use|cannot update sockmap in this context"
        r"|no direct value access|kernel function \S+ .* map type",
        title="A map of a type that this call does not take",
        happened=(
            "The program hands a map of the type number {type} to {func}(), which does not take"
            " that type.",
            "{said}.",
        ),
        why="Each type of map has its own functions (enum bpf_map_type in"
        " include/uapi/linux/bpf.h: 1 hash, 2 array, 3"
        " program array, 4 perf event array, 5 per-CPU hash, 6 per-CPU array, 27 ring buffer).",
        change="Use the function that belongs to the map's type (a ring buffer has"
        " bpf_ringbuf_output(), a perf event array"
        " bpf_perf_event_output()), or declare the map as the type that the function needs.",
        example="cannot pass map_type 27 into func bpf_map_lookup_elem#1",
        source="kernel/bpf/verifier.c: check_map_func_compatibility",
    ),
    Message(
        key="format-string",
        pattern=r"Invalid format string|fmt string|invalid fmt",
        title="A format that bpf_trace_printk() does not take",
        happened="The format string has something that the kernel's printing helpers do not"
        " know<<, in {c}>>.",
        why="They take %d %i %u %x %ld %lld %llu %llx %p %s and a few more, at most three values"
        " in bpf_trace_printk(), no"
        " width or precision in old kernels.",
        change="Use only these, and at most three values; for more use bpf_printk() of a newer"
        " libbpf, which calls"
        " bpf_trace_vprintk() (5.16).",
        example="Invalid format string",
        source="kernel/bpf/verifier.c: check_bpf_snprintf_call",
    ),
    Message(
        key="jit-missing",
        pattern=r"tail_calls are not allowed in (?:non-JITed )?programs with bpf-to-bpf calls"
        r"|mixing of tail_calls and bpf-to-bpf calls is not supported"
        r"|(?:callbacks|stack args|calling kernel functions?) are not (?:allowed"
        r"|supported) in non-JITed programs"
        r"|JIT (?:is required|does ?n[o']t support|does not support) (?P<what>.*)"
        r"|JIT (?:is required|does(?: not|n't) support)"
        r"|requires BPF JIT compiler|Private stack not supported by jit|should be JITed"
        r"|to only JITed progs"
        r"|function calls are not allowed.*JIT|not supported by (?:the )?JIT",
        title="The JIT compiler is needed, or cannot do this",
        happened="The program needs something of the kernel's JIT compiler that it cannot do here:"
        " {said}.",
        why="Programs are translated to machine code by the JIT, if the architecture has one, it"
        " is built in"
        " (CONFIG_BPF_JIT) and switched on. The interpreter cannot do calls between functions"
        " together with tail calls,"
        " kernel functions or callbacks; and some architectures' JITs (32-bit ones above all) lack"
        " parts.",
        change="Switch the JIT on (`sysctl net.core.bpf_jit_enable=1`). If it is on, this kernel's"
        " JIT for this architecture"
        " lacks it: a newer kernel may have it; else avoid it: inline the functions (`static"
        " __always_inline`), no tail"
        " calls together with them.",
        example="JIT doesn't support bpf-to-bpf calls",
        source="kernel/bpf/fixups.c: jit_subprogs, fixup_call_args",
    ),
    Message(
        key="global-function",
        pattern=r"[Gg]lobal function (?P<func>\S+?)(?:\(\))? .*(?:return|args)"
        r"|Caller passes invalid args into func#"
        r"|Arg#(?P<arg_no>\d+) type (?P<type>\S+) in (?P<func_arg>\S+) is not supported"
        r"|Global functions need valid BTF"
        r"|func(?:tion)? call.*not allowed|arg#\d+ (?:reference type.*size cannot be determined"
        r"|has type .* but only struct)",
        title="A global function with arguments or a result that are not allowed",
        happened="{said}.",
        why="A function that is not `static` is verified by itself, from its declaration alone:"
        " its arguments must be"
        " numbers, the context, or pointers to things of a known size, its result a number.",
        change="Make it `static` (it is then verified where it is called), or change its"
        " arguments; hand over the size of"
        " memory with it.",
        example="0: (85) call pc+1\nGlobal function foo() doesn't return scalar. Only those are"
        " supported.\nprocessed 1 insns",
        source="kernel/bpf/btf.c: btf_prepare_func_args",
    ),
    Message(
        key="capability",
        pattern=r"(?:is allowed only to|are allowed for|require[sd]?) CAP_(?P<cap>\w+)"
        r"|CAP_(?P<cap_r>\w+) (?:and CAP_\w+ )?(?:are|is) required",
        title="A capability is missing",
        happened="Loading this needs the capability CAP_{cap}, and whoever loads it has not got"
        " it: {said}",
        why="Functions of its own, kernel functions, reading kernel memory and loops are for"
        " privileged users.",
        change="Load it as root (`sudo`), or give the loader CAP_BPF and CAP_PERFMON (before 5.8"
        " CAP_SYS_ADMIN).",
        example="loading/calling other bpf or kernel functions are allowed for CAP_BPF and"
        " CAP_SYS_ADMIN",
        source="kernel/bpf/verifier.c: add_subprog_and_kfunc",
        report="Policy",
    ),
    Message(
        key="bpf-trap",
        pattern=r"unexpected __bpf_trap\(\)|__bpf_trap",
        title="The compiler put a trap where a value was missing",
        happened="The program reaches a call of __bpf_trap()<<, in {c}>>: the compiler found"
        " undefined behaviour there, most often a"
        " variable that is read without having been set, and left out the rest of the path.",
        why="Newer clang marks such a place instead of silently dropping the code behind it; the"
        " verifier refuses to run into it.",
        change="Set the variable on every path before it is read, look at the compiler's warnings"
        " (`-Wall -Wuninitialized`), and check"
        " shifts, divisions and array indexes on that path.",
        example="unexpected __bpf_trap() due to uninitialized variable?",
        source="kernel/bpf/verifier.c: check_kfunc_call",
        since="6.17",
    ),
    Message(
        key="const-string",
        pattern=r"(?P<reg>R\d+) (?:does not point to a readonly map|is not a constant address"
        r"|points to \w+ map which)|is not a constant address|string is not zero-terminated"
        r"|cannot be used as const string"
        r"|direct value access on string failed",
        title="A string that is not constant",
        happened=(
            "The {nth} argument of {helper}()<<, {arg},>> must be a constant string: {said}.",
            "An argument must be a constant string: {said}.",
        ),
        why="The helper's format or text is checked when the program is loaded, so it has to lie"
        " in a read-only map (.rodata), at a fixed"
        " address, and end with a zero.",
        change='Declare it `static const char fmt[] = "...";` outside the function (not on the'
        " stack), and hand over its start.",
        example="R3 does not point to a readonly map'",
        source="kernel/bpf/verifier.c: check_reg_const_str",
    ),
    Message(
        key="extension",
        pattern=r"\(\) has \d+ args while|Return type .* of \S+\(\) doesn't match"
        r"|arg\d+ in \S+\(\) (?:is|has)|is not a global function"
        r"|arg\d+ \S+\(struct .* doesn't match|Program extension requires BTF"
        r"|freplace programs with",
        title="A replacing function does not fit the one it replaces",
        happened="{said}.",
        why="An extension (freplace) takes the place of a global function of another program, with"
        " exactly the same arguments and result.",
        change="Give both the same signature, and make the replaced function global (not static,"
        " `__noinline`), compiled with `-g`.",
        example="foo() has 2 args while bar() has 1 args",
        source="kernel/bpf/btf.c: btf_check_func_type_match",
    ),
    Message(
        key="traced-argument",
        rank=0,
        pattern=r"func '(?P<func>[^']+)' (?:doesn't have \d+-th argument"
        r"|offset \d+ is not multiple|size \d+ must be 8|arg\d+ '?.*has type)"
        r"|ret type \S+ not allowed for fmod_ret",
        title="An argument that the traced function does not have",
        happened="The program reads an argument of {func}() that it does not have, or that is no"
        " pointer or number: {said}.",
        why="fentry, fexit, tp_btf and LSM programs get the arguments of the traced function as"
        " the running kernel declares them, 8 bytes"
        " each.",
        change="Look the function up in the running kernel (`bpftool btf dump file"
        " /sys/kernel/btf/vmlinux format c | grep -w {func}`), and"
        " give BPF_PROG() the same arguments.",
        example="func 'do_unlinkat' doesn't have 3-th argument",
        source="kernel/bpf/btf.c: btf_ctx_access",
    ),
    Message(
        key="packet-load",
        pattern=r"BPF_LD_\[ABS\|IND\] (?:instructions not allowed|cannot be|.*)"
        r"|at the time of BPF_LD_ABS|cannot use BPF_LD_\[ABS"
        r"|(?:LD_ABS|tail_call) is (?:not|only) allowed in",
        title="An old packet load, or a tail call, where it is not allowed",
        happened="{said}.",
        why="The old instructions that load from a packet end the program by themselves when the"
        " packet is too short, so they are only for"
        " socket filters and tc, with the context in R6, and in functions that return an int (with"
        " BTF).",
        change="Use bpf_skb_load_bytes() instead of load_byte() and its kin; for a tail call in a"
        " function, compile with `-g` and let the"
        " function return int.",
        example="BPF_LD_[ABS|IND] instructions not allowed for this program type",
        source="kernel/bpf/verifier.c: check_ld_abs",
    ),
    Message(
        key="kernel-symbol",
        pattern=r"ldimm64 (?:failed to find|unable to resolve|specifies invalid)"
        r"|pseudo btf_id \d+ in ldimm64",
        title="A kernel variable that is not there",
        happened="The program uses a variable of the kernel that the running kernel does not have:"
        " {said}.",
        why="An `extern ... __ksym` is looked up in the running kernel's BTF.",
        change="Check the name for this kernel; declare it `__weak __ksym` and test for NULL"
        " before use.",
        example="ldimm64 failed to find the address for kernel symbol 'runqueues'.",
        source="kernel/bpf/verifier.c: check_pseudo_btf_id",
    ),
    Message(
        key="arena",
        pattern=r"\barena\b",
        title="Arena memory that is not set up for this",
        happened="{said}<<, in {c}>>.",
        why="An arena (6.9) is memory shared with user space; its pointers have an address space"
        " of their own, and a program needs exactly"
        " one arena map, the JIT, and CAP_BPF with CAP_PERFMON.",
        change="Declare one map of the type BPF_MAP_TYPE_ARENA, use it in the program, mark"
        " pointers with `__arena`, and let user space map"
        " it first.",
        example="addr_space_cast insn can only be used in a program that has an associated arena",
        source="kernel/bpf/verifier.c: check_alu_op",
    ),
    Message(
        key="verifier-bug",
        pattern=r"(?<!hit )[Vv]erifier (?:bug|internal error|BUG)|internal bug$|misconfigured"
        r"|^BUG\b"
        r"|non-overwritten BPF_PTR_POISON"
        r"|subsystem misconfigured",
        title="A fault of the kernel's verifier itself",
        happened="The verifier ran into a case that it should never meet, so the fault is the"
        " kernel's: {said}.",
        why="These checks guard the verifier's own code.",
        change="Look at `dmesg` for a warning of the same moment, try a newer kernel, and report"
        " it to bpf@vger.kernel.org with program and"
        " log. Another way of writing that line may avoid it.",
        example="verifier internal error: unexpected ptr_reg",
        source="kernel/bpf/verifier.c: verifier_bug",
    ),
)
