"""A variant through both gates: compiled, loaded, and what became of it."""
