// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A memset of 4 KiB: too much to be written out in stores, so LLVM would call a function. */
// EXPECT: compiler_refused
// LOG: built-in function 'memset' is not supported
// REASON: compiler-memory-function

struct large {
	char bytes[4096];
};
BPF_PERCPU_ARRAY(scratch, struct large, 1);

int large_memset(void *ctx)
{
	u32 zero = 0;
	struct large *large = scratch.lookup(&zero);
	if (large)
		__builtin_memset(large, 1, sizeof(*large));
	return 0;
}
