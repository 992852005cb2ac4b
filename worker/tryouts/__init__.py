"""Tryouts: timed tests from the first answer to a calibrated result. Rules are pure; store modules speak SQL."""
