"""Achievements: a catalogue, counters, and awards that are given once."""
