"""Memory that is not the stack: values of maps, records, packets, pointers that may be NULL."""

from __future__ import annotations

from labkit.explain.message import Message, Sentences

_BOUNDS_WHY = (
    "What lies behind the value belongs to someone else. The verifier takes the largest and the"
    " smallest value an offset can have on this path, and proves that even these stay inside."
)
_CHECK_INDEX = (
    "Check {index} against the size right before it is used, in a way the verifier can follow: `if"
    " ({bare_index} >= sizeof({bare_array}) / sizeof({bare_array}[0])) return 0;`, with an unsigned"
    " type. Where the compiler drops the check or works on a copy, mask it: `&` with one less than"
    " the size, if that is a power of two."
)
_CHECK_ANY = (
    "Check the index or the size against the room there is, right before it is used and with an"
    " unsigned type; or mask it with `&` and one less than a power of two<<. The register in"
    " question"
    " is {reg}>><<, which held {held}>>."
)
_CHECK_LENGTH = (
    "Bound {arg} right before the call: `if ({bare_arg} > SIZE) return 0;` with the bytes there"
    " are<<"
    " in {dest}>>, in an unsigned type. Where the compiler moves the check away, mask it:"
    " `{bare_arg}"
    " &= SIZE - 1` (SIZE a power of two).",
    "Bound the length in {reg} right before the call, in an unsigned type: `if (len > SIZE) return"
    " 0;`, or mask it (`len &= SIZE - 1`, SIZE a power of two).",
)
_NULL_WHY = (
    "A lookup in a map, or a reservation in a ring buffer, may fail and give NULL. The verifier"
    " lets"
    " the pointer be used only where the program has ruled that out."
)
_NULL_CHANGE: dict[str, Sentences] = {
    "": (
        "Check it right after the call: `if (!{bare_var}) return 0;`, here for {var}.",
        "Check the pointer for NULL right after the call that gives it: `if (!pointer) return 0;`.",
    ),
    "rust": "Ask before the pointer is used: `if let Some(value) = MAP.get(&key)`, or `let"
    " Some(value)"
    " = MAP.get_ptr_mut(0) else { return 0 };`. With `get_ptr` also test `is_null()`.",
    "bpftrace": "bpftrace writes this check itself, so this is a fault of its code generator: take"
    " a"
    " newer bpftrace, and report the script.",
}
_PACKET_WHY = (
    "Behind `data_end` there is other memory. The verifier knows how long a packet is only from a"
    " comparison with `data_end` on this very path and of this very pointer."
)

ROWS = (
    Message(
        key="null-check",
        pattern=r"(?P<reg>R\d+) invalid mem access '(?P<kind>\w*_or_null\w*)'"
        r"|(?P<reg_arg>R\d+) type=(?P<kind_arg>\w*_or_null\w*) expected"
        r"|[Pp]ossibly NULL pointer passed to (?:trusted |helper )?(?P<passed>\w+)"
        r"|(?P<reg_math>R\d+) pointer arithmetic on (?P<kind_math>\w*_or_null\w*) prohibited"
        r"|arg#?\d+ is expected to be non-NULL|(?P<reg_call>R\d+) is expected to be non-NULL",
        title="A pointer is used without a check for NULL",
        happened=(
            "The program uses a pointer that may be NULL ({kind})<< in {c}>>.",
            "The program hands {helper}() a pointer that may be NULL (as {passed})<<: {arg}>>.",
            "The program hands a function a pointer that may be NULL<< (as {passed})>>.",
        ),
        why=_NULL_WHY,
        change=_NULL_CHANGE,
        example="2: (63) *(u32 *)(r0 +0) = r6\nR0 invalid mem access 'map_value_or_null'",
        source="kernel/bpf/verifier.c: check_mem_access, check_reg_type",
        report="Register Type Safety|Call Type Safety",
    ),
    Message(
        key="global-unfilled",
        pattern=r"(?P<reg>R\d+) invalid mem access '(?:inv|scalar|imm)'",
        needs="unfilled",
        title="A global variable whose address was never filled in",
        happened="{reg} should hold the address of a global variable<<, in {c}>>, and the place of"
        " that address is still empty (0): the loader did not fill it in.",
        why="A global or static variable lives in a map that the loader makes (.data, .bss,"
        " .rodata; since Linux 5.2), and its address is filled in when the program is loaded.",
        change={
            "": "Take a loader that does this (libbpf, cilium/ebpf or aya of today), compile with"
            " `-g`, or keep the value in a map of your own.",
            "bcc": "bcc has no global variables: keep the value in a map, such as"
            " `BPF_ARRAY(counter,"
            " u64, 1);` or BPF_PERCPU_ARRAY, and look its address up. A constant can be a"
            " `#define`.",
        },
        example="0: (18) r1 = 0x0                      ; R1=0\n2: (79) r3 = *(u64 *)(r1 +0)\n"
        "R1 invalid mem access 'scalar'",
        source="kernel/bpf/verifier.c: check_mem_access",
        report="Register Type Safety",
    ),
    Message(
        key="null-check",
        pattern=r"(?P<reg>R\d+) invalid mem access '(?:inv|scalar)'",
        needs="is_zero",
        title="NULL itself is used as a pointer",
        happened="On this path {reg} is 0: the program uses a pointer where it has just found it"
        " to be NULL<<, in {c}>>.",
        why=_NULL_WHY,
        change={
            "": "Return, or jump past the access, where the pointer is NULL; look whether the"
            " condition is the wrong way round.",
            "bpftrace": _NULL_CHANGE["bpftrace"],
        },
        example="4: (55) if r0 != 0x0 goto pc+2 ; R0_w=0\n5: (79) r1 = *(u64 *)(r0 +0)\n"
        "R0 invalid mem access 'scalar'",
        source="kernel/bpf/verifier.c: check_mem_access",
        report="Register Type Safety",
    ),
    # Lengths handed to helpers: the register is the length itself, or the memory that is too small.
    Message(
        key="zero-size",
        pattern=r"(?P<reg>R\d+) invalid zero-sized read(?::"
        r" u64=\[(?P<least>-?\d+),(?P<most>-?\d+)\])?"
        r"|invalid zero-sized? read",
        title="A length that may be zero",
        happened=(
            "The program hands {arg} as a length to {helper}(), and it may be 0 there<< (it lies"
            " between {least} and {most})>>.",
            "A length handed to a helper<< in {reg}>> may be 0<< (it lies between {least} and"
            " {most})"
            ">>.",
        ),
        why="This helper needs at least one byte: its argument is declared as a size that must not"
        " be zero.",
        change=(
            "Rule that out right before the call, in an unsigned type: `if ({bare_arg} == 0 ||"
            " {bare_arg} > SIZE) return 0;`.",
            "Rule that out right before the call, in an unsigned type: `if (len == 0 || len > SIZE)"
            " return 0;`.",
        ),
        example="R5 invalid zero-sized read: u64=[0,1024]",
        source="kernel/bpf/verifier.c: check_mem_size_reg",
        report="Memory Safety|Call Type Safety",
    ),
    Message(
        key="zero-size",
        pattern=r"invalid (?:stack|access to (?:map \w+|memory|packet)).* (?:access_)?size=0\b",
        title="A length that may be zero",
        happened=(
            "The program hands {helper}() memory together with a length that may be 0<<, in {c}>>.",
            "The program hands a function memory together with a length that may be 0.",
        ),
        why="This helper needs at least one byte: the verifier tries the smallest length, 0, and"
        " refuses.",
        change="Rule that out right before the call, in an unsigned type: `if (len == 0 || len >"
        " SIZE)"
        " return 0;`. For bpf_trace_printk() the second argument is the length of the format: use"
        " bpf_printk(), which gives it.",
        example="invalid access to map value, value_size=128 off=0 size=0",
        source="kernel/bpf/verifier.c: check_mem_size_reg",
        until="6.7",
    ),
    Message(
        key="length-negative",
        pattern=r"(?P<reg>R\d+) min value is negative, either use unsigned or 'var &= const'",
        title="A length that may be negative",
        happened=(
            "The program hands {arg} as a length to {helper}(), and as far as the verifier knows it"
            " may be negative, that is, huge<<; there are {room}>>.",
            "The length in {reg}, handed to a helper, may be negative, that is, huge.",
        ),
        why="A length of -1 is 18446744073709551615 to the kernel. What a helper returned may be a"
        " negative error.",
        change=_CHECK_LENGTH,
        example="R2 min value is negative, either use unsigned or 'var &= const'",
        source="kernel/bpf/verifier.c: check_mem_size_reg",
        report="Memory Safety|Call Type Safety",
    ),
    Message(
        key="length-unbounded",
        pattern=r"(?P<reg>R\d+) unbounded memory access, use 'var &= const' or 'if \(var < const\)'"
        r"|(?P<reg_size>R\d+) unbounded size",
        title="A length without an upper bound",
        happened=(
            "The program hands {arg} as a length to {helper}(), and the verifier knows no upper"
            " bound for it<<; there are {room}>>.",
            "The verifier knows no upper bound for the length in {reg}<<, which is handed to"
            " {helper}()>><<; there are {room}>>.",
        ),
        why="The helper writes or reads that many bytes, so even the largest possible length has to"
        " fit where it is put.",
        change=_CHECK_LENGTH,
        example="R2 unbounded memory access, use 'var &= const' or 'if (var < const)'",
        source="kernel/bpf/verifier.c: check_mem_size_reg",
        report="Memory Safety|Call Type Safety",
    ),
    # Values of maps and other memory of a known size.
    Message(
        key="value-bounds",
        pattern=r"invalid access to (?:map (?P<kindof>value|key)|(?P<kindof_mem>memory)),"
        r" (?:value|mem|key)_size=(?P<value>\d+) off=(?P<off>-?\d+) size=(?P<size>\d+)",
        needs="helper fixed",
        title="A function gets a value that is too small for it",
        happened=(
            "The program hands {arg} to {helper}(), which accesses {bytes} at offset {off} of it,"
            " and"
            " the {what} has {value_bytes}.",
            "The program hands a map's value to {helper}(), which accesses {bytes} at offset"
            " {off} of it, and the {what} has {value_bytes}.",
        ),
        why="The helper would read or write past the end of the value, into memory of someone"
        " else.",
        change="Make the type of the {what} larger (at least {bytes} from there on: a struct or an"
        " array, not a single `char`), or let the function access fewer bytes.",
        example="0: (85) call bpf_get_current_comm#16\n"
        "invalid access to map value, value_size=1 off=0 size=16\n"
        "R1 min value is outside of the allowed memory range",
        source="kernel/bpf/verifier.c: __check_mem_access",
        report="Memory Safety",
    ),
    Message(
        key="value-bounds",
        pattern=r"invalid access to (?:map (?P<kindof>value|key)|(?P<kindof_mem>memory)),"
        r" (?:value|mem|key)_size=(?P<value>\d+) off=(?P<off>-?\d+) size=(?P<size>\d+)",
        needs="helper",
        title="A function may access memory past the end of a value",
        happened=(
            "The program hands {arg} to {helper}(), which accesses {bytes} there; the address may"
            " lie"
            " as far as offset {off} in a {what} of {value_bytes}.",
            "The program hands {helper}() an address<< in {reg}>> that may lie as far as offset"
            " {off}"
            " in a {what} of {value_bytes}, and {bytes} are accessed there.",
        ),
        why=_BOUNDS_WHY,
        change=(
            "Bound what {arg} is computed from, so that {bytes} still fit behind the largest"
            " offset;"
            " or give the array elements that are as large as what the function accesses.",
            "Bound the offset, so that {bytes} still fit behind the largest one; or hand over a"
            " smaller length.",
        ),
        example="0: (85) call bpf_cpumask_and#65708\n"
        "invalid access to map value, value_size=1320 off=1280 size=1024\n"
        "R3 max value is outside of the allowed memory range",
        source="kernel/bpf/verifier.c: __check_mem_access",
        report="Memory Safety",
    ),
    Message(
        key="value-bounds",
        pattern=r"invalid access to (?:map (?P<kindof>value|key)|(?P<kindof_mem>memory)),"
        r" (?:value|mem|key)_size=(?P<value>\d+) off=(?P<off>-?\d+) size=(?P<size>\d+)",
        title="An access outside a map's value or a record",
        happened="The program may access {bytes} at offset {off} of a {what} that has"
        " {value_bytes}<<,"
        " in {c}>>.",
        why=_BOUNDS_WHY,
        change=(
            _CHECK_INDEX,
            "All the bytes that are accessed must lie inside. If the offset is fixed, an index is"
            " past the end of its array, or the type that the program uses is larger than what the"
            " map was declared with or than the record that was reserved: make them fit. If it is"
            " computed, check it against the size first.",
        ),
        example="11: (73) *(u8 *)(r0 +16) = r1\n"
        "invalid access to map value, value_size=16 off=16 size=1",
        source="kernel/bpf/verifier.c: __check_mem_access",
        report="Memory Safety",
    ),
    Message(
        key="value-bounds",
        pattern=r"(?P<reg>R\d+) (?:min|max) value is (?:outside|negative)"
        r"|(?P<reg_un>R\d+) unbounded memory access"
        r"|math between (?P<kind>\w+) pointer and register with unbounded min value"
        r"|(?P<kind_off>\w+) pointer offset -?\d+ is not allowed"
        r"|value -?\d+ makes (?P<kind_out>\w+) pointer be out of bounds"
        r"|math between (?P<kind_imm>\w+) pointer and -?\d+ is not allowed"
        r"|(?P<reg_buf>R\d+) invalid (?:variable|negative|\S+) (?:\S+ )?buffer (?:offset|access)"
        r"|invalid access to (?:flow keys|context), |(?P<reg_mem>R\d+) (?:memory size"
        r"|allocation size)",
        title="An index or an offset without bounds",
        happened=(
            "The verifier cannot prove that {index} stays inside {array}<<, in {c}>>: {said}",
            "The verifier knows no bounds for the offset that is added to a pointer<< ({kind})>><<"
            " in"
            " {c}>>: {said}",
        ),
        why=_BOUNDS_WHY,
        change=(_CHECK_INDEX, _CHECK_ANY),
        example="R0 unbounded memory access, make sure to bounds check any such access",
        source="kernel/bpf/verifier.c: check_mem_region_access, check_reg_sane_offset",
        report="Memory Safety|Register Type Safety",
    ),
    Message(
        key="value-read-only",
        pattern=r"write into map forbidden|BPF_(?:ATOMIC|ST|XADD) (?:stores into"
        r"|loads from) (?P<reg_at>R\d+)|(?P<reg>R\d+) cannot write into (?P<kind>\S+)"
        r"|write to change key|cannot write into packet|\(\) may write into memory pointed"
        r"|only read (?:is|from \S+ is) supported",
        title="A write to memory that may only be read",
        happened="The program writes to memory that it may only read<<, in {c}>>: {said}",
        why="A `const` global lies in .rodata, which is frozen; a map may be created read-only for"
        " programs; structs of the kernel and many arguments may only be read.",
        change="Write to a copy: a local variable, a map's value, or a global that is not `const`.",
        example="R1 cannot write into rdonly_mem",
        source="kernel/bpf/verifier.c: check_mem_access, check_map_access_type",
    ),
    Message(
        key="value-write-only",
        pattern=r"read from map forbidden",
        title="A read from a map that programs may only write",
        happened="The map was created with BPF_F_WRONLY_PROG, and the program reads from it<< in"
        " {c}>>.",
        why="The flag says so.",
        change="Leave the flag out, or keep what you need to read in another map.",
        example="read from map forbidden, value_size=8 off=0 size=8",
        source="kernel/bpf/verifier.c: check_map_access_type",
    ),
    Message(
        key="special-field",
        pattern=r"(?P<field>\w+) cannot be accessed (?:directly|indirectly)"
        r"|(?P<field_kptr>kptr|uptr) access .*(?:variable offset|misaligned|size must)"
        r"|store to (?:referenced kptr|uptr) disallowed|kptr in map can only be accessed",
        title="A field that only its own functions may touch",
        happened="The program reads or writes a special field of a map's value as if it were plain"
        " bytes<<, in {c}>>: {said}",
        why="Locks, timers, list heads and kernel pointers inside a value are the kernel's state; a"
        " plain write would break them.",
        change="Use the functions made for it (bpf_spin_lock(), bpf_timer_init(),"
        " bpf_kptr_xchg()...),"
        " and copy or clear the other members one by one, not the whole value.",
        example="bpf_spin_lock cannot be accessed directly by load/store",
        source="kernel/bpf/verifier.c: check_map_access",
    ),
    # Packets.
    Message(
        key="packet-negative",
        pattern=r"addition of negative constant to packet pointer"
        r"|(?P<reg>R\d+) (?:min value is negative|offset is negative).*packet",
        title="A packet offset that may be negative",
        happened="The program adds to a packet pointer a value that may be negative as far as this"
        " kernel's verifier knows<<, in {c}>>.",
        why="Before the packet lies other memory, too. Kernels before 4.14 knew bounds of a value"
        " only in a few cases: after a shift or a subtraction a number may count as negative.",
        change="Give the length an unsigned type and bound it right before the addition (`if (len >"
        " 1500) return XDP_DROP;`, or a mask `len & 0xff`); a newer kernel follows much more.",
        example="addition of negative constant to packet pointer is not allowed",
        source="kernel/bpf/verifier.c: check_packet_ptr_add",
        until="4.13",
    ),
    Message(
        key="packet-bounds",
        pattern=r"invalid access to packet(?:, off=(?P<off>-?\d+) size=(?P<size>\d+)(?:,"
        r" (?P<reg>R\d+))?)?"
        r"|(?P<reg_out>R\d+) offset is outside of the packet",
        title="An access to a packet that was not checked against its end",
        happened=(
            "The program accesses {bytes} at offset {off} of a packet pointer<<, in {c}>>, and no"
            " comparison with `data_end` on this path covers these bytes.",
            "The program accesses a packet<<, in {c}>>, and no comparison with `data_end` on this"
            " path covers the bytes.",
        ),
        why=_PACKET_WHY,
        change={
            "": "Check right before the access, with the same pointer that is read: `if (p +"
            " sizeof(*p)"
            " > data_end) return XDP_DROP;`. After any addition of a variable offset check again,"
            " and"
            " bound that offset (at most 65535). In a loop, check in every turn. Calls that change"
            " the"
            " packet (bpf_xdp_adjust_head(), bpf_skb_pull_data()) end all earlier checks.",
            "rust": "Check right before the access: `if start + offset + size_of::<T>() > end {"
            " return"
            " Err(()) }`, with `start` and `end` from `ctx.data()` and `ctx.data_end()`, and read"
            " through that same pointer.",
        },
        example="invalid access to packet, off=14 size=1, R2(id=4,off=14,r=0)",
        source="kernel/bpf/verifier.c: check_packet_access",
        report="Memory Safety",
    ),
    Message(
        key="packet-end",
        pattern=r"pointer arithmetic on pkt_end prohibited"
        r"|(?P<reg>R\d+) invalid mem access 'pkt_end'",
        title="The end of a packet is used for more than a comparison",
        happened="The program computes with `data_end`, or reads through it<<, in {c}>>: {said}",
        why="`data_end` may only be compared with a packet pointer. The compiler may have turned"
        " `p +"
        " 1 > data_end` into `p > data_end - 1`.",
        change="Write the comparison with all additions on the side of the packet pointer: `if"
        " ((void"
        " *)(p + 1) > data_end) return XDP_DROP;`. If it is written so and the compiler moves it to"
        ' the other side, hide the value from it: `asm volatile("" : "+r"(p));` before it.',
        example="R2 pointer arithmetic on pkt_end prohibited",
        source="kernel/bpf/verifier.c: adjust_ptr_min_max_vals",
        report="Register Type Safety",
    ),
    Message(
        key="packet-helper",
        pattern=r"helper access to the packet is not allowed"
        r"|the prog does not allow writes to packet",
        title="This program may not hand over or write the packet directly",
        happened="{said}<<, in {c}>>.",
        why="Not every type of program may give a helper a packet pointer or write to the packet.",
        change="Copy the bytes to the stack first (bpf_skb_load_bytes(), bpf_xdp_load_bytes()), and"
        " write with bpf_skb_store_bytes(); or use a type of program that may.",
        example="helper access to the packet is not allowed",
        source="kernel/bpf/verifier.c: check_helper_mem_access",
    ),
    Message(
        key="context",
        pattern=r"invalid bpf_context access off=(?P<off>-?\d+)(?: size=(?P<size>\d+))?",
        title="An access to the context that is not allowed",
        happened=(
            "The program accesses {size} bytes at offset {off} of its context<<, in {c}>>; this"
            " type"
            " of program has no such field, or may not touch it.",
            "The program accesses offset {off} of its context<<, in {c}>>; this type of program has"
            " no such field, or may not touch it any more.",
        ),
        why="Each type of program gets its own context, and the verifier knows each field of it.",
        change={
            "": "Check the type of the program (its section name) against the context struct it"
            " uses."
            " For a tracepoint, look the fields up in the `format` file in tracefs; for fentry and"
            " tp_btf programs, the arguments in the kernel's BTF.",
            "rust": "Check the type of the program (its attribute macro) against the context it"
            " uses;"
            " for a tracepoint, take the offsets from the `format` file in tracefs for"
            " `read_at()`.",
        },
        example="invalid bpf_context access off=80 size=4",
        source="kernel/bpf/verifier.c: check_ctx_access",
    ),
    Message(
        key="context-modified",
        pattern=r"dereference of modified (?P<kind>\w+) ptr (?P<reg>R\d+) off=(?P<off>-?\d+)"
        r" disallowed"
        r"|variable (?P<kind_var>\w+) access var_off=\S+ disallowed"
        r"|negative offset (?P<kind_neg>\w+) ptr (?P<reg_neg>R\d+) off=(?P<off_neg>-?\d+)"
        r" disallowed",
        title="A pointer is used after something was added to it",
        happened="The program uses a {kind} pointer with an offset that is not allowed there<<, in"
        " {c}>>: {said}",
        why="Context pointers, and pointers that a function must get as they are, may only be used"
        " with the fixed offsets of their fields. The compiler may have added an offset first, to"
        " share it between two accesses, or the index may be a variable.",
        change="Read the field into a local variable first and pass that on, with a constant index;"
        " if the compiler merges accesses, put `barrier();` or `volatile` at one of them.",
        example="dereference of modified ctx ptr R6 off=48 disallowed",
        source="kernel/bpf/verifier.c: __check_ptr_off_reg",
        report="Register Type Safety",
    ),
    Message(
        key="btf-beyond",
        pattern=r"access beyond (?:the end of member (?P<member>\S+).*in )?struct (?P<struct>\S+)"
        r"|access beyond struct (?P<struct_old>\S+)"
        r"|struct (?P<struct_at>\S+) doesn't have field at offset (?P<off>\d+)"
        r"|cannot access ptr member (?P<member_p>\S+) with moff \d+ in struct"
        r" (?P<struct_p>(?!bpf_map\b)\S+)",
        title="An access past a member of a kernel struct",
        happened="The program reads struct {struct} of the kernel where no member lies that may be"
        " read"
        " so<<, in {c}>>: {said}",
        why="A pointer to a kernel struct with BTF may be followed member by member, as the running"
        " kernel lays it out: within a member, with its size.",
        change="Read through the member itself, with CO-RE (BPF_CORE_READ(),"
        " `preserve_access_index`),"
        " not with an offset or a cast; for an array of variable length use"
        " bpf_probe_read_kernel().",
        example="access beyond struct task_struct at off 99999 size 4",
        source="kernel/bpf/btf.c: btf_struct_walk",
    ),
)
