// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A loop that never ends. Before Linux 5.3 there were no loops at all. */
// EXPECT: verifier_refused
// LOG: infinite loop detected
// LOG: back-edge
// LOG: BPF program is too large. Processed
// REASON: too-long

int endless_loop(void *ctx)
{
	for (;;)
		asm volatile("" : : : "memory");
	return 0;
}
