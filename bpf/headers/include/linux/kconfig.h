/* The one kernel option that bcc asks about. */
#define CONFIG_BPF_SYSCALL 1
