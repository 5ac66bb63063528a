// SPDX-License-Identifier: GPL-2.0 OR MIT
/* An exercise: 1000 bytes on the stack, which no compiler lets through. */
#include "exec_event.h"
struct scratch {
	u8 bytes[1000];
};

TRACEPOINT_PROBE(sched, sched_process_exec)
{
	struct scratch scratch;

	__builtin_memset(scratch.bytes, 'x', sizeof(scratch.bytes));
	KEEP(scratch);
	return 0;
}
