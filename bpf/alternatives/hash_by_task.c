// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A slot for each thread, from the event's first line to its last: safe where it is preempted. */
#include "on_event.h"

BPF_HASH(scratch, u64, struct big_event, 1024);	/* so many threads at a time */
BPF_ARRAY(blank, struct big_event, 1);		/* what a new slot begins with; never written */

ON_EVENT
{
	u32 zero = 0;
	u64 thread = bpf_get_current_pid_tgid();
	struct counters *count = counters.lookup(&zero);
	struct big_event *nothing = blank.lookup(&zero);

	if (!count || !nothing)
		return 0;
	scratch.update(&thread, nothing);
	struct big_event *event = scratch.lookup(&thread);
	if (!event)
		return account(count, 1);
	fill(event, NAME(args));
	long failure = events.ringbuf_output(event, sizeof(*event), 0);
	scratch.delete(&thread);
	return account(count, failure);
}
