"""Figures for Prometheus: what processes count, and what PostgreSQL and Redis show.

Counters and histograms live in files that the processes of one group (the API's, one worker's with its children) share;
whoever serves the group's `/metrics` adds them up. What the database knows is asked for at a scrape, by the API alone
(`state.py`), so that it is neither counted twice nor asked once a process.
"""

from worker.metrics.instruments import Metrics, metrics, share_through

__all__ = ["Metrics", "metrics", "share_through"]
