// SPDX-License-Identifier: GPL-2.0 OR MIT
/* bpf/exec_events.c for clang and libbpf: the same objects, the same five steps, the same maps. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

typedef __u8 u8;
typedef __u32 u32;
typedef __u64 u64;
#define PAGE_SIZE 4096
#include "../../bpf/exec_event.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RINGBUF_BYTES);
} events SEC(".maps");

#define SLOT(name, struct_type)                          \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, 1);                  \
		__type(key, u32);                        \
		__type(value, struct struct_type);       \
	} name SEC(".maps")

SLOT(counters, counters);
SLOT(event_slot, big_event);
SLOT(extra_slot, extra_buffer);
SLOT(local_slot, local_data);

struct exec_arguments {
	u64 common;
	u32 data_loc_filename;
};

SEC("tracepoint/sched/sched_process_exec")
int on_exec(struct exec_arguments *args)
{
	u32 zero = 0;
	struct counters *count = bpf_map_lookup_elem(&counters, &zero);
	struct big_event *event = bpf_map_lookup_elem(&event_slot, &zero);
	struct extra_buffer *extra = bpf_map_lookup_elem(&extra_slot, &zero);
	struct local_data *local = bpf_map_lookup_elem(&local_slot, &zero);

	if (!count || !event || !extra || !local)
		return 0;
	count->attempted++;
	fill_identity(event);
	fill_extra(extra, event->pid);
	fill_local(local);
	fill_data(event, extra, local, (char *)args + (args->data_loc_filename & 0xffff));
	if (bpf_ringbuf_output(&events, event, sizeof(*event), 0))
		count->failed++;
	else
		count->submitted++;
	return 0;
}
