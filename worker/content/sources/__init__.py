"""Readers of the data sets: one module each, from text to values. Pure but for `files`, which knows where they lie."""
