"""What clients send."""

from typing import Any
from uuid import uuid4

from worker.clock import now
from worker.ids import uuid7


def new_attempt(**fields: Any) -> dict[str, Any]:
    """A good attempt as JSON, with these fields instead."""
    attempt = {
        "id": str(uuid7()),
        "user_id": str(uuid4()),
        "question_id": str(uuid4()),
        "answer": {"choice": "b"},
        "time_spent_ms": 8_120,
        "attempted_at": now().isoformat(),
    }
    return attempt | fields


def without(attempt: dict[str, Any], *names: str) -> dict[str, Any]:
    """The attempt without these fields."""
    return {name: value for name, value in attempt.items() if name not in names}
