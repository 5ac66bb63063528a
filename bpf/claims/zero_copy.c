// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Send an event of EVENT_BYTES of which only the first word is written: by output, or -DRESERVE. */
#include "on_event.h"

struct sized {
	u64 words[EVENT_BYTES / 8];
};

#ifndef RESERVE
BPF_PERCPU_ARRAY(scratch, struct sized, 1);
#endif

ON_EVENT
{
	u32 zero = 0;
	struct counters *count = counters.lookup(&zero);

	if (!count)
		return 0;
#ifdef RESERVE
	struct sized *event = events.ringbuf_reserve(sizeof(*event));
	if (!event)
		return account(count, 1);
	event->words[0] = bpf_ktime_get_ns();
	events.ringbuf_submit(event, 0);
	return account(count, 0);
#else
	struct sized *event = scratch.lookup(&zero);
	if (!event)
		return account(count, 1);
	event->words[0] = bpf_ktime_get_ns();
	return account(count, events.ringbuf_output(event, sizeof(*event), 0));
#endif
}
