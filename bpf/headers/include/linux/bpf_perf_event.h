#include <uapi/linux/bpf_perf_event.h>
