// SPDX-License-Identifier: GPL-2.0 OR MIT
/* An index up to 1023 into a map's value of 64 bytes. */
// EXPECT: verifier_refused
// LOG: invalid access to map value, value_size=64
// REASON: value-bounds

struct letters {
	char text[64];
};
BPF_PERCPU_ARRAY(slot, struct letters, 1);

int value_bounds(void *ctx)
{
	u32 zero = 0;
	struct letters *letters = slot.lookup(&zero);
	if (!letters)
		return 0;
	letters->text[bpf_ktime_get_ns() & 1023] = 1;
	return 0;
}
