// SPDX-License-Identifier: GPL-2.0 OR MIT
/* An exercise: six objects on the stack, one below the other, and one too many. Which one lies
 * lowest, -DSHIFT=N says. They are taken from the frame pointer (r10) by hand, so that the compiler
 * does not count them. */
#ifndef SHIFT
#define SHIFT 0		/* 0 to 5 */
#endif
enum { HEADER, PATH, PARENT, ARGUMENTS, LIMITS, RESULT, OBJECTS };

/* -DSTACK_BYTES=N: as much stack as this kernel grants. The last place is 32 bytes beyond it. */
#define LARGE (STACK_BYTES - 256)
#define PLACE(n)                                                                        \
	((n) == 0 ? 48 : (n) == 1 ? 48 + LARGE : (n) == 2 ? 80 + LARGE :                \
	 (n) == 3 ? 112 + LARGE : (n) == 4 ? 208 + LARGE : 288 + LARGE)
#define ON_STACK(object)                                                                \
	({                                                                              \
		void *at;                                                               \
		asm volatile("%0 = r10; %0 += %1"                                       \
			     : "=r"(at) : "i"(-PLACE(((object) + SHIFT) % OBJECTS)));   \
		(volatile u64 *)at;                                                     \
	})

int puzzle(void *ctx)
{
	volatile u64 *header = ON_STACK(HEADER);
	volatile u64 *path = ON_STACK(PATH);
	volatile u64 *parent = ON_STACK(PARENT);
	volatile u64 *arguments = ON_STACK(ARGUMENTS);
	volatile u64 *limits = ON_STACK(LIMITS);
	volatile u64 *result = ON_STACK(RESULT);

	header[0] = bpf_get_current_pid_tgid();
	path[0] = bpf_ktime_get_ns();
	parent[0] = bpf_get_current_uid_gid();
	arguments[0] = header[0] ^ path[0];
	limits[0] = bpf_get_smp_processor_id();
	result[0] = bpf_ktime_get_ns();
	return 0;
}
