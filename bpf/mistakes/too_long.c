// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Twenty coins, each of which changes a sum that is an index at the end: a million paths, and none like
 * another. The verifier gives up after 1,000,000 instructions. */
// EXPECT: verifier_refused
// LOG: BPF program is too large. Processed
// LOG: jumps is too complex
// REASON: too-long
// LOG LEVEL: 1

struct bytes {
	u8 at[32768];
};
BPF_PERCPU_ARRAY(slot, struct bytes, 1);

int too_long(void *ctx)
{
	u32 zero = 0;
	struct bytes *bytes = slot.lookup(&zero);
	u64 sum = 0;
	if (!bytes)
		return 0;
#pragma unroll
	for (int i = 0; i < 20; i++)
		if (bpf_get_prandom_u32() & 1)
			asm volatile("%0 += %1" : "+r"(sum) : "i"(1 << i));
	bytes->at[sum & 32767] = 1;
	return 0;
}
