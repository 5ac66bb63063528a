// SPDX-License-Identifier: GPL-2.0 OR MIT
/* One slot for all CPUs: two of them may write into it at the same time. Not to be imitated. */
#include "on_event.h"

BPF_ARRAY(scratch, struct big_event, 1);

ON_EVENT
{
	u32 zero = 0;
	struct counters *count = counters.lookup(&zero);
	struct big_event *event = scratch.lookup(&zero);

	if (!count || !event)
		return 0;
	fill(event, NAME(args));
	return account(count, events.ringbuf_output(event, sizeof(*event), 0));
}
