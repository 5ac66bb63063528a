// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What production code does: two functions hide where the memory comes from, so that one source
 * serves old kernels and new ones. With a ring buffer (Linux 5.8) the event is reserved there, and
 * nothing is copied. Without one, -DNO_RESERVE here, it is a heap: a per-CPU array of one element.
 * Tools built with CO-RE ask the kernel which it has while they are loaded; bcc does by a define.
 * (The heap's events would go to a perf buffer there. Here they are copied into the ring buffer,
 * where the lab reads them.) */
#include "on_event.h"

#ifdef NO_RESERVE
BPF_PERCPU_ARRAY(heap, struct big_event, 1);
#endif

STEP struct big_event *reserve_event(void)
{
#ifdef NO_RESERVE
	u32 zero = 0;
	return heap.lookup(&zero);
#else
	return events.ringbuf_reserve(sizeof(struct big_event));
#endif
}

STEP long submit_event(struct big_event *event)
{
#ifdef NO_RESERVE
	return events.ringbuf_output(event, sizeof(*event), 0);
#else
	events.ringbuf_submit(event, 0);
	return 0;
#endif
}

ON_EVENT
{
	u32 zero = 0;
	struct counters *count = counters.lookup(&zero);

	if (!count)
		return 0;
	struct big_event *event = reserve_event();
	if (!event)
		return account(count, 1);
	fill(event, NAME(args));
	return account(count, submit_event(event));
}
