"""The background half of an English-learning platform: attempts, spaced repetition, scheduled jobs."""
