// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A helper is handed 520 bytes of stack to write to: 8 more than there are. */
// EXPECT: verifier_refused
// LOG: stack R1 off=-520 size=520
// LOG: invalid stack type R1 off=-520 access_size=520
// REASON: stack-bounds

int stack_helper(void *ctx)
{
	char *name;
	asm volatile("%0 = r10; %0 += -520" : "=r"(name));
	bpf_get_current_comm(name, 520);
	return 0;
}
