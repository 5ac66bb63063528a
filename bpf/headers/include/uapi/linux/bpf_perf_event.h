/* What a program gets that a perf event runs. */
#ifndef LAB_UAPI_LINUX_BPF_PERF_EVENT_H
#define LAB_UAPI_LINUX_BPF_PERF_EVENT_H
#include <asm/ptrace.h>

struct bpf_perf_event_data {
	bpf_user_pt_regs_t regs;
	__u64 sample_period;
	__u64 addr;
};

#endif
