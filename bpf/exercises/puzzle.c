// SPDX-License-Identifier: GPL-2.0 OR MIT
/* An exercise: five objects of a program on the stack, one below the other, and one too many. They
 * are taken from the frame pointer (r10) by hand, so that the compiler does not count them. */
#define BELOW_FRAME_POINTER(bytes)                                                   \
	({                                                                           \
		void *at;                                                            \
		asm volatile("%0 = r10; %0 += %1" : "=r"(at) : "i"(-(int)(bytes)));  \
		(volatile u64 *)at;                                                  \
	})

enum { HEADER = 48, PARENT = 64, ARGUMENTS = 160, RESULT = 16 };
enum { PATH = STACK_BYTES - 256 };	/* -DSTACK_BYTES=N: as much stack as this kernel grants */

int puzzle(void *ctx)
{
	volatile u64 *header = BELOW_FRAME_POINTER(HEADER);
	volatile u64 *path = BELOW_FRAME_POINTER(HEADER + PATH);
	volatile u64 *parent = BELOW_FRAME_POINTER(HEADER + PATH + PARENT);
	volatile u64 *arguments = BELOW_FRAME_POINTER(HEADER + PATH + PARENT + ARGUMENTS);
	volatile u64 *result = BELOW_FRAME_POINTER(HEADER + PATH + PARENT + ARGUMENTS + RESULT);

	header[0] = bpf_get_current_pid_tgid();
	path[0] = bpf_ktime_get_ns();
	parent[0] = bpf_get_current_uid_gid();
	*result = bpf_get_smp_processor_id();
	arguments[0] = header[0] ^ path[0];
	return 0;
}
