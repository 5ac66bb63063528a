// SPDX-License-Identifier: GPL-2.0 OR MIT
/* One per-CPU value of VALUE_BYTES: the kernel refuses the map itself, or does not. */
struct value {
	u8 bytes[VALUE_BYTES];
};

BPF_PERCPU_ARRAY(scratch, struct value, 1);

int not_run(void *ctx)
{
	return 0;
}
