// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A slot for each CPU and key. The key is found by hashing, and has to be put there first. */
#include "on_event.h"

BPF_PERCPU_HASH(scratch, u32, struct big_event, 1);
BPF_ARRAY(blank, struct big_event, 1);	/* what a new slot begins with; never written */

ON_EVENT
{
	u32 zero = 0;
	struct counters *count = counters.lookup(&zero);
	struct big_event *nothing = blank.lookup(&zero);
	struct big_event *event = scratch.lookup(&zero);

	if (!count || !nothing)
		return 0;
	if (!event) {	/* the first event on this machine */
		scratch.update(&zero, nothing);
		event = scratch.lookup(&zero);
	}
	if (!event)
		return account(count, 1);
	fill(event, NAME(args));
	return account(count, events.ringbuf_output(event, sizeof(*event), 0));
}
