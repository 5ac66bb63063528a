// SPDX-License-Identifier: GPL-2.0 OR MIT
/* An exercise: the lesson's program, reduced to its event. What an older and longer file name has
 * left in the slot is sent along. */
#include "exec_event.h"
BPF_RINGBUF_OUTPUT(events, RINGBUF_PAGES);
BPF_PERCPU_ARRAY(counters, struct counters, 1);
BPF_PERCPU_ARRAY(event_slot, struct big_event, 1);

TRACEPOINT_PROBE(sched, sched_process_exec)
{
	u32 zero = 0;
	struct counters *count = counters.lookup(&zero);
	struct big_event *event = event_slot.lookup(&zero);
	if (!count || !event)
		return 0;
	count->attempted++;
	fill_identity(event);
	*(u32 *)event->data = event->pid;
	bpf_probe_read_kernel_str(&event->data[NAME_AT],
				  sizeof(event->data) - NAME_AT,
				  (char *)args + (args->data_loc_filename & 0xffff));
	if (events.ringbuf_output(event, sizeof(*event), 0))
		count->failed++;
	else
		count->submitted++;
	return 0;
}
