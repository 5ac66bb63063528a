// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Helper 26, bpf_skb_load_bytes, reads a network packet: a tracepoint has none. */
// EXPECT: verifier_refused
// LOG: program of this type cannot use helper
// LOG: unknown func bpf_skb_load_bytes#26
// REASON: helper

static long (*load_bytes)(void *packet, u32 offset, void *to, u32 length) = (void *)26;

int forbidden_helper(void *ctx)
{
	u64 bytes = 0;
	return load_bytes(ctx, 0, &bytes, sizeof(bytes));
}
