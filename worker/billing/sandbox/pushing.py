"""Notifications that the sandbox sends by itself over HTTP, as gateways do: again until taken, twice, late, forged."""

import heapq
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from random import Random
from typing import Final, Literal, Self

from worker.billing.sandbox.dialects import Callback, callback, stripe_signature
from worker.billing.sandbox.store import Order

Mischief = Literal["twice", "late", "forged"]
"""twice: the same once more. late: some time after, so that others overtake it. forged: one with a wrong signature
comes before it, as from somebody else."""

_TRIES: Final = 12
_TIMEOUT_S: Final = 10.0
_TAKEN: Final = range(200, 300)


@dataclass(slots=True)
class Pushes:
    """What is to happen to notifications, and what did.

    Attributes:
        url: of the platform, to which `/v1/webhooks/{gateway}` is added; None: none are sent.
        chances: how likely each mischief is.
        late_s: the longest that a late one waits.
        again_s: after how long one that was not taken is sent again; each time twice as long.
        answers: how often which answer came: "taken", "refused", "forged refused", "forged taken", "unreachable".
        random: draws them.
    """

    url: str | None = None
    chances: dict[Mischief, float] = field(default_factory=dict)
    late_s: float = 30.0
    again_s: float = 1.0
    answers: Counter[str] = field(default_factory=Counter)
    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311


@dataclass(frozen=True, slots=True, order=True)
class _Delivery:
    """One that is to be sent, at an instant of the monotonic clock."""

    at: float
    number: int
    said: Callback = field(compare=False)
    is_forged: bool = field(compare=False, default=False)
    tries: int = field(compare=False, default=0)


class Pusher:
    """Sends what `tell` gives it, from a thread of its own, until the end of its `with` block."""

    def __init__(self, pushes: Pushes) -> None:
        """Send nothing yet."""
        self._pushes = pushes
        self._waiting: list[_Delivery] = []
        self._number = 0
        self._is_sending = False
        self._is_over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, daemon=True, name="sandbox-pusher")

    def tell(self, order: Order) -> None:
        """Send what an order has come to: as it is now, whenever it arrives."""
        pushes = self._pushes
        if pushes.url is None or order.status == "pending":
            return
        said = callback(order)
        with self._changed:
            if self._draws("forged"):
                self._add(forged(said), is_forged=True)
            delay = pushes.random.uniform(0, pushes.late_s) if self._draws("late") else 0.0
            for _ in range(2 if self._draws("twice") else 1):
                self._add(said, delay)
            self._changed.notify_all()

    def _draws(self, mischief: Mischief) -> bool:
        return self._pushes.random.random() < self._pushes.chances.get(mischief, 0.0)

    def _add(self, said: Callback, delay_s: float = 0.0, *, is_forged: bool = False) -> None:
        self._number += 1
        heapq.heappush(self._waiting, _Delivery(time.monotonic() + delay_s, self._number, said, is_forged))

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything is sent; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._is_sending, timeout_s)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._is_over and (not self._waiting or self._waiting[0].at > time.monotonic()):
                    rest = self._waiting[0].at - time.monotonic() if self._waiting else None
                    self._changed.wait(rest)
                if self._is_over:
                    return
                delivery = heapq.heappop(self._waiting)
                self._is_sending = True
            status = self._send(delivery.said)
            with self._changed:
                self._note(delivery, status)
                self._is_sending = False
                self._changed.notify_all()

    def _note(self, delivery: _Delivery, status: int | None) -> None:
        """Count an answer, and send what was not taken again."""
        is_taken = status in _TAKEN
        self._pushes.answers[
            ("forged " if delivery.is_forged else "")
            + ("unreachable" if status is None else "taken" if is_taken else "refused")
        ] += 1
        if not is_taken and not delivery.is_forged and delivery.tries + 1 < _TRIES:
            at = time.monotonic() + self._pushes.again_s * 2**delivery.tries
            heapq.heappush(self._waiting, replace(delivery, at=at, tries=delivery.tries + 1))

    def _send(self, said: Callback) -> int | None:
        """Send a notification and return the answer's status; None: nobody answered, or nobody is to be told now."""
        if self._pushes.url is None:
            return None
        headers = {"content-type": "application/json", **said.headers}
        if said.gateway == "stripe" and not said.headers["stripe-signature"].startswith("t=1,"):
            # At each sending, as Stripe does, and by the machine's clock: by that its library judges how old it is.
            headers["stripe-signature"] = stripe_signature(said.body, int(time.time()))
        asked = urllib.request.Request(  # noqa: S310  the address is the operator's
            f"{self._pushes.url}/v1/webhooks/{said.gateway}", data=said.body, headers=headers, method="POST"
        )
        try:
            with urllib.request.urlopen(asked, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except (OSError, HTTPException):
            return None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._thread.join(_TIMEOUT_S)


def forged(said: Callback) -> Callback:
    """Return a notification as somebody sends it who does not know the secret."""
    wrong = {"x-callback-token": "guessed", "stripe-signature": "t=1,v1=00"}
    headers = {name: wrong.get(name, value) for name, value in said.headers.items()}
    return Callback(said.gateway, said.body.replace(b'"signature_key": "', b'"signature_key": "0'), headers)
