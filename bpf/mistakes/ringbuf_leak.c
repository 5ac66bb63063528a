// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A record is reserved in the ring buffer and, on one path, never given back. */
// EXPECT: verifier_refused
// LOG: Unreleased reference
// LOG: Leaking reference
// LOG: would lead to reference leak
// REASON: leak

BPF_RINGBUF_OUTPUT(events, 8);

int ringbuf_leak(void *ctx)
{
	u64 *record = events.ringbuf_reserve(sizeof(*record));
	if (!record)
		return 0;
	*record = bpf_ktime_get_ns();
	if (*record & 1)
		return 0;
	events.ringbuf_submit(record, 0);
	return 0;
}
