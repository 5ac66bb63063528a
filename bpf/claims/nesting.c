// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Two programs share a scratch map. The second runs in the timer's interrupt, in the middle of the
 * first. -DRAW: raw tracepoints. -DREMEDY: a counter of how deep we are chooses the buffer. */
#include "on_event.h"

#define WORDS 32
#define DEPTH 4		/* task, softirq, interrupt, NMI */
struct pattern { u64 words[WORDS]; };

BPF_ARRAY(event_type, struct pattern, 1);	/* tells user space the layout */
BPF_PERCPU_ARRAY(scratch, struct pattern, DEPTH);
BPF_PERCPU_ARRAY(deep, u32, 1);

#ifdef REMEDY
#define ENTER(depth) ((*(depth))++)	/* who interrupts us here puts it back before we go on */
#define LEAVE(depth) ((*(depth))--)
#else
#define ENTER(depth) 0
#define LEAVE(depth)
#endif

#ifdef RAW
#define LOWER RAW_TRACEPOINT_PROBE(task_rename)
#define UPPER RAW_TRACEPOINT_PROBE(hrtimer_expire_entry)
#else
#define LOWER TRACEPOINT_PROBE(task, task_rename)
#define UPPER TRACEPOINT_PROBE(timer, hrtimer_expire_entry)
#endif

STEP void mark(struct pattern *pattern, u64 mark)
{
	for (int i = 0; i < WORDS; i++)
		((volatile u64 *)pattern->words)[i] = mark;
}

LOWER
{
	u32 zero = 0, *depth = deep.lookup(&zero);
	if (!depth) return 0;
	u32 index = ENTER(depth);
	struct pattern *pattern = scratch.lookup(&index);
	if (pattern) {
		mark(pattern, 1);
		events.ringbuf_output(pattern, sizeof(*pattern), 0);
	}
	LEAVE(depth);
	return 0;
}

UPPER
{
	u32 zero = 0, *depth = deep.lookup(&zero);
	if (!depth) return 0;
	u32 index = ENTER(depth);
	struct pattern *pattern = scratch.lookup(&index);
	if (pattern)
		mark(pattern, 2);
	LEAVE(depth);
	return 0;
}
