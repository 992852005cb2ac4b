"""The job engine's ledger: runs, their shards, and the outbox."""

from datetime import datetime
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
ShardState = Literal["pending", "running", "done", "failed"]
TaskKind = Literal["task", "job"]

PAYLOAD_MAX_BYTES = 16_384
"""How long the payload of an outbox entry may be, as text."""


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
    )


class JobTask(Base):
    """A task that the outbox may send, or a job that `jobs.start` may start: what the code of this database's workers has.

    Written by `elp migrate` and by each worker at its start, so that a wrong name is refused where it is enqueued.
    """

    __tablename__ = "job_tasks"

    kind: Mapped[TaskKind] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    queue: Mapped[str]
    """Celery queue whose workers do it."""
    requires: Mapped[list[str]] = mapped_column(server_default="{}")
    """Names that a payload must have."""
    accepts: Mapped[list[str] | None]
    """Names that a payload may have; NULL: any."""
    from_app: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether the platform's app may enqueue it over HTTP."""

    __table_args__ = (one_of("kind", TaskKind), not_blank("name", 200), not_blank("queue", 100))


class JobOutbox(Base):
    """A task that must run, written in the transaction that made it necessary; a relay sends it, the task confirms it."""

    __tablename__ = "job_outbox"

    id: Mapped[TimeOrderedKey]
    """Also the Celery task id."""
    task: Mapped[str]
    """Celery task name."""
    payload: Mapped[JsonObject] = mapped_column(server_default="{}")
    """Keyword arguments: ids, not data."""
    dedupe_key: Mapped[str | None]
    """At most one entry of a key waits at a time; NULL: no such limit."""
    not_before: Mapped[datetime | None]
    """NULL: at once."""
    due_at: Mapped[datetime]
    """When it is to be sent, or sent again because nobody confirmed it; a trigger sets it from `not_before`."""
    relayed_at: Mapped[datetime | None]
    """When it was last handed to the broker; NULL: not yet."""
    relays: Mapped[int] = mapped_column(server_default=text("0"))
    """How often it was handed to the broker."""
    starts: Mapped[int] = mapped_column(server_default=text("0"))
    """How often a worker began it and told how that went, or began it anew after its message had to be repeated."""
    done_at: Mapped[datetime | None]
    """When the start that did it began; committed together with its work."""
    parked_at: Mapped[datetime | None]
    """When it was given up, until an operator retries or discards it; `error` says why."""
    error: Mapped[str | None]
    """What the last start that failed raised, or why it is parked."""

    __table_args__ = (
        not_blank("task", 200),
        is_object("payload"),
        check("payload_size", f"octet_length(payload::text) <= {PAYLOAD_MAX_BYTES}"),
        not_blank("dedupe_key", 200),
        check("relays", "relays >= 0"),
        check("starts", "starts >= 0"),
        check("parked", "parked_at IS NULL OR (done_at IS NULL AND error IS NOT NULL)"),
        Index(
            "uq_job_outbox_dedupe_key",
            "dedupe_key",
            unique=True,
            postgresql_where=text("relayed_at IS NULL AND parked_at IS NULL"),
        ),
        Index("idx_job_outbox_due", "due_at", "id", postgresql_where=text("done_at IS NULL AND parked_at IS NULL")),
        Index("idx_job_outbox_parked", "parked_at", postgresql_where=text("parked_at IS NOT NULL")),
        Index("idx_job_outbox_done", "done_at", postgresql_where=text("done_at IS NOT NULL")),
        {"postgresql_with": QUEUE_STORAGE},
    )
