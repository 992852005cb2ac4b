"""Benchmarks: each beside its limit and the usual way, in the same run."""
