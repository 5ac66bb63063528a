// SPDX-License-Identifier: GPL-2.0 OR MIT
/* No scratch at all: the event is written where user space will read it. */
#include "on_event.h"

ON_EVENT
{
	u32 zero = 0;
	struct counters *count = counters.lookup(&zero);

	if (!count)
		return 0;
	struct big_event *event = events.ringbuf_reserve(sizeof(*event));
	if (!event)
		return account(count, 1);
	fill(event, NAME(args));
	events.ringbuf_submit(event, 0);
	return account(count, 0);
}
