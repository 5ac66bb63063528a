/* BPF_STACK_TRACE rounds its size up to a power of two. */
#define roundup_pow_of_two(n) ((n) < 2 ? 1UL : 1UL << (64 - __builtin_clzll((n) - 1)))
