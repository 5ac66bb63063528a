// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A field far behind the end of a tracepoint's record. */
// EXPECT: verifier_refused
// LOG: invalid bpf_context access off=32760 size=8
// REASON: context

int context_bounds(char *ctx)
{
	return *(volatile u64 *)(ctx + 32760);
}
