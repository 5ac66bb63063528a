// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The event cut down until it fits on the stack: a name ends after 400 bytes. */
#ifndef DATA_BYTES
#define DATA_BYTES 416
#endif
#include "on_event.h"

ON_EVENT
{
	u32 zero = 0;
	struct counters *count = counters.lookup(&zero);
	struct big_event event = {};

	if (!count)
		return 0;
	fill(&event, NAME(args));
	return account(count, events.ringbuf_output(&event, sizeof(event), 0));
}
