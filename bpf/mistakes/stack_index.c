// SPDX-License-Identifier: GPL-2.0 OR MIT
/* An index into a local array that is only known when the program runs. */
// EXPECT: verifier_refused
// LOG: variable-offset write to stack
// LOG: variable stack access
// REASON: stack-variable
// LOG: invalid write to stack
// REASON: stack-bounds

int stack_index(void *ctx)
{
	char letters[16] = {};
	u64 index = bpf_ktime_get_ns() & 63;
	((volatile char *)letters)[index] = 1;
	return ((volatile char *)letters)[0];
}
