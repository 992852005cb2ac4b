"""The demonstration: simulated learners, their traffic over HTTP, and a summary that is checked."""
