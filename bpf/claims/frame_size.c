// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A program whose stack frame is -DFRAME_BYTES=N bytes, no more and no less: a multiple of 8. */
#ifndef FRAME_BYTES
#define FRAME_BYTES 512
#endif
_Static_assert(FRAME_BYTES > 0 && FRAME_BYTES % 8 == 0, "a frame grows by words of 8 bytes");

struct frame {			/* a struct: clang would round a bare array up to 16 bytes */
	u64 far_end;
	u8 rest[FRAME_BYTES - 8];
};

int frame_size(void *ctx)
{
#ifdef CARVE_FROM_FRAME_POINTER
	/* The same bytes, N below the frame pointer (r10), where the compiler does not count them. */
	struct frame *frame;
	asm volatile("%0 = r10; %0 += %1" : "=r"(frame) : "i"(-FRAME_BYTES));
#else
	struct frame object, *frame = &object;
#endif
	asm volatile("" : : "r"(frame) : "memory");	/* so that it cannot be left out */
	*(volatile u64 *)&frame->far_end = 1;		/* at fp-N: what the verifier checks */
	return 0;
}
