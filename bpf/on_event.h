/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the alternatives and the claims share: the event, what fills it, what counts it. */
#ifndef ON_EVENT_H
#define ON_EVENT_H
#include "exec_event.h"

/* The lesson's tracepoint; or, to measure costs, one that a single system call fires in 0.5 us. */
#ifdef AT_RENAME
#define ON_EVENT TRACEPOINT_PROBE(task, task_rename)
#define NAME(args) ((args)->newcomm)
#else
#define ON_EVENT TRACEPOINT_PROBE(sched, sched_process_exec)
#define NAME(args) ((char *)(args) + ((args)->data_loc_filename & 0xffff))
#endif

BPF_RINGBUF_OUTPUT(events, RINGBUF_PAGES);
BPF_PERCPU_ARRAY(counters, struct counters, 1);

STEP void fill(struct big_event *event, const void *name)
{
	fill_identity(event);
	UNROLL
	for (int i = 0; i < 4; i++)
		event->data[i] = event->pid >> (8 * i);
	bpf_probe_read_kernel_str(&event->data[NAME_AT], sizeof(event->data) - NAME_AT, name);
}

/* attempted == submitted + failed, on each CPU. `failure` is 0 if the event was sent. */
STEP int account(struct counters *count, long failure)
{
	count->attempted++;
	if (failure)
		count->failed++;
	else
		count->submitted++;
	return 0;
}

#endif
