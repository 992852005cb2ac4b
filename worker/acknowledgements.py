"""What a worker tells Redis of the messages it holds: gathered for a moment, since telling costs as much as the tasks.

Kombu emulates acknowledgement: a message that was taken is written to a hash of unacknowledged ones, and removed when
its task has ended, two waits for Redis on the one thread that feeds all processes. Here a message is written only when
its task takes longer than a moment. A worker killed within it loses the message, as one that is killed between kombu's
taking and writing does; the lease, or the entry that is not confirmed, brings the work back long before Redis would.
"""

from typing import Any, Final

from celery import bootsteps
from kombu.asynchronous import get_event_loop
from kombu.transport import redis as transport
from kombu.utils.json import dumps

from worker import clock
from worker.logging import get_logger

_log = get_logger(__name__)

INTERVAL_S: Final = 0.1
"""How long what is to be written waits for others at most, in seconds."""


_Kombus: Final[Any] = transport.QoS


class GatheredQoS(_Kombus):  # type: ignore[misc]  # kombu is untyped
    """Kombu's account of a channel's messages, written in one go a moment later. Used by one thread, as Celery does."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._taken: dict[str, Any] = {}
        """Messages that Redis does not know as taken yet."""
        self._ended: list[str] = []
        """Those that it knows, and whose tasks have ended."""
        self._is_waiting = False

    def append(self, message: Any, delivery_tag: str) -> None:
        """Take a message."""
        self._taken[delivery_tag] = message
        # Past kombu's own, which writes.
        super(_Kombus, self).append(message, delivery_tag)
        self._write_soon()

    def ack(self, delivery_tag: str) -> None:
        """Forget a message whose task has ended."""
        if self._taken.pop(delivery_tag, None) is None:
            self._ended.append(delivery_tag)
            self._write_soon()
        super(_Kombus, self).ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's signature
        """Give a message up, or back."""
        if requeue:
            self.write()
            super().reject(delivery_tag, requeue=True)
        else:
            self.ack(delivery_tag)

    def restore_unacked(self, client: Any = None) -> None:
        """Give all messages back, those not written yet included."""
        self.write()
        super().restore_unacked(client)

    def restore_unacked_once(self, stderr: Any = None) -> None:
        """Say what has ended, then give the rest back: the loop fires no more timers when a worker stops."""
        self.write()
        super().restore_unacked_once(stderr)

    def write(self) -> None:
        """Tell Redis.

        A Redis that is away, or refuses (a full disk), is not waited for: the consumer notices on its own connection
        and begins anew, and a worker that stops goes on stopping. What is not removed is delivered again, to find its
        work done.
        """
        self._is_waiting = False
        taken, ended = self._taken, self._ended
        self._taken, self._ended = {}, []
        if (not taken and not ended) or self.channel.connection is None:  # closed, after it had written
            return
        now = clock.now().timestamp()
        try:
            with self.pipe_or_acquire() as pipe:
                if taken:
                    pipe.zadd(self.unacked_index_key, dict.fromkeys(taken, now))
                    pipe.hset(self.unacked_key, mapping={tag: _record(message) for tag, message in taken.items()})
                if ended:
                    pipe.zrem(self.unacked_index_key, *ended)
                    pipe.hdel(self.unacked_key, *ended)
                pipe.execute()
        except (*self.channel.connection_errors, self.channel.ResponseError) as error:
            _log.warning("acknowledgements_lost", error=str(error), messages=len(taken) + len(ended))

    def _write_soon(self) -> None:
        hub: Any = get_event_loop()
        if hub is None:
            self.write()
        elif not self._is_waiting:
            self._is_waiting = True
            hub.call_later(INTERVAL_S, self.write)


def _record(message: Any) -> str:
    """Return a message as kombu keeps it."""
    delivery = message.delivery_info
    parts = [message._raw, delivery["exchange"], delivery["routing_key"]]  # noqa: SLF001 - kombu's form
    record: str = dumps(parts)  # type: ignore[no-untyped-call]  # kombu is untyped
    return record


class AcknowledgementsStep(bootsteps.Step):  # type: ignore[misc]  # Celery is untyped
    """A step of the worker's blueprint: before its consumer connects, it puts the account in place."""

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        transport.Channel.QoS = GatheredQoS
