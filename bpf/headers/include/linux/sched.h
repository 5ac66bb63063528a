/* The length of a task's name, with the NUL at its end; its struct only the kernel's headers fill. */
#ifndef LAB_LINUX_SCHED_H
#define LAB_LINUX_SCHED_H
#include <asm/ptrace.h>
#include <linux/types.h>

#define TASK_COMM_LEN 16
struct task_struct;

#endif
