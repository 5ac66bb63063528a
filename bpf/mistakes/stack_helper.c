// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A helper is handed 8 bytes more of stack to write to than there are: STACK_BYTES on this kernel.
 * Before Linux 6.14 (37cce22dbd51) the verifier did not tell a helper's reads from its writes. */
// EXPECT: verifier_refused
// LOG: invalid write to stack R1 off=-
// LOG: invalid indirect access to stack R1 off=-
// LOG: invalid stack type R1 off=-
// REASON: stack-bounds

int stack_helper(void *ctx)
{
	char *name;
	asm volatile("%0 = r10; %0 += %1" : "=r"(name) : "i"(-(STACK_BYTES + 8)));
	bpf_get_current_comm(name, STACK_BYTES + 8);
	return 0;
}
