// SPDX-License-Identifier: GPL-2.0 OR MIT
/* FRAMES functions (2 or 9), each with a frame of 304 bytes, each called by the one before. For
 * clang, not for bcc, which inlines or refuses calls. -DTAIL_CALL: the first also has a tail call. */
#define SECTION(name) __attribute__((section(name), used))
#define CALLED static __attribute__((noinline)) int
#define ROOM 304	/* bytes */

#ifdef TAIL_CALL
static long (*tail_call)(void *ctx, void *programs, unsigned int index) = (void *)12;

struct {
	int (*type)[3];		/* BPF_MAP_TYPE_PROG_ARRAY */
	int (*max_entries)[1];
	int (*key_size)[4];
	int (*value_size)[4];
} programs SECTION(".maps");
#endif

/* The barrier makes the compiler believe that somebody reads the whole room. */
#define FRAME(value)                                                        \
	unsigned long room[ROOM / 8];                                       \
	for (int i = 0; i < ROOM / 8; i++)                                  \
		room[i] = (value);                                          \
	asm volatile("" : : "r"(room) : "memory")

CALLED f1(int n) { FRAME(n); return room[0]; }
#if FRAMES > 2
CALLED f2(int n) { FRAME(n); return f1(n) + room[0]; }
CALLED f3(int n) { FRAME(n); return f2(n) + room[0]; }
CALLED f4(int n) { FRAME(n); return f3(n) + room[0]; }
CALLED f5(int n) { FRAME(n); return f4(n) + room[0]; }
CALLED f6(int n) { FRAME(n); return f5(n) + room[0]; }
CALLED f7(int n) { FRAME(n); return f6(n) + room[0]; }
CALLED f8(int n) { FRAME(n); return f7(n) + room[0]; }
#define NEXT f8
#else
#define NEXT f1
#endif

SECTION("program") int chain(void *ctx)
{
	FRAME(1);
#ifdef TAIL_CALL
	tail_call(ctx, &programs, 0);
#endif
	return FRAMES > 1 ? NEXT((int)room[1]) : (int)room[1];
}

char gpl[] SECTION("license") = "GPL";
