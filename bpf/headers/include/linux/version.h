/* bcc stores this number in each program it loads. Kernels since 5.0 ignore it (6c4fc209fcf9). */
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))
#define LINUX_VERSION_CODE KERNEL_VERSION(5, 8, 0)
