"""Subscriptions over HTTP: begin, look, pause, resume, cancel, change the plan, set another payment method."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
import psycopg
from litestar import Request, get, post
from litestar.params import FromPath, JSONBody
from psycopg.rows import class_row

from worker import clock
from worker.api import problems
from worker.api.documentation import ReadOperation, described, problem_responses
from worker.api.permissions import is_hidden, principal_of
from worker.api.problems import Kind, ProblemError
from worker.billing import actions, store
from worker.billing.actions import NewSubscription
from worker.billing.errors import ForbiddenTransitionError, RefusedChangeError, UnknownSubscriptionError
from worker.db import Connection, transaction
from worker.errors import ConfigurationError
from worker.logging import get_logger
from worker.secrets import Cipher
from worker.settings import get_settings

_log = get_logger(__name__)

UNKNOWN: Final = Kind(404, "unknown-subscription", "No such subscription")
REFUSED: Final = Kind(409, "change-refused", "The subscription can't be changed so now")
_NOT_THERE: Final = "no subscription with this id was begun here"
_PATH: Final = "/v1/subscriptions"


class Begin(msgspec.Struct, forbid_unknown_fields=True):
    """A subscription that is to begin."""

    id: Annotated[UUID, described("chosen by the app, sent again unchanged")]
    user_id: UUID
    plan: Annotated[str, described("the plan's code")]
    gateway: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,31}$")]
    payment_method: Annotated[str, msgspec.Meta(min_length=1, max_length=500), described("the gateway's token of it")]
    timezone: str = "Asia/Jakarta"
    coupon: str | None = None


class Cancel(msgspec.Struct, forbid_unknown_fields=True):
    """How a subscription ends."""

    at_once: Annotated[bool, described("now, access included; else at the period's end")] = False


class Pause(msgspec.Struct, forbid_unknown_fields=True):
    """How long a pause lasts."""

    until: Annotated[datetime, msgspec.Meta(tz=True), described("when it goes on by itself")] | None = None


class PlanChange(msgspec.Struct, forbid_unknown_fields=True):
    """Another plan."""

    plan: Annotated[str, described("its code")]


class Method(msgspec.Struct, forbid_unknown_fields=True):
    """Another payment method."""

    gateway: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,31}$")]
    payment_method: Annotated[str, msgspec.Meta(min_length=1, max_length=500), described("the gateway's token of it")]


class SubscriptionView(msgspec.Struct):
    """A subscription as the app sees it."""

    id: UUID
    user_id: UUID
    plan: str
    state: str
    amount: Decimal
    currency: str
    period_end: datetime
    next_attempt_at: datetime | None
    grace_ends_at: datetime | None
    cancel_at_period_end: bool
    declines: int
    gateway: str | None


@contextmanager
def _asking() -> Iterator[Connection]:
    try:
        with transaction() as connection:
            yield connection
    except UnknownSubscriptionError:
        raise ProblemError(UNKNOWN, _NOT_THERE) from None
    except (RefusedChangeError, ForbiddenTransitionError) as error:
        raise ProblemError(REFUSED, str(error)) from None
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise problems.unavailable("the database does not answer: try again") from error
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        what = error.diag.constraint_name or "a text that can't be stored"
        raise ProblemError(problems.INVALID_PARAMETERS, f"not valid: {what}") from None


def _cipher() -> Cipher:
    try:
        return Cipher.from_settings(get_settings())
    except ConfigurationError as error:
        _log.error("payment_methods_unprotected", error=str(error))
        raise problems.unavailable("payment methods can't be kept safe now", 60) from None


def _view(connection: Connection, subscription_id: UUID) -> SubscriptionView:
    values = {"id": subscription_id, "user_id": None, "state": None, "limit": 1}
    with connection.cursor(row_factory=class_row(SubscriptionView)) as cursor:
        found = cursor.execute(store.query("list_subscriptions"), values).fetchone()
    if found is None:
        raise UnknownSubscriptionError(subscription_id)
    return found


@post(
    _PATH,
    permission="billing.write",
    sync_to_thread=True,
    status_code=200,
    operation_id="subscribe",
    tags=["billing"],
    summary="Begin a subscription",
    description="Safe to repeat under the same id. Without a trial it is charged within minutes; access follows.",
    responses=problem_responses(400, 401, 409, 422, 503),
)
def subscribe(request: Request[Any, Any, Any], data: JSONBody[Begin]) -> SubscriptionView:
    """Begin a subscription."""
    new = NewSubscription(
        id=data.id,
        user_id=data.user_id,
        plan=data.plan,
        gateway=data.gateway,
        token=data.payment_method,
        timezone=data.timezone,
        coupon=data.coupon,
    )
    with _asking() as connection:
        actions.subscribe(connection, new, _cipher(), actor=principal_of(request).actor, now=clock.now())
        return _view(connection, data.id)


@get(
    _PATH + "/{subscription_id:uuid}",
    permission="billing.read",
    checks_owner=True,
    sync_to_thread=True,
    operation_class=ReadOperation,
    operation_id="getSubscription",
    tags=["billing"],
    summary="A subscription",
    responses=problem_responses(400, 401, 404, 503),
)
def subscription(request: Request[Any, Any, Any], subscription_id: FromPath[UUID]) -> SubscriptionView:
    """Return a subscription; to learners only their own, others' are unknown to them."""
    with _asking() as connection:
        found = _view(connection, subscription_id)
    if is_hidden(principal_of(request), "billing.read", found.user_id):
        raise ProblemError(UNKNOWN, _NOT_THERE)
    return found


def _documented(name: str) -> dict[str, object]:
    return {
        "permission": "billing.write",
        "sync_to_thread": True,
        "status_code": 200,
        "operation_id": f"{name}Subscription",
        "tags": ["billing"],
        "responses": problem_responses(400, 401, 404, 409, 422, 503),
    }


@post(_PATH + "/{subscription_id:uuid}/cancel", summary="End a subscription", **_documented("cancel"))  # type: ignore[arg-type]
def cancel(
    request: Request[Any, Any, Any], subscription_id: FromPath[UUID], data: JSONBody[Cancel]
) -> SubscriptionView:
    """End a subscription."""
    with _asking() as connection:
        actions.cancel(
            connection, subscription_id, at_once=data.at_once, actor=principal_of(request).actor, now=clock.now()
        )
        return _view(connection, subscription_id)


@post(_PATH + "/{subscription_id:uuid}/pause", summary="Pause a subscription", **_documented("pause"))  # type: ignore[arg-type]
def pause(request: Request[Any, Any, Any], subscription_id: FromPath[UUID], data: JSONBody[Pause]) -> SubscriptionView:
    """Pause a subscription; what is left of its period is kept."""
    with _asking() as connection:
        actions.pause(connection, subscription_id, until=data.until, actor=principal_of(request).actor, now=clock.now())
        return _view(connection, subscription_id)


@post(_PATH + "/{subscription_id:uuid}/resume", summary="Go on, or take a cancellation back", **_documented("resume"))  # type: ignore[arg-type]
def resume(request: Request[Any, Any, Any], subscription_id: FromPath[UUID]) -> SubscriptionView:
    """Resume a subscription."""
    with _asking() as connection:
        actions.resume(connection, subscription_id, actor=principal_of(request).actor, now=clock.now())
        return _view(connection, subscription_id)


@post(_PATH + "/{subscription_id:uuid}/plan", summary="Change the plan", **_documented("changePlanOf"))  # type: ignore[arg-type]
def change_plan(
    request: Request[Any, Any, Any], subscription_id: FromPath[UUID], data: JSONBody[PlanChange]
) -> SubscriptionView:
    """Change the plan: a dearer one at once, another at the period's end."""
    with _asking() as connection:
        actions.change_plan(connection, subscription_id, data.plan, actor=principal_of(request).actor, now=clock.now())
        return _view(connection, subscription_id)


@post(_PATH + "/{subscription_id:uuid}/method", summary="Set another payment method", **_documented("setMethodOf"))  # type: ignore[arg-type]
def set_method(
    request: Request[Any, Any, Any], subscription_id: FromPath[UUID], data: JSONBody[Method]
) -> SubscriptionView:
    """Set another payment method; what is unpaid is charged with it within minutes."""
    with _asking() as connection:
        actions.set_method(
            connection,
            subscription_id,
            data.gateway,
            data.payment_method,
            _cipher(),
            actor=principal_of(request).actor,
            now=clock.now(),
        )
        return _view(connection, subscription_id)


SUBSCRIPTION_ROUTES: Final = [subscribe, subscription, cancel, pause, resume, change_plan, set_method]
