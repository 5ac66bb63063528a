// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A read above the frame pointer: the stack of a program ends there. */
// EXPECT: verifier_refused
// LOG: invalid read from stack
// LOG: invalid stack off=
// REASON: stack-bounds

int stack_read(void *ctx)
{
	u64 *too_high;
	asm volatile("%0 = r10" : "=r"(too_high));
	return *(volatile u64 *)too_high;
}
