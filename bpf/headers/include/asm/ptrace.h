/* The registers that a kprobe's or uprobe's program gets, in the order in which the kernel saves them.
 * bcc's PT_REGS_PARM1() and its kin name these members. */
#ifndef LAB_ASM_PTRACE_H
#define LAB_ASM_PTRACE_H
#include <linux/types.h>

#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};
struct pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
	__u64 orig_x0;
	__s32 syscallno;
	__u32 unused;
};
typedef struct user_pt_regs bpf_user_pt_regs_t;
#elif defined(__x86_64__)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};
typedef struct pt_regs bpf_user_pt_regs_t;
#else
struct pt_regs;	/* not known here: install the kernel's own headers */
#endif

#endif
