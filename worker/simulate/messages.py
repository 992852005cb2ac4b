"""Messages without a broker: what the platform publishes is done in this process, at the same virtual instant."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, Final

from worker.app import app
from worker.jobs import known_tasks
from worker.jobs.delivery import Message, deliver
from worker.jobs.known_tasks import body_of
from worker.jobs.outcomes import Failure, outcome
from worker.jobs.task_publisher import Outgoing, Published
from worker.simulate.scenario import Outcome

LOST_SHARE: Final = 0.01
"""Share of messages that never arrive."""
_REPEATED_SHARE: Final = 0.01
"""Share of messages from the outbox that arrive twice."""


class Mail:
    """Takes what tasks and jobs of this process publish (nudges), until `work` does it."""

    def __init__(self, outcome: Outcome) -> None:
        """Count in `outcome`."""
        self._outcome = outcome
        self._waiting: deque[tuple[str, tuple[Any, ...], dict[str, Any]]] = deque()

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Have messages of this process come here inside the block, instead of going to a broker."""
        app.send_task = self._take
        try:
            yield
        finally:
            del app.send_task

    def work(self) -> None:
        """Run the task of each message, those that it sends itself included."""
        while self._waiting:
            name, args, kwargs = self._waiting.popleft()
            self._outcome.nudges += 1
            body_of(name)(*args, **kwargs)

    def _take(self, name: str, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None, **_: Any) -> None:
        self._waiting.append((name, tuple(args), kwargs or {}))


class Delivered:
    """The relay's publisher: a message runs its task at once, as a worker would; some get lost, some come twice."""

    def __init__(self, outcome: Outcome, chance: Random) -> None:
        """Count in `outcome`; draw from `chance` what goes wrong."""
        self._outcome = outcome
        self._chance = chance

    def publish(self, batch: Sequence[Outgoing]) -> Published:
        """Run the task of each entry. One that fails is recorded in its entry, as ever, and is sent again."""
        known = {task.name: task for task in known_tasks.known_tasks()}
        for entry in batch:
            drawn = self._chance.random()
            if drawn < LOST_SHARE:
                self._outcome.lost_deliveries += 1
                continue
            for is_copy in (False, True) if drawn > 1 - _REPEATED_SHARE else (False,):
                message = Message(entry.id, entry.relay, is_repeated=is_copy or entry.relay > 1)
                self._outcome.outbox_messages += 1
                failed = outcome(_delivery(known[entry.task], message, entry))
                self._outcome.failed_deliveries += isinstance(failed, Failure)
        return Published(sent=len(batch))


def _delivery(task: known_tasks.KnownTask, message: Message, entry: Outgoing) -> Callable[[], object]:
    return lambda: deliver(task, message, body_of(entry.task), entry.payload)
