"""``./lab soak``: faults on purpose, and what the lab then says, keeps and leaves."""
