// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Maps with one value of VALUE_BYTES each, to see what the kernel accounts for them. */
struct value {
	u8 bytes[VALUE_BYTES];
};

BPF_PERCPU_ARRAY(percpu_array, struct value, 1);
BPF_PERCPU_HASH(percpu_hash, u32, struct value, 1);
BPF_ARRAY(array, struct value, 1);
