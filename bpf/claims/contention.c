// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Count in the scratch TIMES over and send nothing: its time tells whether other CPUs took the cache
 * lines away meanwhile. -DSHARED: one slot for all CPUs. */
#include "on_event.h"

#define TIMES 4
#define WORDS 32		/* four cache lines of 64 bytes */

struct lines {
	u64 words[WORDS];
};

#ifdef SHARED
BPF_ARRAY(scratch, struct lines, 1);
#else
BPF_PERCPU_ARRAY(scratch, struct lines, 1);
#endif

ON_EVENT
{
	u32 zero = 0;
	struct counters *count = counters.lookup(&zero);
	struct lines *lines = scratch.lookup(&zero);

	if (!count || !lines)
		return 0;
	for (int time = 0; time < TIMES; time++)
		UNROLL
		for (int i = 0; i < WORDS; i++)
			((volatile u64 *)lines->words)[i]++;
	return account(count, 0);
}
