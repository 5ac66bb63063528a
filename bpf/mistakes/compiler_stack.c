// SPDX-License-Identifier: GPL-2.0 OR MIT
/* 520 bytes of local variable: LLVM refuses, and the kernel never sees it. */
// EXPECT: compiler_refused
// LOG: Looks like the BPF stack limit
// REASON: compiler-stack

int compiler_stack(void *ctx)
{
	char name[520] = {};
	bpf_get_current_comm(name, sizeof(name));
	return 0;
}
