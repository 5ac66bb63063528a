"""Collecting: from an attached program to a run, its table and its files."""
