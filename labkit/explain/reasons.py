"""The errors that the lab can explain: one row each, in one table.

The wordings are those of the kernels 5.4 to 7.3, LLVM 14 to 19, bcc and libbpf. Where a wording
changed, the pattern says since when. Sentences are templates: ``{off}`` is the group of that name
in the pattern. Where a sentence needs more than that, a function makes it from the Case.
"""

from __future__ import annotations

import re

from labkit.explain import sentences as say
from labkit.explain.compiler_log import STACK_LIMIT

__all__ = ["COMPILER_REASONS", "SEE", "VERIFIER_REASONS"]

SEE = {
    "compiler": "01_stack_limit, section 5",
    "verifier": "01_stack_limit, section 6",
    "chain": "01_stack_limit, section 9",
    "percpu": "01_stack_limit, section 3",
    "log": "01_stack_limit, section 6",
    "machine": "01_stack_limit, section 1",
    "break": "01_stack_limit, section 10",
    "unknown": "01_stack_limit, section 6",
}
"""Topic to the place in the notebooks that treats it."""


def _row(
    key: str,
    pattern: str,
    title: str,
    happened: say.Sentence,
    why: say.Sentence,
    change: say.Sentence,
    see: str,
) -> say.Reason:
    return say.Reason(key, re.compile(pattern), title, happened, why, change, see)


_ANY_REG = r"(?P<reg>R\d+|\S+(?: \S+)?)"
VERIFIER_REASONS: tuple[say.Reason, ...] = (
    _row(
        "stack-bounds",
        # since 5.12, and 5.10's later releases
        rf"invalid(?: unprivileged)?(?P<how> [a-z ]*)? stack {_ANY_REG} off=(?P<off>-?\d+)"
        r" size=(?P<size>\d+)"
        # before that
        r"|invalid stack (?:type R\d+ )?off=(?P<off_old>-?\d+)"
        r" (?:access_)?size=(?P<size_old>-?\d+)",
        "An access outside the 512 bytes of stack",
        say.stack_happened,
        say.STACK_WHY,
        say.stack_change,
        "verifier",
    ),
    _row(
        "stack-variable",
        r"invalid (?:unbounded )?variable-offset[a-z ]* stack"
        r"|variable (?:offset )?stack (?:access|pointer)"
        r"|stack pointer arithmetic goes out of range",
        "A stack address that is not fixed",
        "The program reaches into its stack at an offset that is only known when it runs.",
        say.STACK_WHY,
        "Bound the index before it is used, so that every possible value stays inside {name}.",
        "verifier",
    ),
    _row(
        "stack-uninitialised",
        r"invalid(?: indirect)? read from stack (?:R\d+ )?"
        r"(?:off (?P<off>-?\d+)\+(?P<at>\d+)|var_off \S+) size (?P<size>\d+)",
        "Stack bytes are read before anyone wrote them",
        "The program reads {size} bytes of {name} at stack offset {off}, and byte {at} of them was"
        " never written.",
        "The stack still holds what ran before; reading it would show the program old data of the"
        " kernel.",
        "Set {name} to zero where it is declared (`= {{}}`), and fill padding too (memset).",
        "verifier",
    ),
    _row(
        "stack-chain",
        r"combined stack size of (?P<calls>\d+) calls is (?P<total>\d+)",
        "A chain of calls needs too much stack",
        say.chain_happened,
        "Functions of one program call each other on the same stack, so the frames of a chain add"
        " up. (Since 6.13 tracing programs on x86-64 get a stack for each function.)",
        "Move the large variables of these functions into per-CPU arrays, or make the chain"
        " shorter: an inlined function shares the frame of its caller.",
        "chain",
    ),
    _row(
        "stack-subprog",
        r"stack size of subprog (?P<number>\d+) is (?P<total>\d+)",
        "One function needs too much stack",
        "Function {number} of the program needs {total} bytes of stack; it may have 512.",
        say.STACK_WHY,
        "Move its large variables into a per-CPU array.",
        "chain",
    ),
    _row(
        "tail-call-stack",
        r"tail_calls are not allowed when call stack of previous frames is (?P<total>\d+) bytes",
        "A tail call under a deep stack",
        "A function makes a tail call while its callers already hold {total} bytes of stack; less"
        " than 256 are allowed there.",
        "A tail call drops the frame of its own function but not those of the callers, and up to 33"
        " may follow each other, so what stays behind must be small.",
        "Make the tail call from the main function, or move the callers' large variables into a"
        " per-CPU array.",
        "chain",
    ),
    _row(
        "call-depth",
        r"the call stack of (?P<frames>\d+) frames is too deep",
        "Too many functions deep",
        "The program calls {frames} functions deep; 8 frames are allowed.",
        "The verifier follows each chain of calls to its end, and the kernel's stack is small.",
        "Inline some of the functions.",
        "chain",
    ),
    _row(
        "recursion",
        r"recursive call from (?P<caller>\S+) to (?P<callee>\S+)",  # 7.3
        "A function that calls itself",
        "The chain of calls comes back to {callee} from {caller}, so it has no deepest frame.",
        "The kernel adds up the frames of the deepest chain of calls before the program runs; in a"
        " circle there is none.",
        "Turn the recursion into a loop with a constant bound.",
        "chain",
    ),
    _row(
        "null-check",
        r"R\d+ invalid mem access '(?P<kind>\w*_or_null\w*)'"
        r"|R\d+ type=(?P<kind_arg>\w*_or_null) expected|[Pp]ossibly NULL pointer passed"
        r"|pointer arithmetic on (?P<kind_math>\w*_or_null\w*) prohibited",
        "A pointer is used without a check for NULL",
        say.null_happened,
        "A lookup in a map, or a reservation in a ring buffer, may fail and give NULL. The verifier"
        " lets the pointer be used only where the program has ruled that out.",
        "Check it right after the call: `if (!pointer) return 0;`, here for {name}.",
        "break",
    ),
    _row(
        "value-bounds",
        r"invalid access to map value, value_size=(?P<value>\d+) off=(?P<off>-?\d+)"
        r" size=(?P<size>\d+)"
        r"|invalid access to memory, mem_size=(?P<value_mem>\d+) off=(?P<off_mem>-?\d+)"
        r" size=(?P<size_mem>\d+)"
        r"|R\d+ (?:min|max) value is (?:outside|negative)|R\d+ unbounded (?:memory access|size)"
        r"|math between \w+ pointer and|value -?\d+ makes \w+ pointer be out of bounds",
        "An access outside a map's value or a record",
        say.bounds_happened,
        "What lies behind the value belongs to someone else. The verifier takes the largest value"
        " an index can have on this path, and proves that even this one stays inside.",
        "Check the index against the size before it is used, in a way the verifier can follow: `if"
        " (index >= sizeof(data)) return 0;`, or a mask one below a power of two, here for {name}.",
        "break",
    ),
    _row(
        "leak",
        r"(?:Unreleased|Leaking) reference id=\d+ alloc_insn=(?P<insn>\d+)"
        r"|would lead to reference leak",
        "A ring buffer record is never given back",
        say.leak_happened,
        "A reserved record blocks all behind it: the reader waits until it is submitted or"
        " discarded. (The same goes for other things a program takes, such as sockets.)",
        say.leak_change,
        "break",
    ),
    _row(
        "too-long",
        r"infinite loop detected at insn \d+|back-edge from insn \d+ to \d+|loop detected"
        r"|BPF program is too large\. Processed \d+ insn"
        r"|[Tt]he sequence of \d+ jumps is too complex",
        "A loop without a bound, or too many instructions",
        say.loop_happened,
        "A program must end, since nothing can interrupt it. The verifier walks every path, turn by"
        " turn of each loop, and stops after 1,000,000 instructions. Before 5.3 it took no loops.",
        "Give the loop a constant bound, make the bound smaller, or use bpf_loop() (5.17).",
        "break",
    ),
    _row(
        "gpl",
        r"cannot call (?:GPL-restricted|kernel) function from non-GPL compatible program",
        "The program's license forbids this helper",
        "The program calls {helper}(), which is only for programs under the GPL, and declares"
        " another license.",
        "Some helpers are exported to GPL-compatible programs only, as some kernel functions are to"
        " modules.",
        'Declare a compatible license if you may: `char LICENSE[] SEC("license") = "GPL";`, with'
        " bcc `#define BPF_LICENSE GPL`.",
        "break",
    ),
    _row(
        "helper",
        r"unknown func (?P<func>\S+)|invalid func (?P<func_bad>\S+)"
        r"|program of this type cannot use helper (?P<func_type>\S+)"
        r"|func (?P<func_prog>\S+) (?:not )?supported (?:only )?for"
        r"|helper call is not allowed in probe"
        r"|calling kernel function (?P<func_k>\S+) is not allowed",
        "A helper this program may not call",
        say.helper_happened,
        "Each type of program has its own list of helpers, and each kernel its own set: what a"
        " network filter may do can make no sense, or do harm, in a tracepoint.",
        "Use a helper that this type of program has, another type of program, or a newer kernel."
        " `bpftool feature probe` lists which type has which.",
        "break",
    ),
    _row(
        "not-a-pointer",
        r"(?P<reg>R\d+) invalid mem access '(?P<kind>scalar|inv)'",
        "A number is used as an address",
        "{reg} holds a plain number here, and the program uses it as an address, on the line of"
        " {name}.",
        "The verifier only lets a program follow pointers whose target it knows.",
        "Read kernel or user memory with bpf_probe_read_kernel() or bpf_probe_read_user().",
        "break",
    ),
    _row(
        "not-readable",
        r"(?P<reg>R\d+) !read_ok",
        "A register is read that holds nothing",
        "{reg} was never set on this path, or a call before this has cleared it.",
        "The program would see what ran before it; a call may change R0 to R5.",
        "Set the variable on every path before it is used.",
        "break",
    ),
    _row(
        "context",
        r"invalid bpf_context access off=(?P<off>-?\d+) size=(?P<size>\d+)",
        "An access to the context that is not allowed",
        "The program accesses {size} bytes at offset {off} of its context; this type of program has"
        " no such field, or may not touch it.",
        "Each type of program gets its own context, and the verifier knows each field of it.",
        "Look the fields up (for a tracepoint, in the `format` file in tracefs), and check the type"
        " of the program.",
        "break",
    ),
)

_MAP = (
    r"could not open bpf map: (?P<map>[^,\s]+), error: "
    r"|map '(?P<map_libbpf>[^']+)': failed to create: "
)
COMPILER_REASONS: tuple[say.Reason, ...] = (
    _row(
        "compiler-stack",
        STACK_LIMIT.pattern,
        "The compiler's stack limit",
        say.compiler_stack_happened,
        "LLVM counts what the local variables of a function take, and refuses before the kernel"
        " ever sees the program. It is stricter by one word: 504 bytes pass, 512 do not, though the"
        " kernel would take 512.",
        say.compiler_stack_change,
        "compiler",
    ),
    _row(
        "compiler-memory-function",
        r"[Cc]all to built-in function '(?P<func>\w+)' is not supported",
        "A library function that BPF does not have",
        "The program needs {func}() for more bytes than the compiler writes out one by one, and in"
        " BPF there is no library that has it.",
        "A BPF program has no C library. LLVM replaces a small memset or memcpy by stores, up to"
        " about 1 KiB, and calls the library for a larger one.",
        "Clear or copy it in a loop of 8-byte steps, or only the part you use. The value of a map"
        " is zero when the map is made.",
        "compiler",
    ),
    _row(
        "missing-header",
        r"'(?P<file>[^']+)' file not found",
        "A header that is not there",
        "The program includes {file}, and the compiler does not find it.",
        "The compiler needs each file that the program includes. Kernel headers are a package of"
        " their own, one for each kernel.",
        "Leave the include out if nothing needs it: the lab's own small headers (bpf/headers) are"
        " enough for programs that touch no kernel struct. Else install the headers of the running"
        " kernel (linux-headers-$(uname -r) on Debian and Ubuntu).",
        "machine",
    ),
    _row(
        "missing-headers",
        r"Unable to find kernel headers",
        "bcc finds no kernel headers",
        "bcc looked for the headers of the running kernel and found none.",
        "bcc compiles each program against the headers of the kernel it runs on.",
        "Set BCC_KERNEL_SOURCE to the lab's own small headers (bpf/headers), as the lab does; or"
        " install linux-headers-$(uname -r).",
        "machine",
    ),
    _row(
        "not-permitted",
        rf"(?:{_MAP}|.*)(?:Operation not permitted|(?<![A-Z])-?EPERM)",
        "Not permitted, and no log",
        "The kernel refused the bpf() call itself, before the verifier looked: {said}",
        "Loading BPF needs root (or CAP_BPF and CAP_PERFMON, since 5.8). A container, a locked-down"
        " kernel, or before 5.11 too small a limit on locked memory, refuse with the same error.",
        "Run it with sudo, on the host. If you are root: look at /sys/kernel/security/lockdown, and"
        " before 5.11 at `ulimit -l`.",
        "machine",
    ),
    _row(
        "map-too-large",
        rf"(?:{_MAP})(?:Argument list too long|-?E2BIG)",
        "A map's value is too large",
        say.map_happened,
        "A value of a per-CPU map may have 32 KiB (rounded up to 8 bytes), since the kernel takes"
        " it from its per-CPU memory, for every possible CPU.",
        "Make the value smaller, or split it over several elements of the map.",
        "percpu",
    ),
    _row(
        "too-many-instructions",
        r"[Pp]rogram +too large \((?P<count>\d+) insns\)",
        "Too many instructions",
        "The program has {count} instructions, more than this kernel takes from this user.",
        "The verifier has to walk all of it. Without privileges, and before 5.2, the limit is 4096"
        " instructions; with them it is 1,000,000.",
        "Load it as root, unroll less, or split it with tail calls.",
        "break",
    ),
    _row(
        "c-error",
        r"undeclared|expected|redefinition|unknown type|incompatible|no member named"
        r"|too (?:many|few)|use of|invalid|undefined|conflicting|must|cannot|not a",
        "The compiler does not understand the C text",
        "The compiler stopped: {said}",
        "This is an error in the C program itself; it has nothing to do with BPF.",
        "Mend the line that it names; later errors often follow from the first.",
        "compiler",
    ),
)
