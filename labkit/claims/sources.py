"""Who says what this room measures: pages that were read, by the words that the lab calls them."""

from labkit.claims.claim import Source

TUTORIAL = Source(
    "a tutorial, “eBPF Stack Limit Bypass: Per-CPU Array in Practice”",
    "https://github.com/haolipeng/ebpf-tutorial/blob/bd1dda1ad513368f75a9f6bff895676e8abf8cc2"
    "/docs/guide/lesson-20-bypass-stack-limit.md",
)
DESIGN_QA = Source("the kernel's BPF Design Q&A", "https://docs.kernel.org/bpf/bpf_design_QA.html")
MAP_ARRAY = Source("the kernel's page on array maps", "https://docs.kernel.org/bpf/map_array.html")
FALCO = Source(
    "those who wrote Falco's driver, until this issue",
    "https://github.com/falcosecurity/libs/issues/2719",
)
