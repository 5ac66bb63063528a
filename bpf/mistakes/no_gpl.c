// SPDX-License-Identifier: GPL-2.0 OR MIT
/* bpf_trace_printk (helper 6) is for programs under the GPL only; bcc takes that license for granted
 * unless it is told another. */
// EXPECT: verifier_refused
// LOG: cannot call GPL
// REASON: gpl

#define BPF_LICENSE Proprietary

static long (*print)(const char *text, u32 bytes) = (void *)6;

int no_gpl(void *ctx)
{
	char text[] = "hello";
	return print(text, sizeof(text));
}
