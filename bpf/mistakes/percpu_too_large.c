// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A value of a per-CPU array may have 32 KiB; this one has 8 bytes more. */
// EXPECT: host_refused
// LOG: Argument list too long
// REASON: map-too-large

struct large {
	u64 words[4097];
};
BPF_PERCPU_ARRAY(scratch, struct large, 1);

int percpu_too_large(void *ctx)
{
	u32 zero = 0;
	return scratch.lookup(&zero) != NULL;
}
