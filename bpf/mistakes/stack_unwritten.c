// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A key that nobody wrote is handed to a lookup. Privileged programs may read their own unwritten
 * stack from Linux 6.3 on, and where 6715df8d5d24 was backported; helpers included. */
// EXPECT: verifier_refused
// LOG: invalid indirect read from stack
// LOG: invalid read from stack
// REASON: stack-uninitialised
// ACCEPTED IF: unwritten_stack_may_be_read

BPF_ARRAY(numbers, u64, 1);

int stack_unwritten(void *ctx)
{
	u32 key;
	asm volatile("" : : "r"(&key));
	u64 *number = numbers.lookup(&key);
	return number ? *number : 0;
}
