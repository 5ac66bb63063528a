"""The machine: rights, lockdown, memory, what is installed, errnos; and logs that were cut."""

from __future__ import annotations

from labkit.explain.message import Message

_ROOT = (
    "Run it with sudo, on the host (in a container it needs `--privileged`, or CAP_BPF,"
    " CAP_PERFMON and a seccomp profile that"
    " lets bpf() through). If you are root: look at /sys/kernel/security/lockdown, at `sysctl"
    " kernel.unprivileged_bpf_disabled`,"
    " and before 5.11 at `ulimit -l` (bpf() counts as locked memory: `ulimit -l unlimited`)."
)
_ROOT_WHY = (
    "Loading BPF needs root, or CAP_BPF and CAP_PERFMON (since 5.8; before, CAP_SYS_ADMIN). A"
    " container, a locked-down kernel"
    " (Secure Boot), or before 5.11 too small a limit on locked memory (MEMLOCK), refuse with the"
    " same error."
)
_MAP = (
    r"could not open bpf map: (?:(?P<map>[^,\s]+), error: )?"
    r"|the kernel did not create the map (?P<map_lab>\S+): "
    r"|map '(?P<map_libbpf>[^']+)': failed to create: "
    r"|bpf_create_map_xattr\((?P<map_x>[^)]+)\):|map (?P<map_go>\w+): map create(?: without BTF)?: "
    r"|failed to create map `(?P<map_aya>\w+)` with code "
)
_BIGGER_LOG = {
    "": "Give the load a larger log buffer (libbpf: `kernel_log_size` in bpf_object_open_opts or"
    " bpf_program__set_log_buf()), or a lower log level (1 instead of 2: only the"
    " failing path).",
    "bcc": "Load it with `debug=0x8` (bcc then asks again with a larger buffer and prints the"
    " log), or with a lower log level.",
    "go": "Set `ebpf.ProgramOptions{LogSizeStart: 64 * 1024 * 1024}` (older releases: `LogSize`),"
    " or a"
    " lower `LogLevel`; print the error"
    " with `%+v` of *ebpf.VerifierError to get the whole log; and look at `dmesg`.",
    "rust": "Give aya a larger log (`EbpfLoader::verifier_log_level()` lowers what is written), or"
    " load the object with `bpftool -d"
    " prog load` to see the whole log.",
}
_WHOLE_LOG = {
    "": "Load it again with the log on: libbpf prints it when its debug output is on (`bpftool -d"
    " prog load x.o /sys/fs/bpf/x`, or"
    " libbpf_set_print()), at log level 1 or 2.",
    "bcc": "Load it again with the log on: `BPF(text=..., debug=0x8)`.",
    "go": "Print the whole error: `var ve *ebpf.VerifierError; if errors.As(err, &ve) {"
    ' fmt.Printf("%+v\\n", ve) }`. If it is cut'
    " there too, set a larger `LogSizeStart` in ebpf.ProgramOptions.",
    "rust": "Print the whole error (`{:#}` or `{:?}` of it holds aya's VerifierLog), or load the"
    " object with `bpftool -d prog load`.",
}

ROWS = (
    # What is installed.
    Message(
        key="python-bcc",
        speaker="machine",
        pattern=r"(?:ModuleNotFoundError|ImportError): (?:No module named"
        r"|cannot import name) '?(?P<name>bcc\b|BPF\b)",
        title="This Python has no bcc",
        happened="The Python that ran this has no module bcc (or another package of that name).",
        why="bcc's Python bindings come from the distribution, for its own /usr/bin/python3; what"
        " PyPI calls `bcc` is something"
        " else, and a virtual environment does not see the distribution's packages.",
        change="Install the distribution's package (`sudo apt install python3-bpfcc`, Fedora:"
        " `python3-bcc`), and run the script with"
        " /usr/bin/python3, or make the environment with `--system-site-packages`.",
        example="ModuleNotFoundError: No module named 'bcc'",
        source="CPython: import",
        see="machine",
    ),
    Message(
        key="library-missing",
        speaker="machine",
        pattern=r"(?P<file>lib[\w.+-]+\.so[\w.]*): cannot open shared object file"
        r"|error while loading shared libraries: (?P<file_ld>lib[\w.+-]+)",
        title="A shared library is missing",
        happened="The library {file} is not there, and the program that was started needs it.",
        why="A tool is built against one release of its libraries: bcc against one LLVM, Python's"
        " bindings against one libbcc. After"
        " an upgrade or with parts from two sources they no longer fit.",
        change="Install the package that has {file} (`apt-file search {file}` or `dnf provides"
        " '*/{file}'`), or install tool and"
        " bindings again from one source, so that they fit the installed LLVM version.",
        example="OSError: libLLVM-10.so.1: cannot open shared object file: No such file or"
        " directory",
        source="glibc: dl-load",
        see="machine",
    ),
    Message(
        key="library-version",
        speaker="machine",
        pattern=r"(?P<file>\S+): version `(?P<name>[\w.]+)' not found \(required by"
        r" (?P<who>[^)]+)\)",
        title="A library that is older than the program",
        happened="{who} was built for {name}, and the installed {file} is older than that.",
        why="A program needs at least the release of the C library (or another one) that it was"
        " linked with; this has nothing to do with BPF yet.",
        change="Take a build for this distribution or a static one, build it here, run it from its"
        " container image, or upgrade the distribution.",
        example="./tracee: /lib/libc.so.6: version `GLIBC_2.34' not found (required by ./tracee)",
        source="glibc: elf/dl-version.c",
        see="machine",
    ),
    Message(
        key="library-version",
        speaker="machine",
        pattern=r"symbol lookup error: (?P<file>[^:\s]+):.*undefined symbol: (?P<name>\S+)"
        r"|AttributeError: .*(?P<file_py>libbcc\S*): undefined symbol: (?P<name_py>\w+)"
        r"|(?P<file_v>\S+): version `(?P<name_v>[\w.]+)' not found",
        title="A tool and a library that do not belong together",
        happened="{file} needs {name}, and the library that is installed does not have it: the two"
        " are from different"
        " releases.",
        why="A tool is built against one release of its libraries (libbcc, libbpf, LLVM).",
        change="Install tool, bindings and library from one source and of one release; an own"
        " build under /usr/local often"
        " hides the distribution's library (`ldd` shows which is used).",
        example="/usr/bin/bpftrace: symbol lookup error: /usr/bin/bpftrace: undefined symbol:"
        " bpf_module_create_b",
        source="glibc: dl-lookup",
        see="machine",
    ),
    Message(
        key="rust-linker",
        speaker="machine",
        pattern=r"linker `bpf-linker` not found|no such (?:command|subcommand): .*bpf",
        title="bpf-linker is not installed",
        happened="Rust links eBPF programs with bpf-linker, and it is not there.",
        why="It is a program of its own, not part of Rust.",
        change="`cargo install bpf-linker`, and see that ~/.cargo/bin is in PATH, also under sudo.",
        example="error: linker `bpf-linker` not found",
        source="rustc: rustc_codegen_ssa: link",
        see="machine",
    ),
    Message(
        key="no-compiler",
        speaker="machine",
        pattern=r"clang(?:-\d+)?: (?:command |No such file|not found)"
        r"|exec: \"clang\S*\": executable file not found"
        r"|No available targets are compatible with triple \"bpf|unknown target triple 'bpf",
        title="There is no clang that can compile for BPF",
        happened="The program was not compiled: clang is not installed, or this one was built"
        " without its BPF part: {said}",
        why="BPF programs are compiled by clang with its BPF backend (or by GCC's own, which few"
        " tools use).",
        change="Install clang and llvm of the distribution (`sudo apt install clang llvm`); `llc"
        " --version | grep bpf` shows"
        " whether it has the target.",
        example="make: clang: No such file or directory",
        source="make, Go's exec, LLVM: TargetRegistry",
        see="machine",
    ),
    Message(
        key="missing-headers",
        speaker="bcc",
        pattern=r"Unable to find kernel headers"
        r"|chdir\((?P<file>/lib/modules/[^)]+)\): No such file",
        title="bcc finds no kernel headers",
        happened="bcc looked for the headers of the running kernel and found none.",
        why="bcc compiles each program against the headers of the kernel it runs on.",
        change="Install linux-headers-$(uname -r) (Fedora: kernel-devel), or use a kernel with"
        " CONFIG_IKHEADERS; or, for programs that"
        " touch no kernel struct, set BCC_KERNEL_SOURCE to the lab's own small headers"
        " (bpf/headers), as the lab does.",
        example="Unable to find kernel headers. Try rebuilding kernel with CONFIG_IKHEADERS=m"
        " (module)",
        source="bcc: src/cc/frontends/clang/kbuild_helper.cc",
        see="machine",
    ),
    # Lockdown, rights, memory that is locked.
    Message(
        key="lockdown",
        speaker="kernel",
        pattern=r"Lockdown: (?P<who>[^:]+): (?P<what>.+?) is restricted"
        r"|(?:kernel|system) (?:is )?locked down|lockdown.*(?:confidentiality"
        r"|integrity).*(?:enabled|active|mode)",
        title="The kernel is locked down",
        happened=(
            "The kernel's lockdown refused it to {who}: {what}.",
            "The kernel is locked down: {said}",
        ),
        why="With Secure Boot many distributions lock the kernel down, so that root cannot change"
        " (`integrity`) or read"
        " (`confidentiality`) its memory: kprobes, reading kernel memory from BPF and more are"
        " then refused to everybody.",
        change="See `cat /sys/kernel/security/lockdown`. Boot without Secure Boot (in the UEFI"
        " settings), or without"
        " `lockdown=confidentiality` on the kernel's command line; a program that reads no kernel"
        " memory may still load.",
        example="[  102.156090] Lockdown: execsnoop: Use of kprobes is restricted; see man"
        " kernel_lockdown.7",
        source="security/lockdown/lockdown.c: lockdown_is_locked_down",
        see="machine",
    ),
    Message(
        key="probe-load",
        speaker="loader",
        pattern=r"(?:[Ii]nvalid argument|EINVAL|-?22\b).*Couldn't load (?:trivial"
        r"|basic 'r0 = 0') BPF program",
        title="This kernel does not take the smallest program",
        happened="libbpf could not load even a program of two instructions: {said}. The error"
        " EINVAL says that the kernel does not know"
        " this form of the call: it is older than this libbpf expects.",
        why="Before it loads anything, libbpf tries a program that only returns 0. A too old"
        " kernel (before 4.x, or an enterprise"
        " kernel without the backport) or one without CONFIG_BPF_SYSCALL refuses it.",
        change="Look at `uname -r`: take a newer kernel, or an older libbpf that fits it.",
        example="libbpf: Error in bpf_object__probe_loading():Invalid argument(22). Couldn't load"
        " trivial BPF program. Make sure your"
        " kernel supports BPF",
        source="libbpf: src/libbpf.c: bpf_object__probe_loading",
        see="machine",
    ),
    Message(
        key="not-permitted",
        speaker="kernel",
        pattern=rf"(?:{_MAP}|(?<!lib)bpf: |the kernel did not load |Failed to load program: "
        rf"|[Pp]rogram load: |probe_loading\(\)|load program: |[Ee]rror creating \w+ map: )[^\n]*"
        r"(?:[Oo]peration not permitted|(?<![A-Z])-?EPERM|\(-1\))",
        title="Not permitted, and no log",
        happened=(
            "The kernel did not create the map {map}: {said}",
            "The kernel refused the bpf() call itself, before the verifier looked: {said}",
        ),
        needs="!walked",
        why=_ROOT_WHY,
        change={
            "": _ROOT,
            "go": "Call `rlimit.RemoveMemlock()` first (kernels before 5.11). " + _ROOT,
            "rust": "Raise RLIMIT_MEMLOCK first (kernels before 5.11; aya's template does it)."
            " " + _ROOT,
        },
        example="bpf: Failed to load program: Operation not permitted",
        source="kernel/bpf/syscall.c: __sys_bpf, bpf_prog_load",
        see="machine",
    ),
    Message(
        key="not-permitted",
        speaker="loader",
        pattern=r"[Nn]eed super-?user privile?ges|must be (?:run (?:as|by) )?root|(?:only"
        r"|requires?) (?:the )?root\b|only supports running as the root"
        r"|MEMLOCK may be too low|RLIMIT_MEMLOCK|required permissions and are not confined"
        r"|[Pp]ermission denied.*unprivileged"
        r"|unprivileged (?:bpf|users?).*(?:disabled|not allowed)|[Mm]issing capabilit"
        r"|[Rr]equires? CAP_\w+",
        title="This needs root",
        happened="It was run without the rights that loading BPF needs: {said}",
        why=_ROOT_WHY,
        change=_ROOT,
        example="Exception: Need super-user privileges to run",
        source="bcc: src/python/bcc/__init__.py; cilium/ebpf: prog.go",
        see="machine",
    ),
    Message(
        key="selinux",
        speaker="kernel",
        pattern=r"avc: +denied +\{ (?P<what>[\w ]+?)"
        r" \}.*?(?:comm=\"(?P<who>[^\"]+)\".*)?tclass=bpf",
        title="SELinux refused it",
        happened="SELinux did not let<< `{who}`>> do this with BPF: {what}. It is not the verifier,"
        " and being root does not help.",
        why="SELinux has permissions of its own for BPF (map_create, map_read, map_write,"
        " prog_load,"
        " prog_run), and the process's domain lacks one.",
        change="Allow it in a policy module (`audit2allow -M mybpf` from this line, then `semodule"
        " -i mybpf.pp`), run the process in a domain that may (a container: `spc_t`, privileged),"
        " or see with `setenforce 0` for a moment that nothing else refuses.",
        example='avc: denied  { prog_load } for  pid=1 comm="x" tclass=bpf permissive=0',
        source="security/selinux/hooks.c: selinux_bpf",
        see="machine",
    ),
    Message(
        key="tracefs",
        speaker="loader",
        pattern=r"(?P<why>[Oo]peration not permitted|[Pp]ermission denied|[Nn]o such file or"
        r" directory|not found)[^\n]*?(?P<file>/sys/kernel/(?:debug/)?tracing(?!/events)[\w/]*)"
        r"|(?P<file_b>/sys/kernel/(?:debug/)?tracing(?!/events)[\w/]*)[^\n]*?(?P<why_b>[Oo]peration"
        r" not permitted|[Pp]ermission denied|[Nn]o such file or directory|not found)",
        title="A file of tracefs cannot be used",
        happened="{file}, a file of tracefs, cannot be opened: {why}.",
        why="Probes and tracepoints are set up through tracefs (older tools: inside debugfs), which"
        " has to be mounted and is for root; a locked-down kernel and most containers keep it"
        " away.",
        change="Run it with sudo; mount it where it is empty (`mount -t tracefs tracefs"
        " /sys/kernel/tracing`, `mount -t debugfs debugfs /sys/kernel/debug`; in a container hand"
        " it in with `-v /sys/kernel/debug:/sys/kernel/debug`, `--privileged`). If you are root:"
        " look at /sys/kernel/security/lockdown, and whether CONFIG_KPROBE_EVENTS is there.",
        example="PermissionError: [Errno 1] Operation not permitted:"
        " '/sys/kernel/debug/tracing/kprobe_events'",
        source="kernel/trace/trace.c: tracing_open_generic",
        see="machine",
    ),
    Message(
        key="map-too-large",
        speaker="kernel",
        pattern=rf"(?:{_MAP})[^\n]*(?:Argument list too long|argument list too long|-?E2BIG)",
        title="A map is too large",
        happened=(
            "The kernel would not make the map {map} (its value has {map_bytes}): a value too"
            " large.",
            "The kernel would not make the map {map}: something in its declaration is too large"
            " (E2BIG), its value, or its number of entries.",
            "The kernel would not make a map: something in its declaration is too large (E2BIG),"
            " its value, or its number of entries.",
        ),
        why="A value of a per-CPU map may have 32 KiB (rounded up to 8 bytes), since the kernel"
        " takes it from its per-CPU memory, for"
        " every possible CPU.",
        change="Make the value smaller, or split it over several elements of the map; lower"
        " max_entries (a CPU map takes no more entries than the kernel has CPUs).",
        example="libbpf: map 'scratch': failed to create: -E2BIG",
        source="kernel/bpf/arraymap.c: array_map_alloc_check",
        see="percpu",
    ),
    Message(
        key="ring-size",
        speaker="loader",
        pattern=r"ring map size (?P<size>\d+) not a multiple of page size (?P<page>\d+)"
        r"|max_entries .*(?:power of (?:2|two)|page size)",
        title="A ring buffer of a size that is not allowed",
        happened=(
            "The ring buffer should have {size} bytes, and that is no multiple of the page size,"
            " {page}.",
            "The ring buffer's size is not allowed: {said}",
        ),
        why="`max_entries` of a ring buffer is its size in bytes: a power of two, and a multiple"
        " of the"
        " page size.",
        change="Set max_entries to a power of two of at least 4096, such as `256 * 1024`.",
        example="map create: invalid argument (ring map size 1000 not a multiple of page size"
        " 4096)",
        source="kernel/bpf/ringbuf.c: ringbuf_map_alloc",
        see="percpu",
    ),
    Message(
        key="map-type",
        pattern=r"Invalid map_type|[Uu]nknown map type|map type .* (?:not supported"
        r"|is not enabled)|is maps/(?P<kind>\w+) map type enabled"
        r"|map create: .*not supported \(requires (?P<since>[^)]+)\)",
        speaker="loader",
        title="A map of a type that this kernel does not have",
        happened=(
            "The kernel would not create the map {declared}: it has no such map type ({kind}) as"
            " far as the loader can tell.",
            "The kernel would not create a map, for its map type is not there<< (it came with"
            " {since})>>: {said}",
        ),
        why="Map types came one by one: stack traces (BPF_STACK_TRACE) with 4.6, per-CPU arrays"
        " with 4.6, LPM tries with 4.11, ring"
        " buffers with 5.8. A kernel that is older, or built without them, answers EINVAL.",
        change="Use a kernel that has the type (`bpftool feature probe | grep map_type`), or"
        " another type of map. If the kernel is"
        " new enough, check the sizes of key and value and the number of entries: these give"
        " EINVAL as well.",
        example="/virtual/main.c:13:1: error: could not open bpf map: Invalid argument\n"
        "is maps/stacktrace map type enabled in your kernel?\nBPF_STACK_TRACE(stack_traces, 1024);",
        source="bcc: src/cc/frontends/clang/b_frontend_action.cc: VisitVarDecl",
    ),
    Message(
        key="map-refused",
        speaker="kernel",
        pattern=rf"(?:{_MAP})[^\n]*(?P<why>Invalid argument"
        rf"|invalid argument|-?EINVAL|\(-22\))",
        title="The kernel would not make a map",
        happened=(
            "The kernel refused to create the map {map}, with EINVAL: something in its declaration"
            " is not allowed here.",
            "The kernel refused to create a map, with EINVAL: something in its declaration is not"
            " allowed here: {said}",
        ),
        why="EINVAL stands for a map type that this kernel has not, sizes that the type does not"
        " take (an array's key must have 4"
        " bytes, a ring buffer's size must be a power of two and a multiple of the page size, no"
        " entries at all), or a flag.",
        change="Check type, key and value size, max_entries and flags of that map; `bpftool"
        " feature probe | grep map_type` shows what"
        " types this kernel has: a ring buffer needs Linux 5.8 (before, a perf event array), a"
        " user ring buffer 6.1, a bloom filter 5.16, global data (.rodata, .bss, .data) 5.2 and"
        " names like .rodata.str1.1 a newer kernel than that.",
        example="libbpf: map 'events': failed to create: Invalid argument(-22)",
        source="kernel/bpf/syscall.c: map_create",
        see="percpu",
    ),
    # A log that does not fit, or that a tool cut.
    Message(
        key="log-fault",
        speaker="loader",
        pattern=r"hit verifier bug, increase LogSize",
        title="The kernel answered EFAULT, and the log is missing",
        happened="The load ended with EFAULT (bad address), and the verifier's log is not in this"
        " text: {said}",
        why="The loader cannot tell two things apart: a log that outgrew its buffer while the"
        " kernel wrote it, or a fault of"
        " the verifier itself, of which `dmesg` has a warning then.",
        change=_BIGGER_LOG,
        example="load program: bad address (hit verifier bug, increase LogSizeStart to fit the log"
        " and check dmesg)",
        source="cilium/ebpf: prog.go: newProgramWithOptions",
    ),
    Message(
        key="log-too-small",
        speaker="loader",
        rank=1,
        pattern=r"(?:[Ff]ailed to load (?:BPF )?program|bpf_load_program\(\)|load program:?"
        r"|[Pp]rogram load failed|BPF_PROG_LOAD)[^\n]*"
        r"(?:[Nn]o space left on device|ENOSPC|err(?:no)?[= :]+-?28\b|\(-?28\))|increase LogSize"
        r"|log (?:buffer|size) (?:is )?too small"
        r"|(?:failed to load|prog '[^']+'): -28\b|hit verifier bug"
        r"|verifier log (?:is )?(?:too (?:large|long)|truncated)",
        title="The verifier's log did not fit into its buffer",
        happened="The load ended because the verifier's log is larger than the buffer that the"
        " loader gave for it (ENOSPC), so this says"
        " nothing yet about the program: {said}",
        why="Before 6.4 a load fails when the log does not fit, even of a program that would be"
        " accepted. Since 6.4 the log keeps its"
        " end instead.",
        change=_BIGGER_LOG,
        example="bpf: Failed to load program: No space left on device",
        source="kernel/bpf/log.c: bpf_vlog_finalize; kernel/bpf/verifier.c: bpf_check",
    ),
    Message(
        key="log-omitted",
        speaker="loader",
        rank=2,
        pattern=r"^[\s\"']*\((?:truncated, )?\d+ lines?(?:\(s\))? omitted\)"
        r"|load program: [a-z ]+:? ?\((?P<count>\d+) line\(s\) omitted\)",
        title="The verifier's reason was left out",
        happened="The load was refused, and of the verifier's log only its length is shown here:"
        " the line with the reason was left out"
        " by whoever printed the error.",
        why="Error messages of Go programs keep the last line of the log only, and if that is"
        " empty, or the error is printed shortened,"
        " not even that.",
        change=_WHOLE_LOG["go"],
        example="load program: permission denied: (21 line(s) omitted)",
        source="cilium/ebpf: internal/errors.go: VerifierError.Error",
    ),
    Message(
        key="log-omitted",
        speaker="loader",
        rank=2,
        pattern=r"Error loading (?:BPF )?program.*|\(try -v\)",
        title="The verifier's reason is not shown",
        happened="A program was not loaded, and the verifier's log is not in this text: {said}",
        why="bpftrace prints the verifier's log only when it is asked to.",
        change="Run it once more with `-v` (bpftrace prints the verifier's log then), and give all"
        " that it prints.",
        example="Attaching 1 probe...\nError loading program: kprobe:vfs_read (try -v)",
        source="bpftrace: src/attached_probe.cpp",
    ),
    # Only an errno: asked last, where the text has nothing better.
    Message(
        key="object-not-opened",
        speaker="loader",
        rank=2,
        pattern=r"(?:failed to open|opening|loading) (?:BPF |BPF-OBJ )?object file"
        r"(?:[ (]+'?(?P<file>[^'():\s]+))?",
        title="The object file was not opened",
        happened="The loader did not open the object file<< {file}>>, and no line of this text says"
        " why: {said}",
        why="The file is not there, is not one for BPF, or has a section, map or BTF that this"
        " loader does not take.",
        change="Check the path; look at the lines above it, and turn the loader's debug output on"
        " (`bpftool -d`, libbpf_set_print()).",
        example="libbpf: failed to open object file 'xdp_prog_kern.o'",
        source="libbpf: src/libbpf.c: bpf_object_open; bpftool: prog.c",
    ),
    Message(
        key="errno-enomem",
        speaker="kernel",
        rank=2,
        needs="bpf",
        pattern=r"[Cc]annot allocate memory|\bENOMEM\b|(?:: |\()-12\b\)?\s*$|os error 12\b",
        title="No memory for it",
        happened=(
            "The verifier accepted the program (it walked {walked} instructions), and then the"
            " kernel had no memory for it (ENOMEM).",
            "The kernel had no memory for it (ENOMEM), and that is not about what the program"
            " does: {said}",
        ),
        why="After the verifier the JIT needs memory for the machine code, of which"
        " `net.core.bpf_jit_limit` and the module area limit"
        " how much there is; maps and large programs need memory, too, and a container or cgroup"
        " may have a limit.",
        change="Look at `free -m`, at the memory limit of the container, and at `sysctl"
        " net.core.bpf_jit_limit` (raise it); unload BPF"
        " programs that are no longer needed (`bpftool prog`). Large maps: lower max_entries.",
        example="Error: libscap: bpf_load_program() event=raw_tracepoint/filler/sys_proc_x: Cannot"
        " allocate memory",
        source="kernel/bpf/core.c: bpf_jit_charge_modmem",
        see="machine",
    ),
    Message(
        key="errno-enotsupp",
        speaker="kernel",
        rank=2,
        needs="bpf",
        pattern=r"(?:[Uu]nknown error |errno[ =:]*|: -|\(-?|= -)524\b|\bENOTSUPP\b|\bEOPNOTSUPP\b"
        r"|(?:: |\()-95\b\)?\s*$|[Oo]peration not supported",
        title="The kernel cannot do this on this machine (ENOTSUPP)",
        happened=(
            "The verifier walked the program to its end ({walked} instructions), and then the"
            " kernel said ENOTSUPP (524, or EOPNOTSUPP, 95): something that"
            " the program needs is not there on this machine.",
            "The kernel said ENOTSUPP (524, or EOPNOTSUPP, 95): something that the program needs"
            " is not there on this"
            " machine.",
        ),
        why="It comes from the JIT or from the architecture: a JIT that is off or lacks an"
        " instruction, no trampoline for fentry on this"
        " architecture, a kernel built without a part.",
        change="Switch the JIT on (`sysctl net.core.bpf_jit_enable=1`); take a newer kernel on"
        " this architecture, or a kprobe instead of"
        " fentry.",
        example="libbpf: prog 'x': failed to load: -524",
        source="kernel/bpf/core.c: bpf_prog_select_runtime; kernel/bpf/trampoline.c",
        see="machine",
    ),
    Message(
        key="errno-e2big",
        speaker="kernel",
        rank=2,
        pattern=r"Argument list too long|\bE2BIG\b|(?:: |\()-7\b\)?\s*$|os error 7\b",
        needs="load",
        title="Too large for the kernel (E2BIG)",
        happened="The kernel said E2BIG, without a log here: the program has too many"
        " instructions, the verifier had to walk too many, or"
        " the loader uses a call that is newer than the kernel.",
        why="4096 instructions is the limit without privileges and before 5.2, 1,000,000 walked"
        " instructions since. A kernel that is older"
        " than the loader says E2BIG to fields of the call it does not know.",
        change=_WHOLE_LOG,
        example="libbpf: prog 'x': BPF program load failed: Argument list too long",
        source="kernel/bpf/syscall.c: bpf_prog_load, bpf_check_uarg_tail_zero",
    ),
    Message(
        key="errno-eperm",
        speaker="kernel",
        rank=2,
        pattern=r"[Oo]peration not permitted|\bEPERM\b|(?:: |\()-1\)?\s*$|os error 1\b",
        needs="bpf",
        title="Not permitted",
        happened="The kernel answered EPERM (operation not permitted), without a verifier's log"
        " here: {said}",
        why=_ROOT_WHY,
        change=_ROOT,
        example="libbpf: prog 'x': BPF program load failed: Operation not permitted",
        source="kernel/bpf/syscall.c: bpf_prog_load",
        see="machine",
    ),
    Message(
        key="errno-eacces",
        speaker="kernel",
        rank=2,
        pattern=r"[Pp]ermission denied|\bEACCES\b|(?:: |\()-13\b\)?\s*$|os error 13\b",
        needs="load",
        title="The verifier refused it, and its log is missing",
        happened="The load was refused with EACCES (permission denied): from a BPF load that is"
        " almost always the verifier's refusal, and"
        " its log is not in this text.",
        why="The verifier answers EACCES for memory that a program may not access. Only its log"
        " says which.",
        change=_WHOLE_LOG,
        example="libbpf: prog 'x': BPF program load failed: Permission denied",
        source="kernel/bpf/verifier.c: check_mem_access",
    ),
    Message(
        key="errno-einval",
        speaker="kernel",
        rank=2,
        pattern=r"[Ii]nvalid argument|\bEINVAL\b|(?:: |\()-22\b\)?\s*$|os error 22\b",
        needs="load",
        title="Refused with EINVAL, and no log",
        happened="The load was refused with EINVAL (invalid argument), and no verifier's log is in"
        " this text, which alone would tell the"
        " reason: {said}",
        why="EINVAL comes from the verifier (its log says why), or from before it: a program type,"
        " attach type, licence or flag that this"
        " kernel does not know, a missing target to attach to.",
        change=_WHOLE_LOG,
        example="libbpf: prog 'sys_exit': BPF program load failed: Invalid argument",
        source="kernel/bpf/syscall.c: bpf_prog_load",
    ),
    Message(
        key="attach-failed",
        speaker="loader",
        rank=2,
        pattern=r"(?:failed|cannot|unable|[Cc]ould not"
        r"|[Ee]rror)[^\n]*\b(?:auto-)?attach\w*\b[^\n]*|attach[^\n]*failed"
        r"|failed to create (?:[ku](?:ret)?probe|tracepoint) '[^\n]*",
        title="Loaded, but not attached",
        happened="What failed is attaching the program, not its verification: {said}",
        why="To attach means to tie a loaded program to its event; the target may be missing,"
        " taken, or"
        " not permitted, or the kernel cannot do it on this machine.",
        change="Check that the target (function, tracepoint, interface, cgroup, file) is there on"
        " this"
        " kernel, that nothing else holds it, and that it is run as root (with too many open"
        " files: `ulimit -n`); `dmesg` may say more.",
        example="libbpf: prog 'x': failed to auto-attach: -16",
        source="libbpf: src/libbpf.c: bpf_program__attach",
        see="machine",
    ),
    Message(
        key="errno-enosys",
        speaker="kernel",
        rank=2,
        pattern=r"[Ff]unction not implemented|\bENOSYS\b|(?:: |\()-38\b\)?\s*$|os error 38\b",
        needs="load",
        title="This kernel has no bpf()",
        happened="The kernel answered ENOSYS: it has no bpf() system call, or a sandbox (gVisor, a"
        " seccomp profile) hides it.",
        why="bpf() needs CONFIG_BPF_SYSCALL.",
        change="Run it on the host's own kernel, built with CONFIG_BPF_SYSCALL=y.",
        example="bpf: Failed to load program: Function not implemented",
        source="kernel/bpf/syscall.c",
        see="machine",
    ),
    Message(
        key="errno-enospc",
        speaker="kernel",
        rank=2,
        pattern=r"[Nn]o space left on device|\bENOSPC\b|(?:: |\()-28\b\)?\s*$|err=28\b"
        r"|os error 28\b",
        needs="load",
        title="No space left: usually the log buffer",
        happened="The kernel answered ENOSPC (no space left): in a load that means that the"
        " verifier's log does not fit into the buffer"
        " the loader gave: {said}",
        why="Before 6.4 a load fails when the log does not fit, even of a program that would be"
        " accepted.",
        change=_BIGGER_LOG,
        example="load failed: ENOSPC loading program x",
        source="kernel/bpf/verifier.c: bpf_check",
    ),
)
