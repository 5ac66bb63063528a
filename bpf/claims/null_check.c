// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Does the verifier insist on the NULL check? -DNO_NULL_CHECK leaves it out; -DKEY_FROM_KERNEL
 * makes the key a number that only the running kernel knows. */
#include "exec_event.h"

BPF_PERCPU_ARRAY(slot, struct big_event, 1);

int null_check(void *ctx)
{
#ifdef KEY_FROM_KERNEL
	u32 key = bpf_get_current_pid_tgid();
#else
	u32 key = 0;
#endif
	struct big_event *event = slot.lookup(&key);
#ifndef NO_NULL_CHECK
	if (!event)
		return 0;
#endif
	event->pid = 1;
	return 0;
}
