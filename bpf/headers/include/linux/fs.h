/* Lengths, and names of structs that only the kernel's own headers fill. */
#ifndef LAB_LINUX_FS_H
#define LAB_LINUX_FS_H
#include <asm/ptrace.h>
#include <linux/limits.h>

struct dentry;
struct file;
struct inode;
struct path;
struct super_block;

#endif
