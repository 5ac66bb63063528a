// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A lookup may find nothing; its result is used without asking. The key is known only at run time. */
// EXPECT: verifier_refused
// LOG: invalid mem access 'map_value_or_null'
// REASON: null-check

BPF_ARRAY(numbers, u64, 4);

int null_check(void *ctx)
{
	u32 key = bpf_get_current_pid_tgid();
	u64 *number = numbers.lookup(&key);
	*number = 1;
	return 0;
}
