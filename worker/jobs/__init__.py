"""The job engine: what runs when, in which pieces, exactly once. A job's author needs `job`, `Shard` and `Planning`."""

from worker.jobs.definition import SAMPLES, Bounds, Job, Planning, Retry, Shard
from worker.jobs.registry import job

__all__ = ["SAMPLES", "Bounds", "Job", "Planning", "Retry", "Shard", "job"]
