// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Only types matter here: bcc tells the layout of a map's value, so this tells that of the structs. */
#include "exec_event.h"

BPF_ARRAY(big_event, struct big_event, 1);
BPF_ARRAY(extra_buffer, struct extra_buffer, 1);
BPF_ARRAY(local_data, struct local_data, 1);
BPF_ARRAY(counters, struct counters, 1);

int not_run(void *ctx)
{
	return 0;
}
