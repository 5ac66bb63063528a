// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A write below the STACK_BYTES of stack that this kernel grants. The address is taken from the frame pointer (r10) by hand,
 * so that the compiler does not count it and the verifier gets to see it. */
// EXPECT: verifier_refused
// LOG: invalid write to stack
// LOG: invalid stack off=
// REASON: stack-bounds

int stack_write(void *ctx)
{
	u64 *too_deep;
	asm volatile("%0 = r10; %0 += %1" : "=r"(too_deep) : "i"(-(STACK_BYTES + 8)));
	*(volatile u64 *)too_deep = 1;
	return 0;
}
