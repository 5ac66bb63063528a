"""The way through a program: its end, loops, jumps, what it takes and must give back."""

from __future__ import annotations

from labkit.explain.message import Message

_LEAK_WHY = (
    "What a program takes from the kernel stays taken until it is given back; a ring-buffer record"
    " that is"
    " neither submitted nor discarded blocks all behind it."
)
_UNLOCK = (
    "Leave the section on every path before this operation, or move the operation out of it. A"
    " call to a"
    " global function counts as an operation too: make it `static`, which is checked in its place."
)

ROWS = (
    Message(
        key="leak",
        pattern=r"(?:Unreleased|Leaking) reference id=\d+ alloc_insn=(?P<alloc>\d+)",
        needs="ringbuf",
        title="A ring buffer record is never given back",
        happened="On at least one path the program ends while it still holds the record that"
        " {taker}() gave"
        " it at instruction {alloc}.",
        why="A reserved record blocks all behind it: the reader waits until it is submitted or"
        " discarded.",
        change={
            "": (
                "Before every return after that, call {release} on `{taken}`.",
                "Before every return after that, call {release}.",
            ),
            "bcc": (
                "Before every return after that, write `{ring}.ringbuf_submit({taken}, 0);` or"
                " `{ring}.ringbuf_discard({taken}, 0);` (the helpers bpf_ringbuf_submit() and"
                " bpf_ringbuf_discard()).",
                "Before every return after that, call {release}<< on `{taken}`>>; in bcc's words"
                " `{ring}.ringbuf_discard(e, 0)`, with `e` for the record.",
                "Before every return after that, call {release}<< on `{taken}`>>; in bcc's words"
                " `events.ringbuf_discard(e, 0)`.",
            ),
            "rust": "Before every return after that, call `entry.submit(0)` or `entry.discard(0)`:"
            " also where"
            " an error leaves the function early with `?`.",
        },
        example="10: (85) call bpf_ringbuf_reserve#131\nUnreleased reference id=3 alloc_insn=10",
        source="kernel/bpf/verifier.c: check_reference_leak",
        report="Resource Lifetime Safety",
    ),
    Message(
        key="leak",
        pattern=r"(?:Unreleased|Leaking) reference id=\d+ alloc_insn=(?P<alloc>\d+)"
        r"|(?P<what>[\w\[\]|]+) would lead to reference leak"
        r"|(?P<what_ld>BPF_LD_\S+) cannot be mixed with socket",
        title="Something taken is never given back",
        happened=(
            "On at least one path the program ends while it still holds<< `{taken}`,>> what"
            " {taker}() gave it at"
            " instruction {alloc}.",
            "On at least one path the program ends while it still holds what it took at"
            " instruction {alloc}: a"
            " ring-buffer record, a socket, a task, or another reference.",
            "At {what} the program still holds a reference (a ring-buffer record, a socket, a"
            " task) that it must"
            " give back first.",
            "The program still holds a reference that it must give back first.",
        ),
        why=_LEAK_WHY,
        change=(
            "Before every return after that, call {release}<< on `{taken}`>>; where it is NULL"
            " there is nothing to"
            " give back.",
            "Before every return after that, call what belongs to the call that took it:"
            " bpf_ringbuf_submit() or bpf_ringbuf_discard() for a record, bpf_sk_release() for a"
            " socket, the"
            " `_release` function for a task or a cgroup, bpf_obj_drop() for an object.",
        ),
        example="20: (85) call bpf_sk_lookup_tcp#84\nUnreleased reference id=2 alloc_insn=20",
        source="kernel/bpf/verifier.c: check_reference_leak",
        report="Resource Lifetime Safety",
    ),
    Message(
        key="return-range",
        pattern=r"At (?P<when>[\w ]+?) the register (?P<reg>R\d) (?:has (?P<has>.*?)"
        r"|is not a known value.*?)"
        r" ?should have been in \[?\(?(?P<least>[^,;\]]+)[,;] ?(?P<most>[^\])]+)[\])]",
        title="A return value that is not allowed",
        happened="The program returns a value in {reg} that is not allowed ({when}: it has {has});"
        " it must lie"
        " between {least} and {most}.",
        why="What this type of program returns decides something (let through or drop, run or"
        " skip), so only"
        " some numbers have a meaning. In a mask form `(0x0; 0x1)` the second number is the bits"
        " that may be"
        " set: 0 and 1.",
        change="Return one of the allowed numbers on every path: a constant (`return 0;`), not a"
        " helper's result"
        " or a negative error. If the result is computed, end with `return x ? 1 : 0;`.",
        example="At program exit the register R0 has smin=-1 smax=-1 should have been in [0, 1]",
        source="kernel/bpf/verifier.c: check_return_code, verbose_invalid_scalar",
    ),
    Message(
        key="return-range",
        pattern=r"(?:At (?P<when>[\w ]+?)|In \w+ \w+) the register (?P<reg>R\d)"
        r" (?:is not a (?:known|scalar) value|has|unknown scalar)",
        title="A return value that is not allowed",
        happened="The program returns in {reg} a value that the verifier does not know to be an"
        " allowed one:"
        " {said}",
        why="What this type of program returns decides something, so it must be a number, and for"
        " some types one"
        " of a few.",
        change="Return a constant (`return 0;`) on every path, not a pointer and not a helper's"
        " result.",
        example="At program exit the register R0 is not a known value (ctx)",
        source="kernel/bpf/verifier.c: check_return_code",
    ),
    Message(
        key="too-long",
        pattern=r"infinite loop detected at insn (?P<at>\d+)",
        title="A loop without an end",
        happened="The verifier came to instruction {at} twice in the same state<<, in {c}>>:"
        " infinite loop"
        " detected at insn {at}.",
        why="A program must end, since nothing can interrupt it. If nothing that the verifier"
        " follows has changed"
        " in a turn, the loop could go on for ever.",
        change="Give the loop a constant bound, with a counter in a local variable that the loop"
        " tests (`for (int"
        " i = 0; i < 64; i++)`), and stop early with `break`; or use bpf_loop() (5.17) or"
        " bpf_for() (6.4).",
        example="infinite loop detected at insn 262",
        source="kernel/bpf/verifier.c: is_state_visited",
        since="5.3",
    ),
    Message(
        key="recursion",
        pattern=r"back-edge from insn (?P<from>\d+) to (?P<to>\d+)",
        needs="to_function",
        title="A function that calls itself",
        happened="The program goes from instruction {from} back to instruction {to}, where a"
        " function begins that is not at its end yet: it calls itself, or what it calls calls it.",
        why="The frames of a chain of calls are added up before the program runs; in a circle"
        " there is no deepest one. Loops are not refused with this message, except before 5.3 and"
        " from a user without CAP_BPF.",
        change="Turn the recursion into a loop with a constant bound.",
        example="func#0 @0\nfunc#1 @2\nback-edge from insn 2 to 2",
        source="kernel/bpf/verifier.c: push_insn",
        see="chain",
    ),
    Message(
        key="back-edge",
        pattern=r"back-edge from insn (?P<from>\d+) to (?P<to>\d+)|loop detected",
        title="A way back where none is allowed",
        happened=(
            "The program goes backwards, from instruction {from} to {to}, by a jump or by a call:"
            " back-edge from insn {from} to {to}.",
            "The program has a loop, and this kernel or this user may not load one.",
        ),
        why="A function may never call itself, also not by way of another. Before 5.3 the verifier"
        " takes no loops either, and later none from a user without CAP_BPF.",
        change="Turn a recursion into a loop. Load a loop as root on 5.3 or later, or let the"
        " compiler unroll it: `#pragma unroll`"
        " before a loop with a constant number of turns.",
        example="back-edge from insn 5 to 3",
        source="kernel/bpf/cfg.c: push_insn",
        report="Program Structure",
    ),
    Message(
        key="too-long",
        pattern=r"BPF program is too large\. Processed (?P<count>\d+) insn"
        r"|[Tt]he sequence of (?P<jumps>\d+) jumps is too complex"
        r"|(?P<loops>frame\d+ bpf_loop iteration limit)"
        r"|: too many iterations",
        title="Too much for the verifier to walk",
        happened=(
            "The verifier gave up after {count} instructions: {said}",
            "The verifier gave up<< after {walked} instructions>>: {said}",
        ),
        why="The verifier walks every path, turn by turn of each loop, and stops after 1,000,000"
        " instructions"
        " (131,072 before 5.2), or at 8,192 branches that wait. Each branch inside a loop can"
        " double the paths.",
        change={
            "": "Make the bound of the loop smaller, or move its body into bpf_loop() (5.17) or"
            " bpf_for() (6.4),"
            " which is walked once; split the work with tail calls or global (not static)"
            " functions;"
            " unroll less.",
            "bpftrace": "Let the script do less in one probe: fewer turns of `unroll`, `while` and"
            " `for`, shorter strings, the work split over several probes; a newer bpftrace needs"
            " fewer instructions for the same script.",
        },
        example="BPF program is too large. Processed 1000001 insn",
        source="kernel/bpf/verifier.c: do_check",
    ),
    Message(
        key="too-many-instructions",
        pattern=r"[Pp]rogram +too large \((?P<count>[1-3]?\d{1,3}) insns\)(?:, at most"
        r" (?P<most>\d+) insns)?",
        title="The kernel did not take that many instructions",
        happened=(
            "The program has {count} instructions, and the loader guesses from the error E2BIG"
            " that it has too"
            " many (at most {most}). With {count} instructions that is not the reason: the"
            " verifier's own limit"
            " may be, on the instructions it walks.",
            "The program has {count} instructions, more than this kernel takes from this user.",
        ),
        speaker="loader",
        why="The kernel answers E2BIG for a program that is too long (4096 instructions without"
        " privileges and"
        " before 5.2, else 1,000,000), and also when the verifier walked too many instructions on"
        " all paths"
        " together.",
        change="Give loops a smaller bound, unroll less, and split the program with tail calls."
        " Load it with the"
        " verifier's log (in bcc `BPF(text=..., debug=0x8)`): its last lines tell which limit it"
        " was.",
        example="bpf: Argument list too long. Program  too large (113 insns), at most 4096 insns",
        source="bcc: src/cc/libbpf.c: bcc_prog_load",
    ),
    Message(
        key="too-many-instructions",
        pattern=r"[Pp]rogram +too large \((?P<count>\d+) insns\)"
        r"|Instructions: +(?P<count_tc>\d+) \((?P<over>[1-9]\d*) over limit\)",
        title="Too many instructions",
        happened="The program has {count} instructions, more than this kernel takes from this"
        " user.",
        speaker="loader",
        why="Without privileges, and before 5.2, the limit is 4096 instructions; with them it is"
        " 1,000,000.",
        change="Load it as root, unroll less, give loops a smaller bound, or split it with tail"
        " calls.",
        example="bpf: Argument list too long. Program too large (5113 insns), at most 4096 insns",
        source="bcc: src/cc/libbpf.c: bcc_prog_load",
    ),
    Message(
        key="no-exit",
        pattern=r"last insn is not an? exit or jmp",
        title="A function does not end with exit",
        happened="A function of the program does not end with an exit or a jump: its last"
        " instruction would"
        " fall through into whatever comes next.",
        why="Each function must return by itself. The compiler leaves the end away where it"
        " believes that it"
        " is never reached: after a call that never returns, an endless loop, a missing return, or"
        " undefined"
        " behaviour.",
        change={
            "": "Look for a function that can fall off its end, an endless loop, or undefined"
            " behaviour (division"
            " by zero, an index out of bounds), which lets the compiler drop the rest. End every"
            " path with a"
            " `return`.",
            "bcc": "bcc links no functions: one that is not inlined (`noinline`, or too large) is"
            " left out, and the call to"
            " it leads nowhere. Mark it `static inline` (bcc then inlines it). Else look for an"
            " endless loop or undefined"
            " behaviour, and end every path with a `return`.",
            "rust": "It is usually a panic: its handler never returns, and a bounds check, an"
            " `unwrap()`, a"
            " division or an overflow can lead there. Remove what can panic (`get()` instead of"
            " `[]`, checked"
            " arithmetic), build in release mode, and keep the panic handler an endless loop that"
            " the optimiser"
            " removes; a newer bpf-linker helps too.",
        },
        example="last insn is not an exit or jmp",
        source="kernel/bpf/verifier.c: check_subprogs",
        report="Program Structure",
    ),
    Message(
        key="unreachable",
        pattern=r"unreachable insn (?P<at>\d+)",
        title="Code that nothing leads to",
        happened="Instruction {at} is unreachable: no path from the start of the program leads"
        " there.",
        why="The verifier takes only code that it can walk. The compiler seldom leaves such code;"
        " a call to a"
        " function that never returns, an endless loop, or hand-written assembly does.",
        change="Remove the code after an endless loop or behind a `goto`, or let something jump"
        " there. In"
        " assembly check the jump distances: they count from the next instruction, and a 64-bit"
        " load counts for"
        " two. A section that the compiler filled with undefined behaviour shows up the same way.",
        example="unreachable insn 12",
        source="kernel/bpf/cfg.c: check_cfg",
        report="Program Structure",
    ),
    Message(
        key="jump-range",
        pattern=r"jump out of range from insn (?P<from>\d+) to (?P<to>-?\d+)",
        title="A jump out of the program",
        happened="The jump at instruction {from} leads to instruction {to}, outside of the program"
        " or of its"
        " function: no such instruction is there.",
        why="A jump must stay within its own function, and the last instruction must not be jumped"
        " over.",
        change="The program is too short, or was cut: in hand-written instructions check the"
        " jump's distance (it"
        " counts from the next instruction, and a 64-bit load counts for two) and that an `exit`"
        " stands at the"
        " end. From a compiler: give the whole section to the loader, and let it do the"
        " relocations.",
        example="jump out of range from insn 1 to 2",
        source="kernel/bpf/cfg.c: push_insn; verifier.c: check_subprogs",
        report="Program Structure",
    ),
    Message(
        key="jump-middle",
        pattern=r"jump into the middle of ldimm64 insn (?P<at>\d+)|call to invalid destination"
        r"|invalid insn idx",
        title="A jump or a call to where no instruction starts",
        happened="{said}.",
        why="A 64-bit load takes two places; its second half is no instruction.",
        change="Correct the distance in hand-written instructions: it counts from the next"
        " instruction, and a"
        " 64-bit load counts for two. A call to another function needs a loader that links it in.",
        example="jump into the middle of ldimm64 insn 3",
        source="kernel/bpf/cfg.c: check_cfg",
        report="Program Structure",
    ),
    Message(
        key="frame-pointer",
        pattern=r"frame pointer is read only",
        title="A write to the frame pointer",
        happened="The program writes to R10<< ({does})>>: it must not; R10 is the frame pointer"
        " and can only be"
        " read.",
        why="All stack addresses are counted from R10, so it stays what it is.",
        change="Copy it to another register and change that: `r1 = r10; r1 += -8`. A compiler"
        " never writes R10:"
        " look at inline assembly.",
        example="1: (bf) r10 = r1\nframe pointer is read only",
        source="kernel/bpf/verifier.c: check_reg_arg",
    ),
    Message(
        key="division",
        pattern=r"div by zero|invalid shift (?P<by>-?\d+)",
        title="A division by zero or a shift too far, written into the program",
        happened="The program divides by a constant 0, or shifts by more than the width of the"
        " number: {said}<<, in"
        " {c}>>.",
        why="The result would mean nothing; the verifier refuses it where it can see the constant.",
        change="Correct the constant. It can come from a macro or from an expression that the"
        " compiler worked out.",
        example="div by zero",
        source="kernel/bpf/verifier.c: check_alu_op",
    ),
    Message(
        key="lock",
        pattern=r"\S+_unlock is missing|(?P<what>.+) cannot be used inside \S+-ed region"
        r"|calls? (?:are|is) not allowed while holding a lock|use static function instead"
        r"|Locking two bpf_spin_locks|deadlock detected|_unlock (?:without taking|of different"
        r"|cannot be out of order)"
        r"|unmatched (?:rcu read unlock|attempt to enable)"
        r"|cannot restore irq state|bpf_spin_lock at off=\d+ must be held"
        r"|held lock and object are not",
        title="A lock or a protected section that does not fit",
        happened="{said}<<, in {c}>>.",
        why="Between lock and unlock (also bpf_rcu_read_lock(), bpf_preempt_disable(),"
        " bpf_local_irq_save()) a"
        " program may do little, may take one lock only, and must unlock on every path, in order.",
        change=_UNLOCK,
        example="bpf_spin_unlock is missing",
        source="kernel/bpf/verifier.c: process_spin_lock, check_resource_leak",
        report="Resource Lifetime Safety|Execution Context Safety",
    ),
    Message(
        key="no-lock-here",
        pattern=r"(?P<who>tracing|socket filter|sleepable) progs cannot use (?P<what>\S+)"
        r"|tracing progs cannot use"
        r"|bpf_timer cannot be used|has to have BTF in order to use (?P<what_btf>\S+)"
        r"|has no valid (?P<what_no>\w+)"
        r"|doesn't have 'struct (?P<what_old>\w+)'|has to be at the constant offset",
        title="A lock, timer or list that this program or map may not use",
        happened="{said}.",
        why="Such a field must be a member of a map's value with BTF, at a fixed place, and some"
        " types of program"
        " may not use it: a tracepoint could interrupt the holder of the lock.",
        change="Compile with `-g`, declare the map with `__type(value, struct ...)` that has the"
        " field, and hand over"
        " `&value->field`. In tracing programs use atomic operations (`__sync_fetch_and_add()`) or"
        " per-CPU maps"
        " instead of a lock.",
        example="tracing progs cannot use bpf_spin_lock yet",
        source="kernel/bpf/verifier.c: check_map_prog_compatibility",
    ),
    Message(
        key="callback",
        pattern=r"callback function (?P<what>.+)|failed callback verification|within callback"
        r"|from callback subprog"
        r"|cannot be used in callback|not allowed in rbtree cb|exception c(?:b|allback)",
        title="A callback that the verifier does not take",
        happened="{said}.",
        why="A callback is verified like a program of its own: it must be static, take the"
        " arguments that the helper"
        " gives it, return 0 or 1, and may not make tail calls.",
        change="Declare it `static` with the exact arguments, return 0 or 1 on every path, and"
        " keep tail calls and"
        " what holds references out of it.",
        example="callback function not static",
        source="kernel/bpf/verifier.c: push_callback_call",
    ),
    Message(
        key="bad-instruction",
        pattern=r"unknown opcode (?P<code>\w+)|uses? reserved fields|invalid (?:BPF_\w+"
        r"|bpf_ld_imm64)|unknown insn class"
        r"|R\d+ is invalid|invalid BPF_JMP|BPF_ATOMIC uses|invalid atomic operand"
        r"|BPF_XADD uses reserved"
        r"|unrecognized bpf_ld_imm64",
        title="An instruction that this kernel does not know",
        happened="{said}<< (at {does})>>.",
        why="Newer compilers emit newer instructions (atomics with a result since 5.12, 32-bit"
        " jumps since 5.1, sign"
        " extension since 6.6), and an older kernel refuses them.",
        change="Compile for the older instruction set: `-mcpu=v1` or `-mcpu=v2` (aya: `-C"
        " target-cpu=v2`); avoid"
        " atomics whose result is used. In hand-written instructions set unused fields to 0.",
        example="BPF_ATOMIC uses invalid atomic opcode 01",
        source="kernel/bpf/verifier.c: do_check, resolve_pseudo_ldimm64",
    ),
)
