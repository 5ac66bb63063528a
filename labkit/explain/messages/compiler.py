"""Compilers: clang, LLVM's BPF backend, bpf-linker and rustc, as bcc and others print them."""

from __future__ import annotations

from labkit.explain.compiler_log import STACK_LIMIT
from labkit.explain.message import Message

_HEADER_WHY = (
    "The compiler needs each file that the program includes. Kernel headers are a package of their"
    " own, one for each"
    " kernel."
)
_FIVE_WHY = (
    "A call in BPF passes its arguments in registers, R1 to R5: five arguments, and no more (on"
    " most kernels and compilers there is"
    " no stack for more)."
)
_FIVE_CHANGE = (
    "Put the arguments into a struct and hand over a pointer to it, or let the compiler inline the"
    " function (`static"
    " __always_inline`), which needs no call."
)

ROWS = (
    Message(
        key="own-finding",
        speaker="machine",
        rank=0,
        pattern=r"^error: (?P<found>.+?); to mend it: (?P<mending>.+)",
        title="Found before anything was loaded",
        happened="Before anything was loaded the lab found this: {found}.",
        why="The lab looks at a program's text and at this machine before it builds: a compiler or"
        " the kernel would say something else of it, or nothing.",
        change="{mending}.",
        example="error: there is no program here; to mend it: write a function that is not static",
        source="labkit/building/findings.py",
        see="compiler",
    ),
    Message(
        key="compiler-stack",
        speaker="compiler",
        pattern=STACK_LIMIT.pattern + r"|stack (?:offset|size).*exceed|BPF stack limit"
        r"|stack frame size (?:\(\d+\)|of \d+ bytes)[^\n]* exceeds limit",
        title="The compiler's stack limit",
        happened=(
            "The compiler stopped<< in function {function}>>, at an access in {header}, whose code"
            " is inlined there: the local variables {locals} need more than the 512 bytes of stack"
            " that it grants.",
            "The compiler stopped<< in function {function}>><<, at {at_line}>>: the local variables"
            " {locals} need more than the 512 bytes of"
            " stack that it grants.",
            "The compiler stopped<< in function {function}>><<, at {at_line}>>: the local"
            " variables<< ({total} in all)>> need more than the"
            " 512 bytes of stack that it grants.",
        ),
        why="LLVM counts what the local variables of a function take, those of inlined functions"
        " too, and refuses before the kernel ever"
        " sees the program. Its own limit is 512 bytes on every machine (LLVM 17 and later can be"
        " told another), and it is stricter by one"
        " word: 504 bytes pass, 512 do not.",
        change={
            "": (
                "Move {locals} out of the stack, into per-CPU arrays of one element each; or make"
                " them smaller.",
                "Move the large local variables out of the stack, into per-CPU arrays of one"
                " element each; or make them smaller.",
            ),
            "rust": "Move the large values out of the stack, into a `PerCpuArray<T>` of one"
            " element each, or make them smaller. In Rust a"
            " large value is often on the stack unseen: built in a function and moved out, or an"
            " array initialised with `[0; 1024]`.",
            "bpftrace": "A script has no variables of its own to move: make the strings shorter"
            " (`BPFTRACE_MAX_STRLEN=64`, `str(x, 64)`), use"
            " fewer of them in one probe, or take a newer bpftrace, which keeps large values off"
            " the stack (its setting on_stack_limit).",
        },
        example="error: mine.c:46:19: in function f i32 (ptr): Looks like the BPF stack limit of"
        " 512 bytes is exceeded. Please move large"
        " on stack variables into BPF per-cpu array map.",
        source="llvm/lib/Target/BPF/BPFRegisterInfo.cpp: WarnSize",
        see="compiler",
    ),
    Message(
        key="compiler-memory-function",
        speaker="compiler",
        needs="large",
        pattern=r"[Cc]all to built-in function '(?P<func>mem\w+)' is not supported",
        title="A variable that is far too large for the stack",
        happened="The compiler stopped<< in function {function}>><<, at {where}>>: it needs"
        " {func}() to fill {locals}, and"
        " BPF has no library that has it. On the stack there is no room for that much anyway: the"
        " compiler grants 512 bytes"
        " for all variables together.",
        why="LLVM replaces a small memset or memcpy by stores, up to about 1 KiB, and calls the"
        " library for a larger one. So"
        " a variable that needs the library is always larger than the stack that LLVM grants.",
        change="Move {locals} into a per-CPU array of one element (bcc: `BPF_PERCPU_ARRAY`), look"
        " its address up, return if it is NULL, and use"
        " it as before: no `= {}` is needed, for a map's value begins as zeroes. Clear only the"
        " members that you use.",
        example="error: cell.c:5:19: in function f i32 (%struct.t*): A call to built-in function"
        " 'memset' is not supported.",
        example_c="int f(void *ctx) { char data[4096] = {}; return g(data); }",
        source="llvm/lib/Target/BPF/BPFISelLowering.cpp: LowerCall",
        see="compiler",
    ),
    Message(
        key="compiler-float",
        speaker="compiler",
        pattern=r"(?:built-in|external) function '?(?P<func>__\w*[sdt]f\w*)'? is not supported"
        r"|Cannot select: .*?\b(?P<func_op>f(?:add|sub|mul|div|rem|neg|p_\w+|p_to_\w+))\b"
        r"|Cannot select: .*[su]int_to_fp",
        title="Floating point, which BPF does not have",
        happened=(
            "The program computes with `float` or `double`<<, at {where}>>, and the compiler needs"
            " {func} for that, which BPF does not have.",
            "The program computes with `float` or `double`<<, at {where}>>, which BPF cannot.",
        ),
        why="BPF has integer registers and integer instructions only, and no library that could"
        " do the rest in software.",
        change="Use integers: count in smaller units (nanoseconds, thousandths: `x * 15 / 10`"
        " instead of `x * 1.5`), and divide in user space.",
        example="error: cell.c:5:16: in function f i32 (%struct.t*): A call to built-in function"
        " '__floatundidf' is not supported.",
        source="llvm/lib/Target/BPF/BPFISelLowering.cpp: LowerCall",
        see="compiler",
    ),
    Message(
        key="compiler-library-function",
        speaker="compiler",
        pattern=r"[Cc]all to (?:built-in|external) function '?(?P<func>(?!mem)\w+)'? is not"
        r" supported",
        title="A library function that BPF does not have",
        happened="The program needs the function {func}()<<, at {where}>>, and in BPF there is no"
        " library that has it.",
        why="A BPF program has no C library and no runtime of the compiler: what LLVM does not"
        " write out in instructions, it calls. Names such as __multi3, __udivti3 or __modti3 stand"
        " for 128-bit integers.",
        change="Write it out by hand (a bounded loop over an array), use a helper or"
        " `__builtin_...`, and integers of at most 64 bits.",
        example="LLVM ERROR: A call to built-in function '__udivti3' is not supported.",
        source="llvm/lib/Target/BPF/BPFISelLowering.cpp: LowerCall",
        see="compiler",
    ),
    Message(
        key="compiler-memory-function",
        speaker="compiler",
        pattern=r"[Cc]all to (?:built-in|external) function '?(?P<func>mem\w+)'? is not supported"
        r"|undefined symbol: (?P<func_ld>mem(?:set|cpy|move|cmp))\b",
        title="A library function that BPF does not have",
        happened="The program needs {func}() for more bytes than the compiler writes out one by"
        " one, and in BPF there is no library that has"
        " it.",
        why="A BPF program has no C library. LLVM replaces a small memset or memcpy by stores, up"
        " to about 1 KiB, and calls the library for a"
        " larger one.",
        change={
            "": "Clear or copy it in a loop of 8-byte steps, or only the part you use. A variable"
            " that large does not fit the stack either: keep"
            " it in a per-CPU array, whose value is zero when the map is made.",
            "bpftrace": "The code is bpftrace's own, made from the script: take a smaller piece of"
            " the array or a shorter string (`str(x, 64)`, `buf(x, 64)`, BPFTRACE_MAX_STRLEN), or"
            " a newer bpftrace, which keeps large values off the stack.",
            "rust": "A large value is built on the stack here (`[0; 4096]`, `zeroed()`, or a"
            " struct moved by value): keep it in a `PerCpuArray`"
            " instead, whose value is zero when the map is made, and write only the parts you use,"
            " in a loop.",
        },
        example="LLVM ERROR: A call to built-in function 'memcpy' is not supported.",
        source="llvm/lib/Target/BPF/BPFISelLowering.cpp: LowerCall",
        see="compiler",
    ),
    Message(
        key="too-many-arguments",
        speaker="compiler",
        pattern=r"too many arguments$|defined with too many args|stack arguments are not supported"
        r"|too many args to(?P<call> )|pass by value not supported"
        r"|more than (?:5|five) arg",
        title="A function with more than five arguments",
        happened=(
            "A function is called with more than 5 arguments<<, in {function}>><<, at {where}>>:"
            " the registers hold 5{call}at most.",
            "A function<< {function}>><<, at {where},>> takes more than 5 arguments, or one that"
            " does not fit a register.",
        ),
        why=_FIVE_WHY + " bpf_trace_printk() takes two for its format: three values are left.",
        change=_FIVE_CHANGE,
        example="error: main.c:12:5: in function helper i32 (i64, i64, i64, i64, i64, i64): too"
        " many arguments",
        source="llvm/lib/Target/BPF/BPFISelLowering.cpp: LowerFormalArguments",
        see="compiler",
    ),
    Message(
        key="aggregate-return",
        speaker="compiler",
        pattern=r"aggregate returns are not supported|only (?:integer|small) returns? supported",
        title="A function returns a whole struct",
        happened="The function<< {function}>><<, at {where},>> returns a struct by value (an"
        " aggregate), and BPF has one register for a result: 8"
        " bytes.",
        why="A return value travels in R0 alone.",
        change={
            "": "Let the caller hand in a pointer to the struct (`static void f(struct s *out)`),"
            " return a number of at most 64 bits, or let it"
            " be inlined (`static __always_inline`).",
            "rust": "Let the caller hand in a `&mut` to the struct, return a number, or mark the"
            " function `#[inline(always)]`. A `Result` with"
            " a large part counts as a struct.",
        },
        example="error: mine.bpf.c:20:5: in function mk { i64, i64 } (i32): aggregate returns are"
        " not supported",
        source="llvm/lib/Target/BPF/BPFISelLowering.cpp: LowerReturn",
        see="compiler",
    ),
    Message(
        key="dynamic-stack",
        speaker="compiler",
        pattern=r"dynamic_stackalloc|[Uu]nsupported dynamic stack allocation|dynamic stack alloc",
        title="An array whose length is only known when the program runs",
        happened="A function<< {function}>> has a local array of variable length (or calls"
        " alloca()), and BPF has no stack for that.",
        why="The frame of a BPF function has a fixed size, which the verifier knows before the"
        " program runs.",
        change="Give the array a constant size, the largest you need (below the stack's limit), or"
        " keep it in a per-CPU array; then bound"
        " the length that is used.",
        example="LLVM ERROR: Cannot select: t31: i64 = dynamic_stackalloc",
        source="llvm/lib/Target/BPF/BPFISelLowering.cpp: LowerDYNAMIC_STACKALLOC",
        see="compiler",
    ),
    Message(
        key="cannot-select",
        speaker="compiler",
        pattern=r"Cannot select: (?P<what>.*)|[Uu]nsupport(?:ed)? (?:signed division|atomic"
        r"|instruction"
        r"|.*operation).*"
        r"|(?:signed division|sdiv).*not supported|Invalid usage of the XADD"
        r"|unsupported relocation|relocation .* not supported"
        r"|only support(?:s)? \w+ (?:atomic|division)",
        title="Something for which BPF has no instruction",
        happened="LLVM finds no BPF instruction for an operation<< in function {function}>>:"
        " {said}",
        why="BPF has no floating point, signed division only since `-mcpu=v4`, atomics with a"
        " result since `-mcpu=v3`, and no variable-sized"
        " stack.",
        change="Write it with unsigned integers of at most 64 bits; compile with a newer `-mcpu`"
        " (v3 or v4) if the kernel knows it; leave out"
        " floating point.",
        example="LLVM ERROR: Cannot select: t8: i64 = smax t4, t6",
        source="llvm: SelectionDAGISel::CannotYetSelect",
        see="compiler",
    ),
    Message(
        key="bcc-dialect",
        speaker="compiler",
        pattern=r"'(?P<file>vmlinux\.h|bpf/bpf_\w+\.h|bpf_helpers\.h|bpf_tracing\.h"
        r"|bpf_core_read\.h)' file not found",
        needs="bcc",
        title="A libbpf program, built with bcc",
        happened="The program includes {file}: it is written for libbpf, and bcc has a dialect of"
        " its own, without that header.",
        why="In bcc the helpers and map macros are there without an include. A libbpf program says"
        " `SEC(...)` where bcc has"
        ' `TRACEPOINT_PROBE(category, name)`, and describes maps as structs in `SEC(".maps")`'
        " where bcc has macros.",
        change="Write it in bcc's dialect: no {file}, `BPF_PERCPU_ARRAY(heap, struct data_t, 1);`"
        " for the map, `heap.lookup(&zero)` for the look-up,"
        " and `TRACEPOINT_PROBE(syscalls, sys_enter_openat) { ... }` with `args->...` for the"
        " program. Or build it with clang and libbpf.",
        example="/virtual/main.c:1:10: fatal error: 'vmlinux.h' file not found",
        source="clang: DiagnosticLexKinds.td: err_pp_file_not_found",
        see="compiler",
    ),
    Message(
        key="libbpf-header",
        speaker="compiler",
        pattern=r"'(?P<file>bpf/\w+\.h|bpf_\w+\.h|libbpf\.h|linux/if_xdp\.h"
        r"|xdp/\w+\.h)' file not found",
        title="A header of libbpf that is not there",
        happened="The program includes {file}, which belongs to libbpf<< (at {where})>>, and the"
        " compiler does not find it.",
        why="These headers come with libbpf, not with the kernel's.",
        change="Install libbpf's headers (`sudo apt install libbpf-dev`, Fedora: `libbpf-devel`),"
        " or add the folder of your copy with `-I`.",
        example="xdp_pass_kern.c:3:10: fatal error: 'bpf/bpf_helpers.h' file not found",
        source="clang: DiagnosticLexKinds.td: err_pp_file_not_found",
        see="machine",
    ),
    Message(
        key="vmlinux-header",
        speaker="compiler",
        pattern=r"'(?P<file>vmlinux\.h)' file not found",
        title="vmlinux.h is not there",
        happened="The program includes vmlinux.h<< (at {where})>>, and the compiler does not find"
        " it.",
        why="vmlinux.h is made from a kernel's BTF; no package has it.",
        change="Make it: `bpftool btf dump file /sys/kernel/btf/vmlinux format c > vmlinux.h`,"
        " beside the program.",
        example="x.bpf.c:1:10: fatal error: 'vmlinux.h' file not found",
        source="clang: DiagnosticLexKinds.td: err_pp_file_not_found",
        see="machine",
    ),
    Message(
        key="asm-header",
        speaker="compiler",
        pattern=r"'(?P<file>asm/[\w-]+\.h|gnu/stubs-32\.h|bits/\w+\.h"
        r"|sys/cdefs\.h)' file not found",
        title="The machine's own headers are not found for the BPF target",
        happened="The compiler does not find {file}<< (at {where})>>: with `-target bpf` it does"
        " not look in the folder of this machine's"
        " architecture.",
        why="Debian and Ubuntu keep these headers under /usr/include/x86_64-linux-gnu (or your"
        " machine's triple), and clang looks there only"
        " when it compiles for that machine.",
        change="Add the folder: `clang -target bpf -I/usr/include/$(uname -m)-linux-gnu ...`, or"
        " install `gcc-multilib` (or `linux-libc-dev` if the"
        " header is missing altogether), which puts a link /usr/include/asm there.",
        example="/usr/include/linux/types.h:5:10: fatal error: 'asm/types.h' file not found",
        source="clang: DiagnosticLexKinds.td: err_pp_file_not_found",
        see="machine",
    ),
    Message(
        key="library-header",
        speaker="compiler",
        pattern=r"'(?P<file>(?:std(?:io|lib|int|bool|arg)|string|strings|unistd|errno|math|time"
        r"|assert|ctype|signal|pthread)\.h)' file not found",
        title="A header of the C library",
        happened="The program includes {file}<< (at {where})>>, which is the C library's, and a BPF"
        " program has no C library.",
        why="What such a header declares (printf(), strcmp(), malloc()) is not there in the kernel."
        " The types have other names: u8 to u64 (bcc), __u8 to __u64 (linux/types.h), or come from"
        " vmlinux.h.",
        change="Leave {file} out. Print with bpf_trace_printk() or bpf_printk(), copy and clear"
        " with"
        " `__builtin_memcpy()` and `__builtin_memset()`, compare in a bounded loop, and use u32 and"
        " its kin as types.",
        example="cell.c:2:10: fatal error: 'stdio.h' file not found",
        source="clang: DiagnosticLexKinds.td: err_pp_file_not_found",
        see="compiler",
    ),
    Message(
        key="missing-header",
        speaker="compiler",
        pattern=r"'(?P<file>[^']+)' file not found",
        title="A header that is not there",
        happened="The program includes {file}<< (at {where})>>, and the compiler does not find it.",
        why=_HEADER_WHY,
        change={
            "": "If it is a kernel header, install the headers of the running kernel"
            " (linux-headers-$(uname -r) on Debian and Ubuntu, kernel-devel on"
            " Fedora), or take the types from vmlinux.h instead; if it is your own, add its folder"
            " with `-I`.",
            "bcc": "Leave the include out if nothing needs it: the lab's own small headers"
            " (bpf/headers) are enough for programs that touch no"
            " kernel struct. Else install the headers of the running kernel (linux-headers-$(uname"
            " -r) on Debian and Ubuntu).",
        },
        example="main.c:1:10: fatal error: 'linux/sched.h' file not found",
        source="clang: DiagnosticLexKinds.td: err_pp_file_not_found",
        see="machine",
    ),
    Message(
        key="headers-newer",
        speaker="compiler",
        pattern=r"expected '\(' after 'asm'|asm goto|__has_(?:builtin|attribute)|\[\[fallthrough"
        r"|use of undeclared identifier '__builtin_\w+'"
        r"|unknown (?:attribute|type name) '(?:__bf16|_Float\w+|__int128)'|Clang version"
        r"|compiler.*too old",
        title="Kernel headers that are too new for this compiler",
        happened="The kernel's own headers use something that this clang does not know yet<< (at"
        " {where})>>: {said}",
        why="A newer kernel is written for a newer compiler (`asm goto` needs clang 9). bcc"
        " compiles against the headers of the running kernel"
        " with the clang it was built with.",
        change="Take a newer bcc (built with a newer LLVM) or a newer clang. If the program"
        " touches no kernel struct, leave the kernel's headers out:"
        " the lab's own small headers do (BCC_KERNEL_SOURCE).",
        example="/lib/modules/4.16.0+/build/arch/x86/include/asm/cpufeature.h:150:2: error:"
        " expected '(' after 'asm'",
        source="clang: DiagnosticParseKinds.td: err_expected_lparen_after",
        see="machine",
    ),
    Message(
        key="map-type-name",
        speaker="compiler",
        needs="map_of_array",
        pattern=r"brackets are not allowed here|expected '?\)'?|expected identifier"
        r"|expected member name|expected ';'|type name",
        title="An array as the type of a map's value",
        happened="The map macro is given an array type<< (`{map_of_array}`)>>, and the macro"
        " cannot write that down: in C the brackets of an array"
        " stand behind the name.",
        why="`BPF_PERCPU_ARRAY(buf, char[4096], 1)` becomes `char[4096] leaf;`, which is no C.",
        change="Give the type a name first: `struct buf_t { char data[4096]; };` and"
        " `BPF_PERCPU_ARRAY(buf, struct buf_t, 1);`, or `typedef char"
        " buf_t[4096];`. With the struct, write `p->data` in the program.",
        example="cell.c:3:1: error: expected ')'",
        example_c="BPF_PERCPU_ARRAY(buf, char[4096], 1);",
        source="clang: DiagnosticParseKinds.td: err_brackets_go_after_unqualified_id",
        see="compiler",
    ),
    Message(
        key="no-such-tracepoint",
        speaker="compiler",
        pattern=r"(?:type name|type) '?(?:struct )?tracepoint__(?P<category>\w+?)__(?P<name>\w+)",
        title="A tracepoint that bcc does not find",
        happened="bcc made no struct for the arguments of the tracepoint {category}:{name}, so"
        " this kernel has no"
        " tracepoint of that name, or its format cannot be read<< (at {where})>>.",
        why="bcc makes the struct behind `args` from"
        " /sys/kernel/tracing/events/CATEGORY/NAME/format; without that file there"
        " is none.",
        change="Look for the name: `sudo ls /sys/kernel/tracing/events/{category}`, and correct"
        " category or spelling; tracefs"
        " has to be mounted.",
        example="cell.c:2:63: error: incomplete definition of type 'struct"
        " tracepoint__kmem__kmaloc'",
        source="bcc: src/cc/frontends/clang/tp_frontend_action.cc",
        see="compiler",
    ),
    Message(
        key="bcc-static",
        speaker="compiler",
        pattern=r"cannot call non-static helper function",
        title="A function that is not static calls another",
        happened="The compiler stopped<< at {where}>>: a function that is called here is not"
        " `static`, and to bcc that means"
        " it is a program of its own, which cannot be called.",
        why="bcc loads every function that is not static as a program.",
        change="Declare the function that is called `static inline`.",
        example="cell.c:9:54: error: cannot call non-static helper function",
        source="bcc: src/cc/frontends/clang/b_frontend_action.cc",
        see="compiler",
    ),
    Message(
        key="c-incomplete",
        speaker="compiler",
        pattern=r"incomplete (?:definition of )?type '(?:const )?struct (?P<name>\w+)",
        title="A struct of which only the name is known",
        happened="The compiler stopped<< at {where}>>: it knows of `struct {name}` only that there"
        " is one, not its members.",
        why="A struct that is only named can be pointed to; its members and its size are known"
        " where a header above declares them.",
        change={
            "": "Include the header that has `struct {name}` (with libbpf `vmlinux.h`), or declare"
            " it above that line.",
            "bcc": "A struct of the kernel is in the kernel's headers (task_struct in"
            " linux/sched.h): install those of the running kernel (linux-headers-$(uname -r)) and"
            " include it (pt_regs is in uapi/linux/ptrace.h, of which the lab has a copy). Else"
            " take what you need from a helper or from `args`. A struct of your"
            " own must be declared above that line.",
        },
        example="cell.c:4:17: error: incomplete definition of type 'struct task_struct'",
        source="clang: DiagnosticSemaKinds.td: err_typecheck_incomplete_tag",
        see="compiler",
    ),
    Message(
        key="c-type",
        speaker="compiler",
        pattern=r"unknown type name '(?P<name>\w+)'|(?:variable has |definition of "
        r"|has )?incomplete (?:definition of )?type '?(?:struct )?(?P<name_in>[\w ]+)'?"
        r"|must use 'struct' tag to refer to type '(?P<name_s>\w+)'",
        title="A type that the compiler does not know",
        happened="The compiler stopped<< at {where}>>: it does not know the type `{name}`, or only"
        " its name.",
        why="In C a struct is called `struct name`; and a type must be declared above the line"
        " that uses it, here or in a header.",
        change="Write `struct {name}` if it is a struct, or declare it (a `typedef`, or the header"
        " that has it; with libbpf `vmlinux.h`) above that"
        " line. In a map macro of bcc the type stands where the macro does.",
        example="/virtual/main.c:9:27: error: unknown type name 'data_t'",
        source="clang: DiagnosticSemaKinds.td: err_unknown_typename",
        see="compiler",
    ),
    Message(
        key="bcc-map-call",
        speaker="compiler",
        pattern=r"no member named '(?P<name>\w+)' in 'struct (?P<table>\w+)_table_t'",
        title="Something that this map of bcc cannot do",
        happened="The compiler stopped<< at {where}>>: the map `{table}` has no call `{name}`.",
        why="In bcc a map is a C struct, and what may be called on it depends on its type.",
        change="Hash and array maps have lookup(), update(), delete(), increment() and"
        " lookup_or_try_init(); insert() hashes alone; a perf buffer (BPF_PERF_OUTPUT) has"
        " perf_submit(), a ring buffer (BPF_RINGBUF_OUTPUT) ringbuf_output(), ringbuf_reserve(),"
        " ringbuf_submit() and ringbuf_discard(), BPF_STACK_TRACE get_stackid().",
        example="cell.c:5:16: error: no member named 'get' in 'struct h_table_t'",
        source="bcc: src/cc/export/helpers.h",
        see="compiler",
    ),
    Message(
        key="c-vmlinux",
        speaker="compiler",
        needs="vmlinux",
        pattern=r"redefinition|redeclar|conflicting types for",
        title="vmlinux.h and another header declare the same",
        happened="The compiler stopped<< at {where}>>, since two headers declare the same: {said}."
        " One of them is vmlinux.h.",
        why="vmlinux.h holds all types of the kernel, so a header of the kernel or of the C library"
        " beside it declares them once more.",
        change="Include vmlinux.h and bpf/*.h alone, and leave out linux/*.h, asm/*.h and the C"
        " library's; what vmlinux.h lacks are macros: write the few you need with `#define`.",
        example="/usr/include/linux/types.h:17:22: error: typedef redefinition with different types"
        " ('__signed__ char' vs 'signed char')\n./vmlinux.h:12:21: note: previous definition",
        source="clang: DiagnosticSemaKinds.td: err_redefinition_different_typedef",
        see="compiler",
    ),
    Message(
        key="target-arch",
        speaker="compiler",
        pattern=r"Must specify a BPF target arch|__TARGET_ARCH_|GCC error \\?\"Must specify",
        title="The architecture is not given",
        happened="The compiler stopped<< at {where}>>: PT_REGS_PARM1() and its kin,"
        " BPF_KPROBE() and"
        " BPF_KSYSCALL() need to know whose registers they read: {said}",
        why="bpf_tracing.h has a layout of pt_regs for each architecture; the target `bpf` does not"
        " tell which one the program will run on.",
        change="Compile with `-D__TARGET_ARCH_x86` (or arm64, riscv, s390, powerpc...), with"
        " bpf2go `-target amd64`.",
        example="x.bpf.c:14:30: error: Must specify a BPF target arch via __TARGET_ARCH_xxx",
        source="libbpf: src/bpf_tracing.h",
        see="compiler",
    ),
    Message(
        key="c-kernel-name",
        speaker="compiler",
        pattern=r"undeclared identifier '(?P<name>BPF_\w+|XDP_\w+|TC_ACT_\w+|ETH_P_\w+|SEC"
        r"|TASK_COMM_LEN|PATH_MAX|NAME_MAX|AF_INET6?|IPPROTO_\w+|EPERM|EINVAL)'",
        title="A name whose header is not included",
        happened="The compiler stopped<< at {where}>>: it does not know the name `{name}`, so the"
        " header that declares it is not included, or is older.",
        why="Constants of BPF come from linux/bpf.h or vmlinux.h, and macros (BPF_..., ETH_P_...,"
        " TC_ACT_..., AF_INET) are not in vmlinux.h, which has types and enums only.",
        change="Include the header that has {name} (linux/bpf.h, bpf/bpf_helpers.h; beside"
        " vmlinux.h write a `#define` with its value instead), as new as the name is.",
        example="x.bpf.c:31:40: error: use of undeclared identifier 'BPF_F_CURRENT_CPU'",
        source="clang: DiagnosticSemaKinds.td: err_undeclared_var_use",
        see="compiler",
    ),
    Message(
        key="c-member",
        speaker="compiler",
        pattern=r"no member named '(?P<name>\w+)' in '(?P<type>[^']+)'",
        title="A member that the struct does not have",
        happened="The compiler stopped<< at {where}>>: `{type}` has no member `{name}`.",
        why="For a tracepoint bcc makes the struct behind `args` from the `format` file in"
        " tracefs, so its members are that file's fields. A kernel"
        " struct changes from version to version.",
        change="Look the names up: `sudo cat /sys/kernel/tracing/events/CATEGORY/NAME/format` for"
        " a tracepoint, the header or vmlinux.h of the running"
        " kernel for a struct.",
        example="cell.c:3:36: error: no member named 'nosuch' in 'struct"
        " tracepoint__sched__sched_process_exec'",
        source="clang: DiagnosticSemaKinds.td: err_no_member",
        see="compiler",
    ),
    Message(
        key="c-error",
        speaker="compiler",
        needs="where",
        pattern=r"undeclared identifier|\bexpected\b|redefinition|redeclar|unknown type"
        r"|incompatible|conflicting types|too (?:many|few) arguments to"
        r"|undefined|must be|not a (?:function|pointer)|is not (?:assignable|a )|unterminated"
        r"|invalid (?:operands|argument|preprocessing|digit|suffix)"
        r"|assignment|cannot (?:initialize|assign|convert|take|increment|combine)|non-void"
        r"|control reaches|missing|extraneous|called object"
        r"|member reference|subscript|indirection|static (?:declaration|assertion)|use of unde",
        title="The compiler does not understand the C text",
        happened="The compiler stopped at {where}: {said}",
        why="This is an error in the C text itself, found before anything of BPF was looked at.",
        change="Mend the line that it names; later errors often follow from the first.",
        example="main.c:3:5: error: use of undeclared identifier 'undeclared_thing'",
        source="clang: DiagnosticSemaKinds.td",
        see="compiler",
    ),
    Message(
        key="rust-error",
        speaker="compiler",
        pattern=r"^error\[E\d+\]: (?P<what>.*)",
        title="The Rust compiler does not understand the text",
        happened="rustc refuses the Rust text: {what}.",
        why="This is an error in the Rust text itself, found before anything of BPF was looked at.",
        change="Mend the place that the lines below it show; `rustc --explain` with that number"
        " tells more. A helper that is"
        " not found may need a newer aya-ebpf.",
        example="error[E0425]: cannot find function `bpf_get_foo` in this scope",
        source="rustc: compiler/rustc_errors",
        see="compiler",
    ),
)
