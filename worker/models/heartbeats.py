"""What each worker process says of itself."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import Base, check, not_blank


class WorkerHeartbeat(Base):
    """One Celery worker, by its node name; written every few seconds while it lives, removed when it stops in order."""

    __tablename__ = "worker_heartbeats"

    worker: Mapped[str] = mapped_column(primary_key=True)
    """Celery's node name, such as `worker@host`."""
    pid: Mapped[int]
    version: Mapped[str]
    """This product's, so that a half-done deploy is seen."""
    queues: Mapped[list[str]]
    concurrency: Mapped[int]
    """Tasks it may work on at once."""
    is_consuming: Mapped[bool]
    """It is connected to the broker and takes messages."""
    metrics_address: Mapped[str | None]
    """host:port of its /metrics; NULL: it serves none."""
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]

    __table_args__ = (
        not_blank("worker", 200),
        check("concurrency", "concurrency >= 0"),
    )
