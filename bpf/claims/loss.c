// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Each event carries its number on its CPU, sent or not: so user space sees which are missing. */
#include "on_event.h"

struct numbered {
	u64 cpu;
	u64 number;		/* 1, 2, ... on each CPU */
	u64 rest[62];
};

BPF_ARRAY(event_type, struct numbered, 1);	/* tells user space the layout */
BPF_PERCPU_ARRAY(scratch, struct numbered, 1);

ON_EVENT
{
	u32 zero = 0;
	struct counters *count = counters.lookup(&zero);
	struct numbered *event = scratch.lookup(&zero);

	if (!count || !event)
		return 0;
	event->cpu = bpf_get_smp_processor_id();
	event->number = count->attempted + 1;
	return account(count, events.ringbuf_output(event, sizeof(*event), 0));
}
