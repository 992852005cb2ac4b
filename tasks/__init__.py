"""Celery's entry points, one module a capability; each is thin, and each job has its schedule beside it."""

from typing import Final

MODULES: Final = (
    "tasks.achievements",
    "tasks.attempts",
    "tasks.billing",
    "tasks.backups",
    "tasks.events",
    "tasks.jobs",
    "tasks.maintenance",
    "tasks.search",
    "tasks.reconciliation",
    "tasks.srs",
    "tasks.srs_memory",
    "tasks.tryouts",
)
"""Every module that declares tasks or jobs: a worker imports these and no others."""
