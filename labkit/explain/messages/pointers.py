"""Types: numbers used as pointers, pointers of the wrong kind, what may be computed with them."""

from __future__ import annotations

from labkit.explain.message import Message

_READ = {
    "": "Read memory of the kernel or of a process with bpf_probe_read_kernel() or"
    " bpf_probe_read_user() (bpf_probe_read() before 5.5), or with BPF_CORE_READ(); a pointer that"
    " was"
    " just read is again only a number. If it should be a map's value or a context, keep the"
    " pointer"
    " itself: look where it was computed with, cast, or saved as something smaller.",
    "bcc": "bcc turns `a->b` into a read only for arguments it knows as kernel pointers. Read the"
    " rest"
    " with bpf_probe_read_kernel() or bpf_probe_read_user() (bpf_probe_read() before 5.5), each"
    " `->` of a chain by itself.",
    "rust": "Read it with `bpf_probe_read_kernel()` or `bpf_probe_read_user()`; a pointer that was"
    " just"
    " read is again only a number.",
    "bpftrace": "The code that is refused is bpftrace's own, made from the script: cast the"
    " pointer to"
    " its struct and say whose memory it is (`kptr()` or `uptr()`), or take a newer bpftrace and"
    " report the script.",
}
_KFUNC_WHY = (
    "A kernel function trusts its arguments: it needs a pointer that the verifier knows to be valid"
    " now, one that was acquired, or came as an argument of the hook, or is protected by RCU. What"
    " was"
    " read out of a struct is none of these."
)

ROWS = (
    Message(
        key="ringbuf-lost",
        pattern=r"(?P<reg>R\d+) invalid mem access '(?:inv|scalar)'",
        needs="unspec",
        title="The result of a helper that this kernel lacks is used as a pointer",
        happened="{reg} should point into memory that a helper gave, but that helper is not there:"
        " the"
        " log shows `call bpf_unspec#0`. If bpf_ringbuf_reserve() was meant, it is missing in this"
        " kernel,"
        " and what it should return is a plain number to the verifier.",
        why="A loader may replace a helper that it thinks the kernel lacks by helper 0. The ring"
        " buffer"
        " is there since 5.8.",
        change="Run it on a kernel that has the ring buffer (5.8 or a distribution's backport), or"
        " take"
        " the tool's build for older kernels, with a perf buffer. Check that the loader's idea of"
        " the"
        " kernel's helpers is right.",
        example="42: (85) call bpf_unspec#0\n223: (73) *(u8 *)(r4 +3) = r5\n"
        "R4 invalid mem access 'inv'",
        source="kernel/bpf/verifier.c: check_mem_access",
        report="Register Type Safety",
    ),
    Message(
        key="not-a-pointer",
        pattern=r"(?P<reg>R\d+) invalid mem access '(?P<kind>scalar|inv|imm|unknown)'",
        title="A number is used as an address",
        happened=(
            "{reg} holds a plain number here, and the program uses it as an address<<, in {c}>>.",
        ),
        why="The verifier only lets a program follow pointers whose target it knows. An address"
        " that was"
        " read from memory, or computed, is a number to it.",
        change=_READ,
        example="23: (69) r6 = *(u16 *)(r1 +12)\nR1 invalid mem access 'inv'",
        source="kernel/bpf/verifier.c: check_mem_access",
        report="Register Type Safety",
    ),
    Message(
        key="pointer-kind",
        pattern=r"(?P<reg>R\d+) invalid mem access '(?P<kind>\w+)'"
        r"|(?P<reg_user>R\d+) is ptr_(?P<kind_user>\S+) access (?P<space>user|percpu) memory",
        title="A pointer of a kind that may not be followed",
        happened=(
            "{reg} points to {space} memory (struct {kind}), and the program reads it directly<<,"
            " in"
            " {c}>>.",
            "{reg} is a pointer of the kind {kind}, and the program reads or writes through it<<,"
            " in"
            " {c}>>; that is not allowed for this kind.",
        ),
        why="Each kind of pointer has its own rules: a map itself is no memory, a socket may be"
        " released,"
        " memory of a process may be paged out.",
        change="Get what you need by the helper made for this kind (a lookup for a map,"
        " bpf_sk_fullsock()"
        " for a socket, bpf_probe_read_user() for a process, bpf_per_cpu_ptr() for per-CPU data),"
        " and"
        " check what it returns for NULL.",
        example="R6 invalid mem access 'sock_common'",
        source="kernel/bpf/verifier.c: check_mem_access",
        report="Register Type Safety",
    ),
    Message(
        key="not-readable",
        pattern=r"R0 !read_ok",
        needs="at_exit",
        title="The program ends without a return value",
        happened="At `exit` R0 was never set on this path: the program returns nothing.",
        why="R0 is what the program returns, and the kernel acts on it. Without a value there it"
        " would be"
        " whatever ran before.",
        change={
            "": "End every path with `return 0;` (or the value this type of program needs). If the"
            " C"
            " function has no body left, look at what the compiler removed: a missing return or"
            " undefined behaviour makes it drop code.",
            "rust": "Return a value on every path. A function that cannot end (a panic, an endless"
            " loop)"
            " or undefined behaviour leaves no return value: remove what can panic.",
        },
        example="0: (95) exit\nR0 !read_ok",
        source="kernel/bpf/verifier.c: check_reg_arg",
        report="Register Type Safety",
    ),
    Message(
        key="not-readable",
        pattern=r"(?P<reg>[Rr]\d+) !read_ok",
        title="A register is read that holds nothing",
        happened="{reg} was never set on this path, or a call before this has cleared it<<; the"
        " line is"
        " {c}>>.",
        why="The program would see what ran before it; a call may change R0 to R5.",
        change="Set the variable on every path before it is used. In assembly, keep what has to"
        " survive a"
        " call in R6 to R9. If a function takes more arguments than it is declared with, correct"
        " that.",
        example="0: (bf) r1 = r2\nR2 !read_ok",
        source="kernel/bpf/verifier.c: check_reg_arg",
        report="Register Type Safety",
    ),
    Message(
        key="map-direct",
        pattern=r"cannot access ptr member (?P<member>\S+) with moff (?P<moff>\d+) in struct"
        r" bpf_map\b"
        r"|map_ptr access not supported|(?P<reg>R\d+) invalid mem access 'map_ptr'",
        title="The map itself is read, not a value in it",
        happened="The program reads from the map itself as if it were memory<<, in {c}>><<"
        " (register {reg})"
        ">>: {said}",
        why="A map is a struct of the kernel; its values are reached by a lookup. Global variables"
        " lie in"
        " a map too (.bss, .data, .rodata), and the loader has to fill in the address of the"
        " value: a"
        " loader that is too old fills in the map itself.",
        change="Look the value up: `value = bpf_map_lookup_elem(&map, &key)`. If it is a global"
        " variable,"
        " the loader must know about global data (kernel 5.2, and a loader of that age): take a"
        " newer"
        " loader, or a map of your own instead of the global.",
        example="cannot access ptr member ops with moff 0 in struct bpf_map with off 0 size 4",
        source="kernel/bpf/btf.c: btf_struct_walk",
    ),
    Message(
        key="map-relocation",
        pattern=r"(?P<reg>R\d) type=(?P<type>inv|scalar|imm)\d* expected=map_ptr",
        title="A number stands where a map belongs",
        happened=(
            "The program hands {helper}() a plain number where the map belongs<<, {arg}>><<, in"
            " {c}>>: the loader has not put the map there, or that argument is not a map at all.",
            "{reg} is a plain number where a map belongs<<, in {c}>>: the loader has not put the"
            " map there.",
        ),
        why="In an object file the place of a map is empty; the loader creates the map and fills"
        " in its"
        " file descriptor (a relocation). A 0 there means that this did not happen.",
        change="Check that this argument is the map. If it is, declare the map in the section that"
        ' this loader reads: `SEC(".maps")` with BTF'
        " for libbpf"
        ' and newer iproute2, `SEC("maps")` for older loaders; and compile with `-g`. Load with'
        " a loader"
        " that resolves maps, not by hand.",
        example="12: (85) call bpf_map_lookup_elem#1\nR1 type=scalar expected=map_ptr",
        source="kernel/bpf/verifier.c: check_reg_type",
    ),
    Message(
        key="argument-not-stack",
        pattern=r"(?P<reg>R\d+) type=(?P<type>inv|scalar|imm)\d* expected=(?P<expected>(?:fp|pkt"
        r"|map_)[\w, ]*)",
        title="A number is handed over where memory of the program belongs",
        happened=(
            "The {nth} argument of {helper}()<<, {arg},>> must point to memory of the program (its"
            " stack,"
            " or a map's value), and is a plain number, such as a kernel address that was read<<;"
            " the line"
            " is {c}>>.",
            "{reg} must point to memory of the program (its stack, or a map's value), and is a"
            " plain number,"
            " such as a kernel address that was read<<; the line is {c}>>.",
        ),
        why="The helper reads there without asking. The verifier only knows the memory of the"
        " program"
        " itself to be safe; what an address in a kernel struct points to, it does not.",
        change="Copy the data to a local variable on the stack first (`bpf_probe_read_kernel(&copy,"
        " sizeof(copy), pointer)`, before 5.5 bpf_probe_read()), and hand over the address of the"
        " copy.",
        example="R3 type=inv expected=fp",
        source="kernel/bpf/verifier.c: check_reg_type",
        report="Call Type Safety",
    ),
    Message(
        key="argument-type",
        pattern=r"(?P<reg>R\d+) type=(?P<type>\w+) expected=(?P<expected>\w+(?:, \w+)*)",
        title="An argument of the wrong type",
        happened=(
            "The {nth} argument of {helper}()<<, {arg},>> is of the type {type}, and must be"
            " {expected}<<;"
            " the line is {c}>>.",
            "{reg} is of the type {type} where {expected} is needed<<; the line is {c}>>.",
        ),
        why="The verifier names kinds of pointers: `fp` the stack, `ctx` the context, `map_ptr` a"
        " map,"
        " `map_value` a value in it, `ptr_` a struct of the kernel, `scalar` or `inv` a number.",
        change="Hand over what the helper's description asks for. If an argument is left out or in"
        " the wrong"
        " place, all after it are of the wrong type; if it is a kernel struct or lies in a"
        " packet, copy it to the"
        " stack first;"
        " a callback needs a function of this program.",
        example="R1 type=fp expected=map_ptr",
        source="kernel/bpf/verifier.c: check_reg_type",
        report="Call Type Safety",
    ),
    Message(
        key="two-types",
        pattern=r"same insn cannot be used with (?:different pointers|and without arena)",
        title="One instruction serves two kinds of pointers",
        happened="Two paths of the program meet in one instruction<<, {does}>><<, for the line"
        " {c}>>: on one"
        " path it goes through one kind of pointer, on the other through another.",
        why="The kernel rewrites an access to a context or a socket by the type of the pointer, so"
        " one"
        " instruction can have one type only. The compiler merges two similar branches into one.",
        change="Keep the branches apart: make the access in each branch by itself, in functions of"
        " their own"
        ' (`static __noinline`), and put `barrier();` or `asm volatile("");` where the compiler'
        " would join"
        " them.",
        example="same insn cannot be used with different pointers",
        source="kernel/bpf/verifier.c: save_aux_ptr_type",
    ),
    Message(
        key="pointer-math",
        pattern=r"(?P<reg>R\d+) (?:pointer arithmetic (?:on (?P<kind>\w+)"
        r"|with (?P<operator>\S+) operator)?"
        r" ?prohibited|bitwise operator (?P<operator_bit>\S+) on pointer|32-bit pointer arithmetic"
        r"|pointer \S+ pointer prohibited|subtraction from stack pointer|tried to subtract pointer"
        r"|pointer comparison prohibited|sign-extension part of pointer|partial copy of pointer"
        r"|has pointer with unsupported alu)|pointer arithmetic on (?P<kind_any>\w+) prohibited",
        title="Arithmetic that is not allowed with a pointer",
        happened="The program computes with a pointer in a way that is not allowed<< ({kind})>><<,"
        " in {c}>>:"
        " {said}",
        why="The verifier follows a pointer only through additions and subtractions of bounded"
        " numbers, in 64"
        " bits. After a mask, a shift, a multiplication, or an addition to a kind that may not"
        " move (a map, a"
        " socket, a context argument) it is no known pointer any more.",
        change="Compute with the index as a number first, and add it to the pointer once, in 64"
        " bits. Do not"
        " cast pointers to `int` or `u32`. Without privileges even comparing pointers is refused:"
        " load as root.",
        example="R1 pointer arithmetic on map_ptr prohibited",
        source="kernel/bpf/verifier.c: adjust_ptr_min_max_vals",
        report="Register Type Safety",
    ),
    Message(
        key="speculation",
        pattern=r"(?P<reg>R\d+) (?:tried to \w+ from different maps, paths or scalars"
        r"|has unknown scalar with"
        r" mixed signed bounds|tried to \w+ beyond pointer bounds"
        r"|could not be pushed for speculative)"
        r"|pointer arithmetic of map value goes out of range, prohibited for !root"
        r"|variable stack access prohibited for !root",
        title="Refused to a user without privileges",
        happened="The verifier cannot make this pointer arithmetic safe against speculative"
        " execution<<, in"
        " {c}>>: {said}",
        why="For a user without CAP_PERFMON the processor could read past a bound before it is"
        " checked"
        " (Spectre), so stricter rules hold.",
        change="Load it with CAP_BPF and CAP_PERFMON (as root), or use constant offsets and one"
        " map per"
        " access.",
        example="R2 tried to add from different maps, paths or scalars, pointer arithmetic with it"
        " prohibited"
        " for !root",
        source="kernel/bpf/verifier.c: sanitize_err",
    ),
    Message(
        key="address-leak",
        pattern=r"(?P<reg>R\d+) leaks addr (?:into|as) (?P<place>[\w ]+)",
        title="A kernel address would be given away",
        happened="The program would put a pointer into the {place}<<, in {c}>>.",
        why="Without CAP_PERFMON, and as a return value always, a program must not tell the"
        " kernel's"
        " addresses.",
        change="Give the value that the pointer points to, not the pointer; return a number. Or"
        " load it as"
        " root, where storing a pointer in a map is allowed.",
        example="R0 leaks addr as return value",
        source="kernel/bpf/verifier.c: check_return_code, check_mem_access",
    ),
    # Kernel functions and trusted pointers.
    Message(
        key="rcu-pointer",
        pattern=r"(?P<reg>R\d+) must be a(?:n)? rcu pointer"
        r"|kernel func (?P<func>\S+) requires RCU critical"
        r"|expected an RCU CS",
        title="A pointer that is only valid under RCU",
        happened=(
            "The {nth} argument of {helper}()<<, {arg},>> must be a pointer protected by RCU, and"
            " is not one"
            " here.",
            "A pointer<< in {reg}>> must be protected by RCU here, and is not: {said}",
        ),
        why=_KFUNC_WHY,
        change="Read the pointer and use it between bpf_rcu_read_lock() and bpf_rcu_read_unlock()"
        " (programs that"
        " may not sleep hold RCU anyway), from a struct that is trusted itself, and only through"
        " members that"
        " the kernel marks `__rcu` or knows as safe; else acquire it (bpf_task_acquire(),"
        " bpf_cpumask_acquire())"
        " or get one that is trusted (bpf_task_from_pid(), bpf_get_current_task_btf()).",
        example="R2 must be a rcu pointer",
        source="kernel/bpf/verifier.c: check_kfunc_args",
        report="Call Type Safety|Execution Context Safety",
    ),
    Message(
        key="trusted-pointer",
        pattern=r"(?P<reg>R\d+|arg#?\d+) must be (?:referenced(?: or trusted)?|a? ?trusted)"
        r"|(?:release|acquire) (?:kernel function|kfunc"
        r"|helper) (?P<func>\S+) expects (?:referenced|refcounted)"
        r"|arg ?#?\d+ is an unacquired reference|reference has not been acquired before"
        r"|allocated object must be referenced|must be referenced when passed to release"
        r"|must have zero offset when passed",
        title="A pointer that is not trusted",
        happened=(
            "The {nth} argument of {helper}()<<, {arg},>> must be a trusted pointer or a reference"
            " that the"
            " program holds, and is neither.",
            "A pointer<< in {reg}>> must be trusted, or a reference that the program holds, and is"
            " neither:"
            " {said}",
        ),
        why=_KFUNC_WHY,
        change="Use a pointer that came from an acquiring function (bpf_task_from_pid(),"
        " bpf_task_acquire() with"
        " a check for NULL, bpf_cgroup_from_id()), or directly as an argument of the hook (tp_btf,"
        " fentry, LSM)."
        " What was walked to through members, or read with bpf_probe_read_kernel(), is not"
        " trusted: acquire it"
        " first. Release only what was acquired, and once.",
        example="R1 must be referenced or trusted",
        source="kernel/bpf/verifier.c: check_kfunc_args, check_func_arg",
        report="Call Type Safety",
    ),
    Message(
        key="kfunc-argument",
        pattern=r"(?:kernel function \S+ )?(?P<reg>R\d+|args?#\d+)(?: pointer type .* must point to"
        r"|.* is .* expected (?:pointer|struct|ptr)| expected pointer to"
        r"|.*, len pair leads to invalid memory"
        r"|.*doesn't point to|.* is neither owning or non-owning"
        r""
        r"| is not a scalar| must be a known constant| is not a const)|local type ID argument"
        r"|kernel function (?P<func>\S+) args#\d+ expected pointer"
        r"|bpf_(?:percpu_)?obj_new.* type|expected for bpf_(?:percpu_)?obj_drop"
        r"|arg#\d+ .*(?:has no|must have|expected|not found at)",
        title="An argument of a kernel function does not fit",
        happened="{said}<<; the call is {helper}()>><<, in {c}>>.",
        why="Kernel functions (kfuncs) name the exact type of each argument in BTF; some need a"
        " constant, a"
        " pointer to the stack, a reference the program owns, or memory together with its length.",
        change="Compare the call with the function's declaration in the running kernel (`bpftool"
        " btf dump file"
        " /sys/kernel/btf/vmlinux format c | grep NAME`), and pass just that type. A length must"
        " be bounded, and"
        " fit the memory before it.",
        example="arg#0 expected pointer to an allocated object",
        source="kernel/bpf/verifier.c: check_kfunc_args",
        report="Call Type Safety",
    ),
    Message(
        key="dynptr",
        pattern=r"[Dd]ynptr|dynptr",
        title="A dynptr that is not in the state this call needs",
        happened="{said}<<; the call is {helper}()>><<, in {c}>>.",
        why="A dynptr is a descriptor on the stack whose state the verifier follows: it has to be"
        " made once,"
        " used as what it was made, and, for the ring buffer, submitted or discarded.",
        change="Make it on every path before it is used, check what the making function returned,"
        " hand over its"
        " address with no offset, and do not overwrite or copy it. Release it with the call that"
        " belongs to it"
        " (bpf_ringbuf_submit_dynptr() or bpf_ringbuf_discard_dynptr(), also where the reservation"
        " failed).",
        example="Expected an initialized dynptr as arg #1",
        source="kernel/bpf/verifier.c: process_dynptr_func",
        report="Resource Lifetime Safety|Call Type Safety",
    ),
    Message(
        key="iterator",
        pattern=r"expected (?:an? )?(?:un)?initialized iter_(?P<kind>\w+)"
        r"|expected (?:pointer to an iterator|valid"
        r" iter pointer)|iter(?:ator)? .*(?:uninitialized|not destroyed)",
        title="An iterator that is not in the state this call needs",
        happened="{said}<<, in {c}>>.",
        why="An open-coded iterator lives on the stack: new, then next, then destroy, each on"
        " every path.",
        change="Call bpf_iter_..._new() once before, and bpf_iter_..._destroy() once after on"
        " every path; or use"
        " the macro bpf_for_each(), which does it.",
        example="expected an initialized iter_num as arg #1",
        source="kernel/bpf/verifier.c: process_iter_arg",
        report="Resource Lifetime Safety|Call Type Safety",
    ),
    Message(
        key="untrusted-struct",
        pattern=r"(?P<reg>R\d+) is (?:of type "
        r"|ptr_)?(?P<type>\S+) but (?P<expected>\S+) is expected"
        r"|(?P<reg_off>R\d+) is ptr_(?P<type_off>\S+) invalid (?:negative|variable)",
        title="A pointer to another struct than the one needed",
        happened="{said}<<; the call is {helper}()>><<, in {c}>>.",
        why="Pointers to kernel structs carry their type from BTF; a cast in C does not change it.",
        change="Get a pointer of that type: a cast helper (bpf_skc_to_tcp_sock() and its kin,"
        " bpf_core_cast()),"
        " or another hook whose argument it is.",
        example="R1 is of type task_struct but file is expected",
        source="kernel/bpf/verifier.c: check_reg_type",
        report="Call Type Safety",
    ),
)
