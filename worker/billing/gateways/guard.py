"""What stands between us and a gateway: its rate limit, and a circuit breaker that spares it while it is ill."""

import threading
from collections.abc import Callable
from typing import TypeVar

from purgatory import SyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from pyrate_limiter import Duration, Limiter, Rate

from worker.billing.gateways.port import (
    ChargeOutcome,
    ChargeRequest,
    Gateway,
    LookupOutcome,
    NotSent,
    RefundRequest,
    Unknown,
)
from worker.logging import get_logger

_log = get_logger(__name__)
Asked = TypeVar("Asked", ChargeRequest, RefundRequest)
Told = TypeVar("Told", ChargeOutcome, LookupOutcome)


class NoAnswerError(Exception):
    """A call that counts against the gateway; never leaves this module."""


class Guard:
    """Calls a gateway within its limits; may be used by several threads at once.

    After `failures` calls in a row without an answer it is left alone for `rest_s` seconds: what is asked meanwhile is
    certainly not sent. Then calls go through again; the first one that fails closes it off at once.
    """

    def __init__(self, gateway: Gateway, *, per_second: int, failures: int = 10, rest_s: float = 30.0) -> None:
        """Wrap a gateway.

        Args:
            gateway: its adapter.
            per_second: calls a second, at most.
            failures: after so many in a row without an answer it rests.
            rest_s: seconds.
        """
        self.gateway = gateway
        self.name = gateway.name
        self._limiter = Limiter(Rate(per_second, Duration.SECOND))
        self._breaker = SyncCircuitBreakerFactory(default_threshold=failures, default_ttl=rest_s).get_breaker(self.name)
        self._lock = threading.Lock()  # the breaker knows no threads; held to note, never during a call

    def is_resting(self) -> bool:
        """Return whether calls are refused at present."""
        context = self._breaker.context
        with self._lock:
            if context.state != "opened":
                return False
            try:
                context.handle_new_request()
            except OpenedState:
                return True
            return False

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Charge, within the limits."""
        return self._call(self.gateway.charge, request)

    def lookup(self, request: ChargeRequest) -> LookupOutcome:
        """Look up, within the limits."""
        return self._call(self.gateway.lookup, request)

    def refund(self, request: RefundRequest) -> ChargeOutcome:
        """Refund, within the limits."""
        return self._call(self.gateway.refund, request)

    def _call(self, method: Callable[[Asked], Told], request: Asked) -> Told | NotSent:
        self._limiter.try_acquire(self.name)
        with self._lock:
            try:
                self._breaker.context.handle_new_request()
            except OpenedState:
                return NotSent("the gateway is left alone for a while: it did not answer")
        outcome = method(request)
        error = NoAnswerError() if isinstance(outcome, Unknown | NotSent) else None
        with self._lock:
            before = self._breaker.context.state
            self._breaker.__exit__(type(error) if error else None, error, None)
            after = self._breaker.context.state
        if before != after:
            _log.warning("gateway_circuit", gateway=self.name, state=after)
        return outcome
