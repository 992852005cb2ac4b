"""Spaced repetition: scheduling rules, queue rules and the build of due queues."""
