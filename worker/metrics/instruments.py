"""What processes count themselves. Labels are few and bounded: jobs, tasks, routes, outcomes; never an id."""

import os
import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, values
from prometheus_client.multiprocess import MultiProcessCollector

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody reads

_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks for the folder; it is inherited by the processes of the group."""

REQUEST_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WORK_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0)


class BulkHistogram(Histogram):
    """A histogram that takes in observations that were counted elsewhere, many at a time."""

    def add(self, counts: Sequence[int], total: float) -> None:
        """Add observations: how many fell into each bucket (the last one: above all bounds), and their sum."""
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)
        self._sum.inc(total)


class Metrics:
    """The instruments of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=self.registry)

        def histogram(name: str, text: str, *labels: str) -> BulkHistogram:
            buckets = REQUEST_BUCKETS_S if "request" in name else _WORK_BUCKETS_S
            return BulkHistogram(name, text, labels, registry=self.registry, buckets=buckets)

        self.request_seconds = histogram(
            "elp_api_request_duration_seconds",
            "Time from a request's arrival to the end of its answer",
            "method",
            "route",
            "status",
        )
        self.attempts_accepted = counter("elp_attempts_accepted", "Attempts committed to the inbox")
        self.commit_groups = counter("elp_attempts_commit_groups", "Transactions that committed them")
        self.nudges = counter("elp_nudges", "Messages published to Redis, or refused by it", "outcome")
        self.shard_seconds = histogram(
            "elp_job_shard_duration_seconds", "Time a start of a shard took", "job", "outcome"
        )
        self.shard_retries = counter("elp_job_shard_retries", "Starts that failed and will be repeated", "job")
        self.shard_failures = counter("elp_job_shard_failures", "Shards given up", "job")
        self.lease_expiries = counter("elp_job_lease_expiries", "Shards taken over from silent workers", "job")
        self.job_items = counter("elp_job_items", "Items that finished shards handled, as the job counts them", "job")
        self.runs_finished = counter("elp_job_runs_finished", "Runs that ended", "job", "state")
        self.drain_batches = counter("elp_attempts_drain_batches", "Committed transactions that graded attempts")
        self.drained = counter("elp_attempts_drained", "Attempts taken out of the inbox", "outcome")
        self.rejected = counter("elp_attempts_rejected", "Attempts that could not be graded", "reason")
        self.drain_retries = counter("elp_attempts_drain_retries", "Drain transactions rolled back and repeated")
        self.drain_seconds = histogram("elp_attempts_drain_duration_seconds", "Time a drain of a lane took")
        self.search_marks = counter("elp_search_marks_settled", "Marks of changed content that were worked off")
        self.search_written = counter("elp_search_vectors_written", "Search vectors that were not what they should be")
        self.task_seconds = histogram("elp_task_duration_seconds", "Time a Celery task took", "task", "outcome")


def share_through(folder: Path) -> None:
    """Keep this process's figures, and those of processes it starts from now on, in files in `folder`.

    To be called once, by the first process of the group and before anything is counted. What an earlier group left
    there is removed: counters begin at 0, as Prometheus expects of a restart.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    join(folder)


def join(folder: Path) -> None:
    """Keep this process's figures in the files of a group that another process began."""
    os.environ[_FOLDER] = str(folder)
    # The library decides at its import, which Flower's Celery plug-in causes before this can be called.
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    metrics.cache_clear()


def group_folder() -> Path | None:
    """Return the folder of this process's group; None: its figures are its own."""
    folder = os.environ.get(_FOLDER)
    return Path(folder) if folder else None


def group_registry() -> CollectorRegistry:
    """Return a registry that adds up the figures of all processes of the group, or has those of this one alone."""
    folder = group_folder()
    if folder is None:
        return metrics().registry
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    return registry


def _begin_anew() -> None:
    """Forget the parent's instruments in a forked child: one of its threads may have held their lock just then."""
    if group_folder() is not None:
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    metrics.cache_clear()


os.register_at_fork(after_in_child=_begin_anew)


@lru_cache(maxsize=1)
def metrics() -> Metrics:
    """Return this process's instruments."""
    return Metrics()
