"""The job engine's ledger: runs, their shards, what is kept of old runs and of each job, and the outbox."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import (
    QUEUE_STORAGE,
    Base,
    BigInt,
    JsonObject,
    TimeOrderedKey,
    check,
    is_object,
    not_blank,
    one_of,
    references,
)

RunState = Literal["planned", "running", "succeeded", "failed", "cancelled", "skipped"]
RunTrigger = Literal["schedule", "catch_up", "manual", "event"]
ShardState = Literal["pending", "running", "done", "failed", "cancelled"]


class JobRun(Base):
    """One run of a job for one period; `uq_job_runs_period` is what makes each period run exactly once."""

    __tablename__ = "job_runs"

    id: Mapped[TimeOrderedKey]
    job: Mapped[str]
    period: Mapped[datetime]
    """The firing of the schedule that this run answers, not the instant at which it started."""
    state: Mapped[RunState] = mapped_column(server_default="planned")
    trigger: Mapped[RunTrigger] = mapped_column(server_default="schedule")
    parameters: Mapped[JsonObject] = mapped_column(server_default="{}")
    shards_total: Mapped[int] = mapped_column(server_default=text("0"))
    shards_done: Mapped[int] = mapped_column(server_default=text("0"))
    shards_failed: Mapped[int] = mapped_column(server_default=text("0"))
    items: Mapped[BigInt] = mapped_column(server_default=text("0"))
    """What the job counts (learners, questions, charges …), summed over its shards."""
    error: Mapped[str | None]
    """Why it failed, or why the job's policy skipped it."""
    planned_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        not_blank("job", 200),
        one_of("state", RunState),
        one_of("trigger", RunTrigger),
        is_object("parameters"),
        check("shards", "shards_done >= 0 AND shards_failed >= 0 AND shards_done + shards_failed <= shards_total"),
        check("items", "items >= 0"),
        UniqueConstraint("job", "period", name="uq_job_runs_period"),
        Index("idx_job_runs_unfinished", "planned_at", postgresql_where=text("state IN ('planned', 'running')")),
        Index("idx_job_runs_finished", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    )


class JobShard(Base):
    """A key range of a run, worked under a lease; its work and its `done` commit together."""

    __tablename__ = "job_shards"

    id: Mapped[TimeOrderedKey]
    run_id: Mapped[UUID] = mapped_column(references("job_runs.id", on_delete="CASCADE"))
    number: Mapped[int]
    bounds: Mapped[JsonObject] = mapped_column(server_default="{}")
    """What the shard covers, as the job defines it: {"from": …, "to": …}."""
    state: Mapped[ShardState] = mapped_column(server_default="pending")
    starts: Mapped[int] = mapped_column(server_default=text("0"))
    """How often it was claimed; the engine gives up after a few."""
    leased_by: Mapped[str | None]
    """Process that works it."""
    lease_expires_at: Mapped[datetime | None]
    """From then on another process may take it over."""
    run_after: Mapped[datetime | None]
    """Not before that instant (back-off after a failure); NULL: at once."""
    items: Mapped[BigInt] = mapped_column(server_default=text("0"))
    error: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        check("number", "number >= 0"),
        is_object("bounds"),
        one_of("state", ShardState),
        check("starts", "starts >= 0"),
        check("lease", "state <> 'running' OR lease_expires_at IS NOT NULL"),
        check("items", "items >= 0"),
        UniqueConstraint("run_id", "number", name="uq_job_shards_number"),
        Index("idx_job_shards_claimable", "run_id", "number", postgresql_where=text("state IN ('pending', 'running')")),
        Index("idx_job_shards_running", "run_id", postgresql_where=text("state = 'running'")),
    )


class JobControl(Base):
    """What is kept of a job besides its runs: whether it is paused, and up to which period all is decided."""

    __tablename__ = "job_controls"

    job: Mapped[str] = mapped_column(primary_key=True)
    paused_at: Mapped[datetime | None]
    """Since when no period is started and no shard claimed; NULL: it is not paused."""
    covered_until: Mapped[datetime | None]
    """The last period that was run or skipped; those after it, up to the present, are still to be decided."""

    __table_args__ = (not_blank("job", 200),)


class JobRunSummary(Base):
    """What is kept of a job's runs that ended on one day (UTC), once the runs themselves are deleted."""

    __tablename__ = "job_run_summaries"

    job: Mapped[str] = mapped_column(primary_key=True)
    ended_on: Mapped[date] = mapped_column(primary_key=True)
    succeeded: Mapped[int] = mapped_column(server_default=text("0"))
    failed: Mapped[int] = mapped_column(server_default=text("0"))
    cancelled: Mapped[int] = mapped_column(server_default=text("0"))
    skipped: Mapped[int] = mapped_column(server_default=text("0"))
    shards: Mapped[BigInt] = mapped_column(server_default=text("0"))
    items: Mapped[BigInt] = mapped_column(server_default=text("0"))
    total_ms: Mapped[BigInt] = mapped_column(server_default=text("0"))
    """From the first claim to the end, summed over the runs."""
    longest_ms: Mapped[BigInt] = mapped_column(server_default=text("0"))

    __table_args__ = (
        not_blank("job", 200),
        check("runs", "least(succeeded, failed, cancelled, skipped) >= 0"),
        check("totals", "least(shards, items) >= 0"),
        check("times", "longest_ms >= 0 AND longest_ms <= total_ms"),
    )


class JobOutbox(Base):
    """A task that must be sent, written in the transaction that made it necessary; a relay sends it afterwards."""

    __tablename__ = "job_outbox"

    id: Mapped[TimeOrderedKey]
    task: Mapped[str]
    """Celery task name."""
    payload: Mapped[JsonObject] = mapped_column(server_default="{}")
    """Keyword arguments: ids, not data."""
    dedupe_key: Mapped[str | None]
    """At most one entry of a key waits at a time; NULL: no such limit."""
    not_before: Mapped[datetime | None]
    """NULL: at once."""
    relayed_at: Mapped[datetime | None]
    """When it was handed to the broker; NULL: still to be sent."""
    relays: Mapped[int] = mapped_column(server_default=text("0"))
    """How often sending was tried."""
    error: Mapped[str | None]

    __table_args__ = (
        not_blank("task", 200),
        is_object("payload"),
        check("relays", "relays >= 0"),
        Index("uq_job_outbox_dedupe_key", "dedupe_key", unique=True, postgresql_where=text("relayed_at IS NULL")),
        Index("idx_job_outbox_unrelayed", "id", postgresql_where=text("relayed_at IS NULL")),
        {"postgresql_with": QUEUE_STORAGE},
    )
