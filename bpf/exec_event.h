/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The three objects of the lesson, and all that is done with them once they have memory. */
#ifndef EXEC_EVENT_H
#define EXEC_EVENT_H

/* Sizes a lesson may change with -D. As they stand, the objects take 1568 bytes. */
#ifndef DATA_BYTES
#define DATA_BYTES 512
#endif
#ifndef BUFFER_BYTES
#define BUFFER_BYTES 256
#endif
#ifndef VALUES
#define VALUES 32
#endif
#ifndef RINGBUF_BYTES
#define RINGBUF_BYTES (32 << 20)	/* a power of two; two seconds of a storm of execs */
#endif
#define RINGBUF_PAGES (RINGBUF_BYTES / PAGE_SIZE)

struct big_event {
	u32 pid;
	u32 cpu;		/* without it the compiler would pad here */
	u64 timestamp;		/* ns since boot, CLOCK_MONOTONIC */
	char comm[16];
	u8 data[DATA_BYTES];	/* [0..3] the check, from [16] the file name */
};

struct extra_buffer {
	u8 buf1[BUFFER_BYTES];
	u8 buf2[BUFFER_BYTES];
	u64 values[VALUES];
};

struct local_data {
	u8 buf[BUFFER_BYTES];
};

#if DATA_BYTES == 512 && BUFFER_BYTES == 256 && VALUES == 32
_Static_assert(sizeof(struct big_event) == 544, "big_event");
_Static_assert(sizeof(struct extra_buffer) == 768, "extra_buffer");
_Static_assert(sizeof(struct local_data) == 256, "local_data");
#endif

/* Bytes 0, 100 and 200 of a full-size buffer, and the same places in a smaller one. */
#define NEAR 0
#define MIDDLE (BUFFER_BYTES * 100 / 256)
#define FAR (BUFFER_BYTES * 200 / 256)
#define NAME_AT 16
#define KEY 0x5a

/* What keeps the optimiser from hiding the mistake. Each has a define that takes it away. */
#ifdef NO_BARRIER
#define KEEP(object)
#else
#define KEEP(object) asm volatile("" : : "r"(&(object)) : "memory")
#endif

/* The same bytes of stack, taken from the frame pointer by hand, out of the compiler's sight: for
 * compilers without -bpf-stack-size (before LLVM 17). `taken` is what lies above it: the objects,
 * and SPILLS bytes that stay the compiler's, for its keys and for the registers that it saves. */
#define SPILLS 64
#define CARVE(object, taken)                                                              \
	({                                                                                \
		void *at;                                                                 \
		asm volatile("%0 = r10; %0 += %1"                                         \
			     : "=r"(at)                                                   \
			     : "i"(-(int)((taken) + sizeof(*(object)))));                 \
		__builtin_memset(__builtin_assume_aligned(at, 8), 0, sizeof(*(object)));  \
	})

#ifdef NO_ACCESSES
#define TOUCH(buf)
#else
#define TOUCH(buf)                              \
	do {                                    \
		((volatile u8 *)(buf))[NEAR] = 1;   \
		((volatile u8 *)(buf))[MIDDLE] = 2; \
		((volatile u8 *)(buf))[FAR] = 3;    \
	} while (0)
#endif

#ifdef NO_UNROLL
#define UNROLL _Pragma("clang loop unroll(disable)")
#else
#define UNROLL _Pragma("unroll")
#endif

/* The five steps of the lesson; the fifth, sending, is in the program. One program, no calls. */
#define STEP static inline __attribute__((always_inline))

/* (1) */
STEP void fill_identity(struct big_event *event)
{
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->cpu = bpf_get_smp_processor_id();
	event->timestamp = bpf_ktime_get_ns();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
}

/* (2) */
STEP void fill_extra(struct extra_buffer *extra, u32 pid)
{
	TOUCH(extra->buf1);
	TOUCH(extra->buf2);
	UNROLL
	for (int i = 0; i < VALUES; i++)
		extra->values[i] = (u64)pid * (i + 1);
	UNROLL
	for (int i = 0; i < 4; i++)
		extra->buf1[i] = (pid >> (8 * i)) ^ KEY;
}

/* (3) */
STEP void fill_local(struct local_data *local)
{
	TOUCH(local->buf);
	UNROLL
	for (int i = 0; i < 4; i++)
		local->buf[i] = KEY;
}

/* (4) data[0..3] is the pid again, least significant byte first, if both buffers are sound. */
STEP void fill_data(struct big_event *event, const struct extra_buffer *extra,
				      const struct local_data *local, const void *filename)
{
	UNROLL
	for (int i = 0; i < 4; i++)
		event->data[i] = extra->buf1[i] ^ local->buf[i];
	bpf_probe_read_kernel_str(&event->data[NAME_AT], sizeof(event->data) - NAME_AT, filename);
}

struct counters {
	u64 attempted;
	u64 submitted;
	u64 failed;
};

#endif
