"""``./lab bench``: the lab and its peers side by side, in one run; writes docs/benchmarks.md."""
