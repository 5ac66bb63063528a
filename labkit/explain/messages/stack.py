"""The stack: its end, its unwritten bytes, its slots, chains of calls."""

from __future__ import annotations

from labkit.explain.message import Message

_WHY = (
    "Each BPF program has {limit} of stack, fixed, because it runs on the kernel's own small stack,"
    " where an overflow would crash the kernel or overwrite its memory. So the verifier proves for"
    " every access, before the program runs, that it stays inside."
)
_PERCPU = (
    " out of the stack, into a per-CPU array of one element: look its address up, return if it is"
    " NULL, and use it as before. A value may have 32 KiB there. Or make it smaller."
    "<< Look at {locals} too: all of them share the stack.>>"
)
_RUST = (
    " out of the stack, into a `PerCpuArray<T>` with one element: `get_ptr_mut(0)`, and return if"
    " that is `None`. In Rust a large value is often on the stack without being seen there: one"
    " that"
    " is built in a function and moved out of it."
)
_PLACES = (
    "where it is declared (`= {}`), and fill padding too (`__builtin_memset(&x, 0, sizeof(x))`):"
    " `= {}` need not write the bytes between members"
)
_UNWRITTEN_WHY = (
    "The stack still holds what ran before; reading it would show the program old data of the"
    " kernel. (Since 6.3 a program with CAP_PERFMON may read such bytes.)"
)
_OFF_SIZE = (
    r"invalid(?: unprivileged)?(?P<how> [a-z ]*)? stack (?P<reg>R\d+|\S+(?: \S+)?)"
    r" off=(?P<off>-?\d+) size=(?P<size>\d+)"
    r"|invalid stack (?:type (?P<reg_old>R\d+) )?off=(?P<off_old>-?\d+)"
    r" (?:access_)?size=(?P<size_old>-?\d+)"
)

ROWS = (
    Message(
        key="length-unbounded",
        pattern=_OFF_SIZE
        + r"|invalid access to (?:map (?P<kindof>value|key)|(?P<kindof_mem>memory)),"
        r" (?:value|mem|key)_size=(?P<value>\d+) off=(?P<off_value>-?\d+)"
        r" size=(?P<size_value>\d+)",
        needs="length",
        title="A length that may be larger than the memory",
        happened=(
            "The program hands {arg} to {helper}() with {length} as the length, and as far as the"
            " verifier knows that may be {bytes}: more than the {value_bytes} of the {what}.",
            "The program hands {arg} to {helper}() with {length} as the length, and as far as the"
            " verifier knows that may be {bytes}: more than the stack has from {place} on.",
            "The program hands {helper}() memory with a length that may be {bytes}, as far as the"
            " verifier knows: more than there is<< ({value_bytes})>>.",
        ),
        why="The helper may access all those bytes. The verifier takes the largest length that is"
        " possible on this path, and does not see what a program knows of the data.",
        change=(
            "Bound {length} right before the call: `if ({bare_length} > SIZE) return 0;` with the"
            " bytes that there are, in an unsigned type. Where the compiler moves the check away,"
            " mask it: `{bare_length} &= SIZE - 1` (SIZE a power of two).",
            "Bound the length right before the call, in an unsigned type: `if (len > SIZE) return"
            " 0;` with the bytes that there are, or mask it (`len &= SIZE - 1`, SIZE a power of"
            " two).",
        ),
        example="0: (85) call bpf_skb_load_bytes#26\n R3=map_value(vs=1024)"
        " R4=inv(id=0,umax_value=4294967295,var_off=(0x0; 0xffffffff))\n"
        "invalid access to map value, value_size=1024 off=0 size=4294967295\n"
        "R3 min value is outside of the allowed memory range",
        source="kernel/bpf/verifier.c: check_mem_size_reg",
        report="Memory Safety|Call Type Safety",
    ),
    Message(
        key="stack-bounds",
        pattern=_OFF_SIZE,
        needs="deep",
        title="An access below the end of the stack",
        happened=(
            "The program hands {arg} to {helper}(), which would access {bytes} of stack, starting"
            " {place}; the stack ends {limit} below it, so that is {deep} too deep.",
            "The program {verb} {bytes} of stack, starting {place}; the stack ends {limit} below"
            " it,"
            " so that is {deep} too deep.",
        ),
        why=_WHY,
        change={
            "": ("Move {var}" + _PERCPU, "Move the large local variable" + _PERCPU),
            "rust": ("Move {var}" + _RUST, "Move the large local variable" + _RUST),
            "bpftrace": "A script has no variables to move: make strings and stacks shorter"
            " (`BPFTRACE_MAX_STRLEN`, `str(x, 64)`), use fewer of them in one probe, or take a"
            " newer"
            " bpftrace, which keeps large values in maps.",
        },
        example="1: (7b) *(u64 *)(r10 -600) = r1\ninvalid write to stack R10 off=-600 size=8",
        source="kernel/bpf/verifier.c: check_stack_access_within_bounds",
        since="5.12 (and later releases of 5.10); `invalid stack off=` before",
        see="verifier",
    ),
    Message(
        key="stack-bounds",
        pattern=_OFF_SIZE,
        needs="past",
        title="An access above the stack's variables",
        happened=(
            "The program hands {arg} to {helper}(), which accesses {bytes} there, starting {place}:"
            " that reaches {past} past the top of its own stack. {var} is shorter than what is"
            " taken from it.",
            "The program {verb} {bytes} of stack, starting {place}: that reaches {past} past the"
            " top"
            " of its own stack. On that line it {verb} {var}, which is shorter than what is taken"
            " from it.",
            "The program {verb} {bytes} of stack, starting {place}: that reaches {past} past the"
            " top"
            " of its own stack.",
        ),
        why="What lies above the frame pointer is not this function's. Such an access comes from an"
        " offset that is larger than the variable: a struct declared smaller than the one that is"
        " read, or an index one too far.",
        change=(
            "Declare {var} as large as what is read from it: give its type all the members up to"
            " the"
            " one that is used, or read less.",
            "Make the variable as large as what is read or written there, or access less of it.",
        ),
        example="0: (61) r1 = *(u32 *)(r6 +24)\ninvalid read from stack R6 off=0 size=4",
        source="kernel/bpf/verifier.c: check_stack_access_within_bounds",
        see="verifier",
    ),
    Message(
        key="stack-uninitialised",
        pattern=r"invalid(?: unprivileged)? (?:indirect )?read from stack (?P<reg>R\d+)"
        r" off=(?P<off>-?\d+) size=(?P<size>\d+)",
        needs="inside",
        title="Stack bytes are read before anyone wrote them",
        happened=(
            "The program reads {bytes} of stack, starting {place}, inside its stack, but not"
            " all of them were written on this path<<; the line deals with {var}>>.",
        ),
        why=_UNWRITTEN_WHY,
        change=(
            "Set {var} to zero " + _PLACES + ".",
            "Set the variable at that offset to zero " + _PLACES + ".",
        ),
        example="3: (71) r1 = *(u8 *)(r10 -32)\ninvalid read from stack R10 off=-32 size=1",
        source="kernel/bpf/verifier.c: check_stack_read_fixed_off",
        since="5.12",
        until="6.x",
        see="verifier",
        report="Memory Safety",
    ),
    Message(
        key="stack-bounds",
        pattern=_OFF_SIZE,
        title="A stack access that is not allowed",
        happened="The program {verb} {bytes} of stack, starting {place}, and the verifier refuses"
        " that: {said}",
        why=_WHY,
        change="Look at the offset and the size: all the bytes must lie between the frame pointer"
        " and {limit} below it, and a size must be above 0.",
        example="0: (85) call bpf_x#1\ninvalid indirect access to stack R1 off=-16 size=8",
        source="kernel/bpf/verifier.c: check_stack_access_within_bounds",
        see="verifier",
    ),
    Message(
        key="stack-variable",
        pattern=r"invalid (?:unbounded )?variable-offset(?P<how>[a-z ]*) stack (?P<reg>R\d+)?"
        r"|variable (?:offset )?stack (?:access|pointer)|(?P<reg_old>R\d+) variable offset stack"
        r"|stack pointer arithmetic goes out of range",
        title="A stack address that is not fixed",
        happened=(
            "The program reaches into {array} on its stack at {index}, a value that is only known"
            " when it runs, and that the verifier cannot bound tightly enough.",
            "The program reaches into its stack at an offset that is only known when it runs.",
        ),
        why=_WHY,
        change=(
            "Bound {index} right before it is used, so that every possible value stays inside"
            " {array}: `if ({bare_index} >= sizeof({bare_array}) / sizeof({bare_array}[0])) return"
            " 0;`. A helper needs a fixed address in many kernels: hand it the start of {array}.",
            "Bound the index before it is used, so that every possible value stays inside the"
            " array;"
            " a helper needs a fixed stack address in many kernels.",
        ),
        example="invalid variable-offset write to stack R2 var_off=(0x0; 0xff) off=0 size=1",
        source="kernel/bpf/verifier.c: check_stack_access_within_bounds",
        report="Memory Safety",
        see="verifier",
    ),
    Message(
        key="stack-pointer-passed",
        pattern=r"invalid(?: indirect)? read from stack (?:(?P<reg>R\d+) )?"
        r"off (?P<off>-?\d+)\+(?P<at>\d+) size (?P<size>\d+)",
        needs="spilled",
        title="A helper is given a saved pointer instead of the data",
        happened="The program hands {helper}() the stack at offset {off}, and in that slot a"
        " pointer"
        " is kept: {spilled} stored it there. It would copy the pointer itself.",
        why="A pointer of the kernel that got into a map or to user space would tell where the"
        " kernel's memory lies. So a slot that holds a spilled pointer is not data.",
        change="Hand over what it points to instead: copy the value to a local variable (`u64"
        " value ="
        " *pointer;`) and give the address of that. If you meant the pointer, you passed its"
        " address:"
        " leave out the `&`.",
        example="1: (85) call bpf_map_lookup_elem#1\n2: (7b) *(u64 *)(r10 -32) = r0\n"
        "3: (85) call bpf_map_update_elem#2\ninvalid indirect read from stack off -32+0 size 4",
        source="kernel/bpf/verifier.c: check_stack_range_initialized",
        see="verifier",
    ),
    Message(
        key="stack-uninitialised",
        pattern=r"invalid(?: indirect)? read from stack (?:(?P<reg>R\d+) )?"
        r"(?:off (?P<off>-?\d+)\+(?P<at>\d+)|var_off \S+) size (?P<size>\d+)"
        r"|reading from stack (?:(?P<reg_dead>R\d+) )?off (?P<off_dead>-?\d+)\+(?P<at_dead>\d+)"
        r" size (?P<size_dead>\d+), slot poisoned",
        title="Stack bytes are read before anyone wrote them",
        happened=(
            "The program hands {arg} to {helper}(), which reads {bytes} at stack offset {off}, and"
            " byte {at} of them was never written.",
            "The program reads {bytes} of {var} at stack offset {off}, and byte {at} of them was"
            " never written.",
            "The program reads {bytes} at stack offset {off}, and byte {at} of them was never"
            " written.",
            "The program reads {bytes} of its stack that were not all written.",
        ),
        why=_UNWRITTEN_WHY,
        change={
            "": (
                "Set {var} to zero " + _PLACES + ".",
                "Set the variable at stack offset {off} to zero " + _PLACES + ".",
                "Set the variable to zero " + _PLACES + ".",
            ),
            "rust": (
                "Build {var} from zeroes (`core::mem::zeroed()`), not with `MaybeUninit` or field"
                " by"
                " field: padding between fields counts too. Or name the padding in the struct.",
                "Build the value from zeroes (`core::mem::zeroed()`), not field by field: padding"
                " between fields counts too. Or name the padding in the struct.",
            ),
        },
        example="invalid indirect read from stack R2 off -24+20 size 24",
        source="kernel/bpf/verifier.c: check_stack_range_initialized",
        report="Memory Safety",
        see="verifier",
    ),
    Message(
        key="stack-chain",
        pattern=r"combined stack size of (?P<calls>\d+) calls is (?P<total>\d+)",
        title="A chain of calls needs too much stack",
        happened="The deepest chain of {calls} functions needs {total} bytes of stack<< (frames of"
        " {calls_frames} bytes, each rounded up)>>; all of them together may have {limit}.",
        why="Functions of one program call each other on the same stack, so the frames of a chain"
        " add up. (Since 6.13 tracing programs on x86-64 get a stack for each function.)",
        change={
            "": "Move the large variables of these functions into per-CPU arrays, or make the chain"
            " shorter: an inlined function (`static __always_inline`) shares the frame of its"
            " caller.",
            "rust": "Move the large values of these functions into a `PerCpuArray`, or mark the"
            " functions `#[inline(always)]`: an inlined function shares the frame of its caller.",
        },
        example="combined stack size of 2 calls is 608. Too large",
        source="kernel/bpf/verifier.c: check_max_stack_depth_subprog",
        see="chain",
    ),
    Message(
        key="stack-subprog",
        pattern=r"stack size of subprog (?P<number>\d+) is (?P<total>\d+)"
        r"|stack size (?P<total_jit>\d+)\(extra \d+\) is too large"
        r"|stack depth (?P<total_int>\d+) exceeds interpreter stack depth",
        title="One function needs too much stack",
        happened=(
            "Function {number} of the program needs {total} bytes of stack; it may have {limit}.",
            "A function of the program needs {total} bytes of stack; it may have {limit}.",
        ),
        why=_WHY,
        change="Move its large variables into a per-CPU array.",
        example="stack size of subprog 1 is 528. Too large",
        source="kernel/bpf/verifier.c: check_max_stack_depth_subprog",
        since="6.13",
        see="chain",
    ),
    Message(
        key="tail-call-stack",
        pattern=r"tail_calls are not allowed when call stack of previous frames is (?P<total>\d+)"
        r" bytes",
        title="A tail call under a deep stack",
        happened="A function makes a tail call while its callers already hold {total} bytes of"
        " stack; less than 256 are allowed there.",
        why="A tail call drops the frame of its own function but not those of the callers, and up"
        " to 33 may follow each other, so what stays behind must be small.",
        change="Make the tail call from the main function, or move the callers' large variables"
        " into a per-CPU array.",
        example="tail_calls are not allowed when call stack of previous frames is 256 bytes. Too"
        " large",
        source="kernel/bpf/verifier.c: check_max_stack_depth_subprog",
        see="chain",
    ),
    Message(
        key="call-depth",
        pattern=r"the call stack of (?P<frames>\d+) frames is too deep",
        title="Too many functions deep",
        happened="The program calls {frames} functions deep, and that is one too many: 8 are"
        " allowed (16 since 7.2).",
        why="The verifier follows each chain of calls to its end, and the kernel's stack is small.",
        change="Inline some of the functions. If you did not write that many, a function may call"
        " itself, or one may be called that the compiler did not know: look at its warnings.",
        example="the call stack of 9 frames is too deep !",
        source="kernel/bpf/verifier.c: check_max_stack_depth_subprog",
        see="chain",
    ),
    Message(
        key="recursion",
        pattern=r"recursive call from (?P<caller>\S+) to (?P<callee>\S+)",
        title="A function that calls itself",
        happened="The chain of calls comes back to {callee} from {caller}, so it has no deepest"
        " frame.",
        why="The kernel adds up the frames of the deepest chain of calls before the program runs;"
        " in a circle there is none.",
        change="Turn the recursion into a loop with a constant bound.",
        example="recursive call from one() to other()",
        source="kernel/bpf/verifier.c: sort_subprogs_topo",
        since="7.3",
        report="Program Structure",
        see="chain",
    ),
    Message(
        key="misaligned",
        pattern=r"misaligned (?P<kind>\w+ )?access off (?P<sum>.+?) size (?P<size>\d+)",
        title="An access at an address that is not aligned",
        happened=(
            "The program accesses {bytes} at once at {does}, an offset that is not a multiple of"
            " {size} (the verifier adds it up as {sum}).",
            "The program accesses {bytes} at once at an offset that is not a multiple of {size}"
            " (the"
            " verifier adds it up as {sum}).",
        ),
        why="On the stack an access of 8 bytes has to be aligned to 8, one of 4 to 4: the verifier"
        " tracks the stack in slots of 8 bytes. In other memory it depends on the machine and on"
        " the load flag BPF_F_STRICT_ALIGNMENT.",
        change="Let the compiler align it: take `__attribute__((packed))` off the struct or order"
        " its"
        " members by size, or give the variable `__attribute__((aligned(8)))`. A packed struct on"
        " the stack whose members are copied 8 bytes at a time is the usual cause.",
        example="misaligned stack access off 0+0+-20 size 8",
        source="kernel/bpf/verifier.c: check_generic_ptr_alignment",
        see="verifier",
    ),
    Message(
        key="spill-size",
        pattern=r"invalid size of register (?P<what>spill|fill)",
        title="Part of a pointer is saved or read back",
        happened=(
            "The program copies only part of a pointer<< with {does}>><<, on the line {c}>>: a"
            " pointer has 8 bytes, and this access has fewer.",
        ),
        why="The verifier follows a pointer through the stack only as a whole 8-byte slot. Half a"
        " pointer is a number made of a kernel address.",
        change="Keep the pointer in a variable of 8 bytes (a pointer or `u64`), aligned to 8; a"
        " cast"
        " to `u32`, an `int`, or a packed struct cuts it. If you wanted what it points to, read"
        " that"
        " (bpf_probe_read_kernel() or bpf_probe_read_user()).",
        example="2: (63) *(u32 *)(r10 -8) = r1\ninvalid size of register spill",
        source="kernel/bpf/verifier.c: check_stack_write_fixed_off, check_stack_read_fixed_off",
        see="verifier",
    ),
    Message(
        key="spill-corrupt",
        pattern=r"attempt to corrupt spilled pointer|corrupted spill memory",
        title="Part of a saved pointer is overwritten",
        happened="The program writes over a part of a stack slot that holds a saved pointer<<:"
        " {does}>><<, on the line {c}>>.",
        why="A pointer of which some bytes were replaced would point anywhere, and reading it back"
        " would tell part of a kernel address.",
        change="Write the whole 8-byte slot, or keep the other data in a variable of its own: look"
        " for an index into a local array that goes one too far, or a union of a pointer and"
        " bytes.",
        example="5: (7b) *(u64 *)(r10 -8) = r1\n6: (72) *(u8 *)(r10 -6) = 0\n"
        "attempt to corrupt spilled pointer on stack",
        source="kernel/bpf/verifier.c: check_stack_write_fixed_off",
        report="Memory Safety",
        see="verifier",
    ),
    Message(
        key="stack-leak",
        pattern=r"leaking pointer from stack off (?P<off>-?\d+)",
        title="A pointer on the stack would be given away",
        happened="At stack offset {off} a pointer is kept, and the program reads it as plain"
        " bytes.",
        why="Without CAP_PERFMON a program must not learn the kernel's addresses.",
        change="Load it as root (CAP_BPF and CAP_PERFMON), or do not copy the pointer as data.",
        example="leaking pointer from stack off -8",
        source="kernel/bpf/verifier.c: check_stack_read_fixed_off",
        see="verifier",
    ),
    Message(
        key="stack-caller",
        pattern=r"cannot spill pointers to stack into stack frame of the caller"
        r"|cannot return stack pointer to the caller",
        title="A pointer would outlive its function's stack",
        happened="A function saves a pointer in its caller's stack, or returns a pointer into its"
        " own"
        " stack: {said}.",
        why="A frame is gone when its function returns, and the verifier does not follow pointers"
        " between frames.",
        change="Let the caller own the variable and hand its address down, return a number, or"
        " inline the function (`static __always_inline`).",
        example="cannot return stack pointer to the caller",
        source="kernel/bpf/verifier.c: prepare_func_exit, check_stack_write_fixed_off",
        see="chain",
    ),
)
