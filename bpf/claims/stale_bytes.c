// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The file name of each exec, sent with all 512 bytes of its scratch. The remedies: -DCLEAR makes
 * them zero first, -DSEND_USED sends no more than was written. */
#include "on_event.h"

#define NAME_BYTES 256

struct named {
	u32 pid;
	u32 length;		/* of the name, its NUL included */
	char name[2 * NAME_BYTES];
};

BPF_ARRAY(event_type, struct named, 1);	/* tells user space the layout */
BPF_PERCPU_ARRAY(scratch, struct named, 1);

ON_EVENT
{
	u32 zero = 0, size = sizeof(struct named);
	struct counters *count = counters.lookup(&zero);
	struct named *event = scratch.lookup(&zero);

	if (!count || !event)
		return 0;
#ifdef CLEAR
	__builtin_memset(event->name, 0, sizeof(event->name));
#endif
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->length = bpf_probe_read_kernel_str(event->name, NAME_BYTES, NAME(args));
#ifdef SEND_USED
	size = __builtin_offsetof(struct named, name) + (event->length & (NAME_BYTES - 1));
#endif
	return account(count, events.ringbuf_output(event, size, 0));
}
