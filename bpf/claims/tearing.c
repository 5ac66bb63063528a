// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Fill the scratch with one mark, send it. User space looks whether all words hold the same mark.
 * -DSHARED: one slot for all CPUs. -DTIMES=n: n times over, so that two CPUs meet more often. */
#include "on_event.h"

#ifndef TIMES
#define TIMES 1
#endif
#define WORDS 32

struct pattern {
	u64 words[WORDS];
};

BPF_ARRAY(event_type, struct pattern, 1);	/* tells user space the layout */
#ifdef SHARED
BPF_ARRAY(scratch, struct pattern, 1);
#else
BPF_PERCPU_ARRAY(scratch, struct pattern, 1);
#endif

ON_EVENT
{
	u32 zero = 0;
	struct counters *count = counters.lookup(&zero);
	struct pattern *pattern = scratch.lookup(&zero);

	if (!count || !pattern)
		return 0;
	u64 mark = bpf_ktime_get_ns() << 8 | bpf_get_smp_processor_id();
	for (int time = 0; time < TIMES; time++)
		UNROLL
		for (int i = 0; i < WORDS; i++)
			((volatile u64 *)pattern->words)[i] = mark;
	return account(count, events.ringbuf_output(pattern, sizeof(*pattern), 0));
}
