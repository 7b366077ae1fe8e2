"""Measures what the status side reaches beside its peers, and prints it with the targets (docs/bench.md)."""
