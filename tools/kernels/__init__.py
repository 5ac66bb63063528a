"""Debian's kernels, each booted under QEMU, and what the lab says on it: ``./lab kernels``."""
