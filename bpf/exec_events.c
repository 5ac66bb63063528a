// SPDX-License-Identifier: GPL-2.0 OR MIT
/* One event for each exec on this machine, made with 1568 bytes of scratch memory.
 * -DBAD_EXAMPLE_STACK takes that memory from the stack, the default from per-CPU arrays. */
#include "exec_event.h"

BPF_RINGBUF_OUTPUT(events, RINGBUF_PAGES);
BPF_PERCPU_ARRAY(counters, struct counters, 1);

#ifndef BAD_EXAMPLE_STACK
BPF_PERCPU_ARRAY(event_slot, struct big_event, 1);
BPF_PERCPU_ARRAY(extra_slot, struct extra_buffer, 1);
BPF_PERCPU_ARRAY(local_slot, struct local_data, 1);
#endif

TRACEPOINT_PROBE(sched, sched_process_exec)
{
	u32 zero = 0;
	struct counters *count = counters.lookup(&zero);
	if (!count)
		return 0;
	count->attempted++;

#if defined(BAD_EXAMPLE_STACK) && defined(CARVE_FROM_FRAME_POINTER)
	struct big_event *event = CARVE(event, SPILLS);
	struct extra_buffer *extra = CARVE(extra, SPILLS + sizeof(*event));
	struct local_data *local = CARVE(local, SPILLS + sizeof(*event) + sizeof(*extra));
#elif defined(BAD_EXAMPLE_STACK)
	struct big_event event_object = {}, *event = &event_object;
	KEEP(event_object);
	struct extra_buffer extra_object = {}, *extra = &extra_object;
	KEEP(extra_object);
	struct local_data local_object = {}, *local = &local_object;
	KEEP(local_object);
#else
	struct big_event *event = event_slot.lookup(&zero);
	struct extra_buffer *extra = extra_slot.lookup(&zero);
	struct local_data *local = local_slot.lookup(&zero);
	if (!event || !extra || !local) {
		count->failed++;
		return 0;
	}
#endif

	/* From here on, both variants are the same text. */
	fill_identity(event);
	fill_extra(extra, event->pid);
	fill_local(local);
	fill_data(event, extra, local, (char *)args + (args->data_loc_filename & 0xffff));
	if (events.ringbuf_output(event, sizeof(*event), 0))
		count->failed++;
	else
		count->submitted++;
	return 0;
}
