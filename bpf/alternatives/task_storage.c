// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A slot that belongs to the task itself and ends with it: no key, no limit, nothing to delete. */
#include "on_event.h"

BPF_TASK_STORAGE(scratch, struct big_event);

ON_EVENT
{
	u32 zero = 0;
	struct counters *count = counters.lookup(&zero);
	struct big_event *event = scratch.task_storage_get(bpf_get_current_task_btf(), 0,
							   BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!count)
		return 0;
	if (!event)
		return account(count, 1);
	fill(event, NAME(args));
	return account(count, events.ringbuf_output(event, sizeof(*event), 0));
}
