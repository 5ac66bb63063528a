/* BPF_RINGBUF_OUTPUT counts in pages. The lab passes this machine's page size with -D. */
#ifndef PAGE_SIZE
#define PAGE_SIZE 4096
#endif
