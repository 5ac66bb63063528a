"""Object files, BTF, sections, programs and what they attach to: what loaders refuse."""

from __future__ import annotations

from labkit.explain.message import Message

_KERNEL_BTF_WHY = (
    "BTF describes the kernel's types. It is built in with CONFIG_DEBUG_INFO_BTF=y (from 5.2, with"
    " pahole), and"
    " shows as /sys/kernel/btf/vmlinux."
)
_TARGET_WHY = (
    "A kernel function can be attached to only if it exists in the running kernel under that name:"
    " it may be"
    " inlined, `static` and optimised away, renamed, or in a module that is not loaded."
)
_TARGET_CHANGE = (
    "Look whether it is there: `grep -w {target} /proc/kallsyms`, and for kprobes"
    " /sys/kernel/tracing/available_filter_functions. Take another function, or a tracepoint,"
    " which stays the same"
    " from kernel to kernel. If the tool is not yours, take a newer version of it."
)

ROWS = (
    Message(
        key="btf-object",
        pattern=r"BTF is required, but is missing or corrupted|find \.BTF section"
        r"|: missing BTF$|section \.BTF: not found|no BTF (?:in|section)",
        speaker="loader",
        title="The object file has no BTF",
        happened="The object file has no BTF (type information), or it is damaged, and something"
        " in it needs BTF: maps"
        ' in `SEC(".maps")`, or CO-RE.',
        why='The maps of `SEC(".maps")` are described by their C types, and these get into the'
        " object as BTF.",
        change="Compile with `clang -g -O2 -target bpf` (the `-g` makes the BTF), with clang 10 or"
        " newer, and do not strip"
        " the sections .BTF and .BTF.ext (`llvm-strip -g` leaves them).",
        example="libbpf: BTF is required, but is missing or corrupted.",
        source="libbpf: src/libbpf.c: bpf_object__init_btf",
    ),
    Message(
        key="btf-kernel-missing",
        pattern=r"failed to find valid kernel BTF"
        r"|Error loading vmlinux BTF|vmlinux BTF is not found|kernel is missing BTF"
        r"|not supported without CONFIG_DEBUG_INFO_BTF|/sys/kernel/btf/vmlinux[^\n]*(?:[Nn]o such"
        r"|not found|not exist)"
        r"|(?:load|no) (?:kernel|vmlinux) (?:BTF|spec)[^\n]*not (?:found|supported)"
        r"|failed to (?:read|load) BTF from /sys"
        r"|vmlinux BTF, but not found|kernel (?:lacks|doesn't provide|does not have) BTF"
        r"|kernel BTF is missing at|no BTF found for kernel|vmlinux BTF, but not found",
        speaker="loader",
        title="The running kernel has no usable BTF",
        happened="The program needs the running kernel's BTF, and that is missing or cannot be"
        " read: {said}",
        why=_KERNEL_BTF_WHY + " A kernel whose BTF was made by a pahole that does not fit has a"
        " malformed one.",
        change="Look whether /sys/kernel/btf/vmlinux is there. If not, take a kernel built with"
        " CONFIG_DEBUG_INFO_BTF=y"
        " (all larger distributions have it now), or give the loader a BTF file for this kernel"
        " (BTFHub); if it is there"
        " and malformed, the kernel has to be rebuilt with a pahole that fits.",
        example="libbpf: Error loading vmlinux BTF: -2",
        source="libbpf: src/btf.c: btf__load_vmlinux_btf",
    ),
    Message(
        key="btf-build",
        speaker="loader",
        pattern=r"FAILED:? load BTF from vmlinux|BTFIDS +vmlinux|\.tmp_vmlinux.*pahole|pahole"
        r" \(pahole\)"
        r" is not available",
        title="The kernel's build could not make its BTF",
        happened="This is the build of a kernel, which could not make or read the type information"
        " (BTF) of vmlinux: {said}",
        why="pahole makes the kernel's BTF from its debug information, and resolve_btfids reads"
        " it; one of them is missing or does not fit this kernel and compiler.",
        change="Install a pahole (package dwarves) as new as the kernel asks for, with"
        " CONFIG_DEBUG_INFO_BTF=y and a DWARF version that it reads; or switch"
        " CONFIG_DEBUG_INFO_BTF off.",
        example="FAILED: load BTF from vmlinux: Invalid argument",
        source="tools/bpf/resolve_btfids/main.c",
        see="machine",
    ),
    Message(
        key="struct-ops",
        speaker="loader",
        pattern=r"struct_ops init_kern(?: \w+)?: (?:struct (?P<name>\w+) is not found in kernel BTF"
        r"|(?P<what>[^\n]*(?:not found in kernel|mismatch|incompatible|Unexpected|Cannot"
        r" find)[^\n]*))",
        title="A table of functions (struct_ops) that this kernel does not have so",
        happened=(
            "The program fills the kernel's struct {name}, and the running kernel has no such"
            " struct.",
            "The program fills a struct of the kernel that the running kernel has in another"
            " form: {what}",
        ),
        why="struct_ops programs (TCP congestion control, sched_ext schedulers, HID) stand in for"
        " functions of a kernel struct, which the loader looks up in the kernel's BTF.",
        change="Load it on a kernel that has it (sched_ext needs 6.12 and"
        " CONFIG_SCHED_CLASS_EXT=y),"
        " with the module that has it, or take the version of the program for this kernel.",
        example="libbpf: struct_ops init_kern: struct sched_ext_ops is not found in kernel BTF",
        source="libbpf: src/libbpf.c: find_struct_ops_kern_types",
    ),
    Message(
        key="pin-exists",
        speaker="loader",
        pattern=r"(?:failed to pin|pin(?:ning)?\b)[^\n]*(?:[Ff]ile exists|EEXIST|-17\b)",
        title="Something is pinned there already",
        happened="The program or map was made, and pinning it failed, since there is a file of that"
        " name already: {said}",
        why="A pin is a file on the BPF file system, and stays until it is removed.",
        change="Remove the old pin (`sudo rm` the file under /sys/fs/bpf) if nothing uses it,"
        " or pin"
        " under another name.",
        example="libbpf: failed to pin program: File exists",
        source="kernel/bpf/inode.c: bpf_obj_do_pin",
    ),
    Message(
        key="tc-exists",
        speaker="loader",
        pattern=r"Exclusivity flag on, cannot modify|RTNETLINK answers: File exists",
        title="tc has it already",
        happened="tc was asked to add a qdisc or a filter that is there already: {said}.",
        why="An interface has one clsact qdisc, and `add` refuses a second one.",
        change="Use `tc qdisc replace` or `tc filter replace`, or take the old one off first: `sudo"
        " tc qdisc del dev DEV clsact` (`tc filter show dev DEV ingress` shows what is there).",
        example="RTNETLINK answers: File exists",
        source="net/sched/sch_api.c: tc_modify_qdisc",
    ),
    Message(
        key="btf-kernel-malformed",
        rank=0,
        pattern=r"btf_vmlinux is malformed|in-kernel BTF is malformed",
        title="The running kernel's BTF is malformed",
        happened="The kernel could not read its own BTF (type information): {said}. What it says"
        " after that follows from it.",
        why=_KERNEL_BTF_WHY + " A kernel whose BTF was made by a pahole that does not fit has a"
        " malformed one, or it has none.",
        change="Take another build of the kernel, with CONFIG_DEBUG_INFO_BTF=y and a pahole that"
        " fits (`bpftool btf dump file"
        " /sys/kernel/btf/vmlinux | head` shows whether it can be read), or a tool that does"
        " without BTF.",
        example="btf_vmlinux is malformed",
        source="kernel/bpf/btf.c: btf_get_prog_ctx_type; kernel/bpf/verifier.c:"
        " bpf_get_btf_vmlinux",
    ),
    Message(
        key="btf-refused",
        pattern=r"^.*?\[(?P<id>\d+)\] (?P<kind>[A-Z_]+\d*) (?P<name>\S+) .*?(?P<what>Invalid [\w/"
        r" -]+|Unsupported \w+"
        r"|[A-Z][\w ]+ exceeds? [\w ]+|Loop detected|[A-Z]\w+ is not [\w ]+)",
        speaker="kernel",
        title="The kernel refuses the type information (BTF)",
        happened="BTF was refused at type {id}, {kind} {name}: {what}. Whose BTF it is, the line"
        " says: {said}",
        why="Every type is checked when BTF is loaded. A type that the kernel's rules do not allow"
        " comes from the tool that"
        " made the BTF (clang or pahole), from a damaged file, or from BTF that is newer than the"
        " kernel; in the kernel's"
        " own BTF it means that the pahole which built it did not fit.",
        change="For the program's BTF: compile with a clang that fits the kernel, or let the"
        " loader sanitise it (a newer"
        " loader). For the kernel's BTF (vmlinux or a module): rebuild the kernel with a newer"
        " pahole, or use another"
        " kernel build.",
        example="load kernel spec: load btf: invalid argument: [52] STRUCT task_struct size=7744"
        " vlen=218: cpus_mask"
        " type_id=109 bitfield_size=0 bits_offset=7744 Invalid member",
        source="kernel/bpf/btf.c: btf_verifier_log_member, btf_verifier_log_type",
    ),
    Message(
        key="btf-refused",
        needs="!btf_optional",
        pattern=r"Error loading \.BTF into kernel|load (?:kernel )?btf: (?P<why>.+)"
        r"|BTF_LOAD\W.*(?:fail|denied|invalid)"
        r"|[Ff]ailed to load BTF|loading BTF: |BTF debug data (?:section|info).*(?:rejected"
        r"|invalid)|magic: 0x|Invalid BTF",
        speaker="loader",
        title="The kernel refuses the type information (BTF)",
        happened="The object's type information (BTF) was not accepted: {said}",
        why="Every type is checked when BTF is loaded; an older kernel does not know all kinds"
        " that a newer compiler makes.",
        change="Take a newer loader, which leaves out what the kernel does not know, or compile"
        " with a clang that fits the"
        " kernel. Without CO-RE and BTF maps the BTF can be left out (no `-g`).",
        example="libbpf: Error loading .BTF into kernel: -22. BTF is mandatory, can't proceed.",
        source="libbpf: src/libbpf.c: bpf_object__sanitize_and_load_btf",
    ),
    Message(
        key="co-re-relocation",
        pattern=r"failed to perform CO-RE relocations|relo #\d+: failed to relocate"
        r"|apply CO-RE relocations: (?P<what>.+)"
        r"|[Ee]rror relocating [`'](?P<prog>\w+)|unable to relocate: (?P<what_aya>.+)",
        speaker="loader",
        title="A CO-RE relocation that failed",
        happened=(
            "The loader could not fit the program to the running kernel's structs (a CO-RE"
            " relocation): {what}.",
            "The loader could not fit the program to the running kernel's structs (a CO-RE"
            " relocation): {said}.",
        ),
        why="The program was compiled against one kernel's structs; each access to a member is"
        " fitted to the running"
        " kernel's, from its BTF. Something that the program needs is not there, or BTF itself is"
        " not.",
        change="Turn the loader's debug output on: it names the struct and the member. Guard it"
        " with bpf_core_field_exists(),"
        " describe the other layout (`struct name___old`), or take the program's version for this"
        " kernel.",
        example="libbpf: failed to perform CO-RE relocations: -3",
        source="libbpf: src/libbpf.c: bpf_object__relocate; cilium/ebpf: prog.go",
    ),
    Message(
        key="func-info",
        pattern=r"func_info|line_info|missing btf func|number of funcs|\.BTF\.ext"
        r"|invalid type id \d+ in func|core_relo",
        title="The function information (BTF.ext) does not fit the program",
        happened="The BTF that describes the program's functions and lines does not match its"
        " instructions: {said}",
        why="The loader hands it over together with the instructions, and the kernel compares"
        " them.",
        change="Compile everything with one clang and `-g`, link with `bpftool gen object` or"
        " libbpf (not by hand), and take a"
        " loader as new as the compiler.",
        example="number of funcs in func_info doesn't match number of subprogs",
        source="kernel/bpf/check_btf.c: check_btf_func",
    ),
    Message(
        key="elf",
        pattern=r"elf: (?:failed to open )?'?(?P<file>\S+?)'? (?:is not a (?:valid eBPF object"
        r"|proper ELF|64-bit ELF)"
        r"|as ELF)|(?P<file_go>\S+\.o)\b.*(?:bad magic number|not (?:a )?(?:BPF|eBPF) (?:ELF"
        r"|object)|unexpected machine"
        r"|not an ELF)|not for eBPF|(?:unexpected|invalid) (?:ELF )?machine|is not a valid (?:eBPF"
        r"|BPF) object|e_machine",
        speaker="loader",
        title="Not an object file for BPF",
        happened=(
            "The object file {file} is not one for BPF: it was compiled for another machine (such"
            " as the host), or it is no"
            " ELF file.",
            "The object file is not one for BPF: it was compiled for another machine (such as the"
            " host), or it is no ELF"
            " file.",
        ),
        why="A loader takes ELF files for the machine `BPF`, made by clang or gcc with that"
        " target.",
        change="Compile it with `clang -g -O2 -target bpf -c x.bpf.c -o x.bpf.o`, and give the"
        " loader that file (`file x.o`"
        " should say eBPF). A file that was emptied or cut looks the same: build it again.",
        example="libbpf: elf: /tmp/x.o is not a valid eBPF object file",
        source="libbpf: src/libbpf.c: bpf_object__elf_init",
    ),
    Message(
        key="elf-file",
        pattern=r"elf: failed to open (?P<file>\S+): (?P<why>.+)"
        r"|failed to open (?P<file_l>\S+\.o): (?P<why_l>.+)"
        r"|open (?P<file_go>\S+\.o): no such file",
        speaker="loader",
        title="The object file cannot be opened",
        happened="The loader cannot open {file}<<: {why}>>.",
        why="It looks from the folder it was started in.",
        change="Check the path, and that the file was built.",
        example="libbpf: elf: failed to open x.bpf.o: -ENOENT",
        source="libbpf: src/libbpf.c: bpf_object__elf_init",
    ),
    Message(
        key="elf-maps",
        pattern=r"legacy map definitions in 'maps' section|DATASEC '?\.maps'? not found"
        r"|map '(?P<map>[^']+)': (?:unknown field|conflicting \w+ size|map type isn't specified"
        r"|unsupported map linkage|attr .*)",
        speaker="loader",
        title="The maps are declared in a form that this loader does not take",
        happened="{said}",
        why='Since libbpf 1.0 maps are C variables in `SEC(".maps")` with BTF; the older `struct'
        " bpf_map_def` in"
        ' `SEC("maps")` is gone.',
        change="Write `struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1);"
        " __type(key, u32);"
        ' __type(value, struct x); } name SEC(".maps");`, and compile with `-g`.',
        example="libbpf: elf: legacy map definitions in 'maps' section are not supported by libbpf"
        " v1.0+",
        source="libbpf: src/libbpf.c: bpf_object__init_maps",
    ),
    Message(
        key="section-name",
        pattern=r"missing BPF prog type, check ELF section name '(?P<section>[^']+)'"
        r"|(?:failed to guess program type from|unrecognized"
        r"|unknown) (?:ELF )?section(?: name)? '?(?P<section_old>[\w./:-]+)"
        r"|can't load program of unspecified type"
        r"|invalid format of section definition '(?P<section_bad>[^']+)'"
        r"|invalid section '?(?P<section_u>[^',]+)",
        speaker="loader",
        title="A section name that the loader does not know",
        happened=(
            "The loader cannot tell from the section name `{section}` what type of program this"
            " is.",
            "The loader cannot tell from the section name what type of program this is.",
        ),
        why='`SEC("...")` says type and target: `tracepoint/sched/sched_process_exec` (or tp/'
        " with category and name),"
        " `kprobe/do_unlinkat`, `xdp`, `tc`, `fentry/...`. What the loader does not know, it does"
        " not load.",
        change="Spell it as this loader expects: for a tracepoint category and name,"
        ' `SEC("tp/sched/sched_process_exec")`.'
        " Newer names need a newer loader; or set the program's type by hand before the load.",
        example="libbpf: prog 'handle': missing BPF prog type, check ELF section name 'tp/foo'",
        source="libbpf: src/libbpf.c: libbpf_prepare_prog_load, bpf_object_load_prog",
    ),
    Message(
        key="attach-denied",
        pattern=r"failed to (?:create|attach to) (?P<kind>(?:[ku](?:ret)?probe|(?<=create"
        r" )(?:raw )?tracepoint)) '(?P<target>[^']+)'"
        r".*?(?:[Pp]ermission denied|not permitted|-EACCES|-EPERM|\(?-(?:1|13)\)?$)",
        speaker="loader",
        title="Not permitted to attach there",
        happened="The program was loaded, and the kernel did not permit to attach it to the {kind}"
        " {target}: {said}",
        why="A probe is attached through perf_event_open(), which needs root or CAP_PERFMON"
        " (CAP_SYS_ADMIN before 5.8); a container's seccomp profile, perf_event_paranoid and a"
        " locked-down kernel refuse it as well. Whether the target exists, this does not tell.",
        change="Run it with sudo, on the host (in a container with `--privileged`). If you are"
        " root:"
        " look at `sysctl kernel.perf_event_paranoid` and /sys/kernel/security/lockdown.",
        example="libbpf: prog 'x': failed to create kprobe 'do_unlinkat+0x0' perf event:"
        " Permission denied",
        source="kernel/events/core.c: perf_event_open; libbpf: bpf_program__attach_kprobe_opts",
        see="machine",
    ),
    Message(
        key="attach-target",
        pattern=r"failed to find kernel BTF type ID of '(?P<target>[^']+)'"
        r"|(?P<target_btf>\w+) is not found in vmlinux BTF"
        r"|find target for attach: (?:function|tracepoint|type name) \"?(?P<target_go>\w+)"
        r"|find target in \w+: (?:type name )?\"?(?P<target_goo>\w+)"
        r"|failed to create k(?:ret)?probe '(?P<target_k>[\w.]+)[^']*' perf event:"
        r" (?P<why>.*?(?:[Nn]o such file|ENOENT|-2\b|[Ii]nvalid argument|EINVAL|-22\b|requested"
        r" address|EADDRNOTAVAIL).*)"
        r"|Failed to attach BPF program b?'?[^' ]+'? to k(?:ret)?probe b?'?(?P<target_bcc>[\w.]+)"
        r"|kprobe[^\n]*(?:token|symbol) \"?(?P<target_sym>[\w.]+)\"?: (?:not found|no such file)"
        r"|[Kk]ernel function (?P<target_x>\w+)(?:\(\))? (?:not found|does not exist"
        r"|is not traceable)"
        r"|No BTF found for (?P<target_nb>\w+)"
        r"|[Ee]rror attaching probe: '?k(?:ret)?(?:probe|func):(?:vmlinux:)?(?P<target_bt>\w+)"
        r"|(?P<target_wn>\w+) is not traceable"
        r"|The address of function (?P<target_ad>\S+) cannot be found",
        speaker="loader",
        title="The kernel function to attach to is not there",
        happened=(
            "The program should be attached to the kernel function {target}, and the running"
            " kernel has no such function"
            " that can be traced<<: {why}>>.",
            "The program should be attached to a kernel function that the running kernel does not"
            " have, or that cannot be"
            " traced: {said}",
        ),
        why=_TARGET_WHY,
        change=(
            _TARGET_CHANGE,
            "Look whether the function is there, in /proc/kallsyms and (for kprobes)"
            " /sys/kernel/tracing/available_filter_functions, and take another one or a"
            " tracepoint.",
        ),
        example="libbpf: prog 'fentry_x': failed to find kernel BTF type ID of"
        " 'blk_account_io_done': -3",
        source="libbpf: src/libbpf.c: libbpf_find_attach_btf_id; bcc: src/cc/libbpf.c:"
        " bpf_attach_probe",
    ),
    Message(
        key="attach-target",
        pattern=r"cannot attach kprobe, probe entry may not exist"
        r"|Attaching to non existing function",
        speaker="loader",
        title="The kernel function to attach to is not there",
        happened="The program should be attached to a kernel function that the running kernel does"
        " not have, or that cannot be"
        " traced: {said}",
        why=_TARGET_WHY,
        change="Look whether the function is there, in /proc/kallsyms and (for kprobes)"
        " /sys/kernel/tracing/available_filter_functions, and take another one or a tracepoint.",
        example="cannot attach kprobe, probe entry may not exist",
        source="bcc: src/cc/libbpf.c: bpf_attach_probe",
    ),
    Message(
        key="attach-denied",
        pattern=r"failed to (?:attach to|create BPF link for) (?P<target>(?:tracepoint"
        r"|perf_event).*?):? "
        r"(?:-13|Permission denied|\(Permission denied)",
        speaker="loader",
        title="The kernel loads the program but does not let it be attached there",
        happened="The program was loaded, and attaching it to {target} was refused with EACCES:"
        " {said}",
        why="For a tracepoint the kernel compares how far the program reads into its context with"
        " how"
        " long this tracepoint's record is on the running kernel, and says EACCES if that is"
        " shorter;"
        " lockdown and perf_event_paranoid can refuse as well.",
        change="Compare the fields that the program reads with this kernel's"
        " /sys/kernel/tracing/events/CATEGORY/NAME/format: build it against this kernel's"
        " vmlinux.h, or"
        " take a newer version of the tool. Look at /sys/kernel/security/lockdown, too.",
        example="libbpf: prog 'mount_entry': failed to attach to tracepoint"
        " 'syscalls/sys_enter_mount': Permission denied",
        source="kernel/events/core.c: perf_event_set_bpf_prog",
        see="machine",
    ),
    Message(
        key="attach-tracepoint",
        pattern=r"failed to determine tracepoint '(?P<target>[^']+)' perf event ID: (?P<why>.+)"
        r"|Failed to attach BPF program (?P<prog>\S+) to tracepoint b?'?(?P<target_bcc>[\w:]+)"
        r"|failed to (?:create|attach to) (?:raw )?tracepoint '(?P<target_c>[^']+)'"
        r"|reading trace event ID.*|trace event (?P<target_go>\S+): .*"
        r"|open\(?.*/events/(?P<target_f>[\w/]+)/id\W.*(?:No such|no such)|tracepoint (?:not found"
        r"|does not exist):? ?(?P<target_bt>\S+)?"
        r"|No such file or directory.*events/(?P<target_n>\w+/\w+)"
        r"|[Tt]racepoint (?P<target_e>[\w:/]+) (?:not found|does not exist)",
        speaker="loader",
        title="The tracepoint is not there",
        happened=(
            "The program should be attached to the tracepoint {target}, and this kernel does not"
            " have it, or it cannot be"
            " read<<: {why}>>.",
            "The program should be attached to a tracepoint that this kernel does not have, or"
            " that cannot be read: {said}",
        ),
        why="Tracepoints belong to a kernel version and configuration; they show as folders under"
        " /sys/kernel/tracing/events/CATEGORY/NAME (tracefs has to be mounted, and only root may"
        " read it).",
        change="Look for it: `sudo ls /sys/kernel/tracing/events/`, and mount it where it is empty"
        " (`mount -t tracefs tracefs"
        " /sys/kernel/tracing`). Check category and spelling; syscall tracepoints need"
        " CONFIG_FTRACE_SYSCALLS.",
        example="libbpf: failed to determine tracepoint 'kmem/nothing' perf event ID: No such file"
        " or directory",
        source="libbpf: src/libbpf.c: perf_event_open_tracepoint",
    ),
    Message(
        key="attach-refused",
        pattern=r"(?P<what>(?:Attaching (?:tracing|fexit|f\w+/)|attach_btf_id|Cannot (?:attach"
        r"|replace|extend|nest"
        r"|recursively)|attach to (?:invalid|unsupported)"
        r"|Sleepable program cannot|Tracing programs? (?:must|can only)|Only (?:FENTRY|fentry)"
        r"|Extension program|Syscall programs"
        r"|Program of this type cannot be sleepable|Subprog \S+ doesn't exist"
        r"|can't modify return codes|\S+\(\) is not modifiable"
        r"|\S+ is not sleepable|The function \S+ (?:has|return|with|arg)|struct_ops module"
        r"|attach_btf|Target program bound).*)",
        title="The program may not be attached there",
        happened="{what}.",
        why="fentry, fexit, LSM and extension programs name a function of the kernel or of another"
        " program, and the verifier"
        " checks that this function can be traced, changed or replaced so.",
        change="Take a function that fits (its arguments must be numbers or pointers, and for"
        " `fmod_ret` it must allow a changed"
        " return value), or use a kprobe, which can be put on more functions.",
        example="Attaching tracing programs to function 'rcu_read_lock' is rejected.",
        source="kernel/bpf/verifier.c: bpf_check_attach_target",
    ),
    Message(
        key="attach-user",
        pattern=r"failed to (?:create|attach to) u(?:ret)?probe '(?P<target>[^']+)'(?P<why>.*)"
        r"|failed to find symbol '(?P<target_sym>[^']+)' in '(?P<file>[^']+)'"
        r"|failed to find USDT probe '(?P<target_usdt>[^']+)' in '(?P<file_usdt>[^']+)'"
        r"|symbol (?P<target_go>\S+): (?:symbol )?not found"
        r"|[Cc]ould not resolve symbol: (?P<target_bt>\S+)"
        r"|failed to resolve full path for '(?P<file_path>[^']+)'",
        speaker="loader",
        title="The function of a program or a library to attach to is not there",
        happened=(
            "The probe should be put on {target}<< in {file}>>, and that was not found there, or"
            " not"
            " accepted<<: {why}>>.",
            "The probe should be put into {file}, and that file was not found.",
        ),
        why="A uprobe is put at an offset into a file, found by a symbol's name. The symbol may be"
        " stripped, inlined, named otherwise (C++ and Rust change names), or in another library.",
        change="Look for it: `nm -D FILE | grep NAME` (or `readelf -Ws`), for USDT `readelf -n"
        " FILE`; give"
        " the full path of the file that the process really uses (see /proc/PID/maps).",
        example="libbpf: elf: failed to find symbol 'readlineX' in '/bin/bash'",
        source="libbpf: src/elf.c: elf_find_func_offset",
        see="machine",
    ),
    Message(
        key="attach-xdp",
        pattern=r"XDP program already attached|failed to attach the XDP program"
        r"|Underlying driver does not support XDP in native mode"
        r"|(?P<why>.*(?:native XDP|XDP).*(?:not supported|mtu|MTU|too large).*)",
        speaker="loader",
        title="The network interface does not take this XDP program",
        happened="The program was not attached to the interface: {said}",
        why="An interface has one XDP program (or one dispatcher for several), its driver must"
        " know XDP"
        " for the native mode, and some drivers limit the MTU.",
        change="See what is attached with `ip link show` or `xdp-loader status`, and take it off"
        " first (`ip"
        " link set dev DEV xdp off`). Without support in the driver use the generic mode"
        " (`xdpgeneric`,"
        " `-m skb`).",
        example="libbpf: Kernel error message: XDP program already attached",
        source="net/core/dev.c: dev_xdp_attach",
        see="machine",
    ),
    Message(
        key="kernel-config",
        pattern=r"extern \(kcfg\) '(?P<name>\w+)'.*: not resolved|failed to open system Kconfig"
        r"|extern \(kcfg\) '(?P<name_x>\w+)'",
        speaker="loader",
        title="A setting of the kernel that is not known here",
        happened=(
            "The program asks for the kernel's setting {name}, and the loader does not find it in"
            " this"
            " kernel's configuration.",
            "The loader cannot read this kernel's configuration: {said}",
        ),
        why="`extern ... __kconfig` is filled in from /proc/config.gz or /boot/config-$(uname -r).",
        change="Declare it `__weak`, so that it is 0 where it is not set, and see that one of"
        " these files is"
        " there.",
        example="libbpf: extern (kcfg) 'CONFIG_FOO' (strong): not resolved",
        source="libbpf: src/libbpf.c: bpf_object__resolve_externs",
    ),
    Message(
        key="bpftrace-script",
        pattern=r"^\S+:\d+:\d+(?:-\d+)?: ERROR: (?P<what>.*)",
        speaker="loader",
        title="bpftrace does not understand the script",
        happened="bpftrace refuses the script itself: {what}",
        why="The script is checked before anything is compiled or loaded: types, names of fields,"
        " probes"
        " and arguments of functions.",
        change="Correct the place that it shows. Fields of a struct are those of the running"
        " kernel's BTF"
        " (`bpftrace -lv 'struct task_struct'`); functions and probes depend on bpftrace's"
        " version.",
        example="stdin:1:34-45: ERROR: Struct/union of type 'struct task_struct' does not contain"
        " a field"
        " named 'foo'",
        source="bpftrace: src/ast/passes",
    ),
    Message(
        key="tail-call-owner",
        pattern=r"Tail call map owned by prog type (?P<owner>\d+), but prog type is (?P<type>\d+)",
        speaker="loader",
        title="A tail-call map belongs to another type of program",
        happened="The map for tail calls (a program array) belongs to programs of the type number"
        " {owner}, and this program is"
        " of the type number {type}: a program array holds programs of one type only.",
        why="With a tail call one program takes over from another with the same context, so both"
        " must be of the same type (3 is"
        " tc, sched_cls; 6 is xdp; the numbers are enum bpf_prog_type). The map may be one that is"
        " pinned and was made by the"
        " other program.",
        change="Give each type of program a program array of its own, with a name or pin path of"
        " its own; remove a pinned map that"
        " is left over (`rm` it under /sys/fs/bpf).",
        example="Tail call map owned by prog type 3, but prog type is 6!",
        source="iproute2: lib/bpf_legacy.c: bpf_map_owner check",
    ),
    Message(
        key="pinned-map",
        pattern=r"couldn't reuse pinned map at '(?P<file>[^']+)'"
        r"|map spec is incompatible with existing map|use pinned map (?P<map>\S+):"
        r"|pinned map .* (?:mismatch|incompatible|differs)"
        r"|map '(?P<map_l>[^']+)': error reusing pinned map",
        speaker="loader",
        title="A pinned map is of another form than the program's",
        happened="There is already a pinned map<< {map}>><< at {file}>>, and its type, sizes or"
        " flags are not those that the program"
        " declares: {said}",
        why="A pinned map stays after its program ends, also over an upgrade that changed its"
        " declaration.",
        change="Remove the old pin (`sudo rm` the file under /sys/fs/bpf), if nothing else uses"
        " the map, or pin the new one under"
        " another name.",
        example="libbpf: couldn't reuse pinned map at '/sys/fs/bpf/events': parameter mismatch",
        source="libbpf: src/libbpf.c: bpf_object__reuse_map",
    ),
    Message(
        key="bpffs",
        pattern=r"specified path (?P<file>\S+) is not on BPF FS"
        r"|(?P<file_go>\S+) is not on a bpf filesystem|is not in a bpf file ?system",
        speaker="loader",
        title="A pin path that is not on a BPF file system",
        happened="Programs and maps can only be pinned on a BPF file system, and {file} is not on"
        " one.",
        why="A pin is a file of the kernel's own file system `bpf`.",
        change="Use a path under /sys/fs/bpf, and mount it where it is missing: `sudo mount -t bpf"
        " bpf /sys/fs/bpf`.",
        example="libbpf: specified path /tmp/x is not on BPF FS",
        source="libbpf: src/libbpf.c: check_path",
    ),
    Message(
        key="map-fd",
        pattern=r"fd (?P<fd>-?\d+) is not pointing to valid bpf_map|fd_idx|invalid module BTF"
        r"|could not be resolved to a map",
        title="A map that is not there",
        happened="The program refers to a map by a number (a file descriptor) that is no map<<:"
        " {fd}>>.",
        why="The loader creates the maps and puts their descriptors into the program.",
        change="Create the map first, keep its descriptor open until the program is loaded, and"
        " let the loader do both.",
        example="fd 0 is not pointing to valid bpf_map",
        source="kernel/bpf/verifier.c: add_used_map_from_fd",
    ),
    Message(
        key="relocation",
        pattern=r"failed to find BTF for extern '(?P<extern>\w+)'|bad (?:map|call|data|subprog"
        r" addr) relo|failed to find map for section"
        r"|unresolved (?:symbol|external)"
        r"|(?:can't|cannot) resolve|unsatisfied (?:map|program) reference"
        r"|section '\.text' not found"
        r"|failed to relocate (?:calls|data)|static and not supported|missing .*relocation"
        r"|bad relo",
        speaker="loader",
        title="A name in the object file leads nowhere",
        happened="The loader cannot tell what a name in the object file stands for: {said}",
        why="Calls and maps are names until the loader puts the functions together and creates the"
        " maps. A function of the C library,"
        " or a global variable in a section that the loader does not know, has nothing to point"
        " to.",
        change="Define the function in the same file (`static __always_inline`) or link the"
        " objects (`bpftool gen object`), use"
        " `__builtin_memset`/`__builtin_memcpy` with small constant sizes, and put maps into"
        ' `SEC(".maps")`.',
        example="libbpf: prog 'x': bad map relo against 'events' in section '.bss'",
        source="libbpf: src/libbpf.c: bpf_program__record_reloc",
    ),
)
