"""What each route declares: its permission, as `permission="study.read"` beside its path.

Where a permission reaches the account's own rows alone, the path's `user_id` must be that account. A route that tells
whose rows they are in another way says `checks_owner=True` and does so, by `only_own` or `is_hidden`.
"""

import inspect
from collections.abc import Iterable
from dataclasses import field, make_dataclass
from typing import Any, Final
from uuid import UUID

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from worker.api.auth import OPEN
from worker.api.documentation import problem_responses
from worker.api.problems import FORBIDDEN, ProblemError
from worker.errors import ConfigurationError
from worker.security.permissions import PERMISSIONS, Permission
from worker.security.principal import Principal

PERMISSION: Final = "permission"
CHECKS_OWNER: Final = "checks_owner"
EXTENSION: Final = "x-permission"
"""Where the OpenAPI document names a route's permission."""


class UndeclaredError(ConfigurationError):
    """A route that does not say who may call it."""


def declared(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Return the routes with what their permission adds to their documentation.

    Raises:
        UndeclaredError: one declares none, or one that there is not.
    """
    routes = list(handlers)
    faults = [fault for route in routes if (fault := _fault(route))]
    if faults:
        raise UndeclaredError("\n".join(faults))
    for route in routes:
        if not route.opt.get(OPEN):
            _document(route)
    return routes


def principal_of(request: Request[Any, Any, Any]) -> Principal:
    """Return who sends a request that the guard let pass."""
    principal: Principal = request.scope["state"]["principal"]
    return principal


def other_than(request: Request[Any, Any, Any], user_id: UUID) -> str | None:
    """Return who sends a request, for the audit log; None: the account whose rows they are, which is no privilege."""
    principal = principal_of(request)
    return None if principal.user_id == user_id else principal.actor


def authorise(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler, principal: Principal) -> None:
    """Let a request pass if its sender has the route's permission, for the rows that the path names.

    Raises:
        ProblemError: 403; it does not tell whether those rows exist.
    """
    permission = handler.opt.get(PERMISSION)
    if permission is None:  # not among the declared routes: for those who may do everything
        if principal.everyone >= PERMISSIONS:
            return
        raise ProblemError(FORBIDDEN, "this address is not open to you")
    reach = principal.reach(permission)
    if reach is None:
        raise ProblemError(FORBIDDEN, f"it needs the permission {permission}, which you don't have")
    if reach == "own" and not handler.opt.get(CHECKS_OWNER):
        only_own(principal, permission, connection.path_params.get("user_id"))


def only_own(principal: Principal, permission: Permission, user_id: UUID | None) -> None:
    """Let pass who has the permission for this account's rows.

    Raises:
        ProblemError: 403.
    """
    reach = principal.reach(permission)
    if reach is None or (reach == "own" and user_id != principal.user_id):
        raise ProblemError(FORBIDDEN, f"your permission {permission} is for your own account alone")


def is_hidden(principal: Principal, permission: Permission, user_id: UUID) -> bool:
    """Say whether an account's rows are to be answered as if there were none."""
    return principal.reach(permission) != "everyone" and user_id != principal.user_id


def _fault(route: HTTPRouteHandler) -> str | None:
    name = f"{'/'.join(sorted(route.http_methods))} {' '.join(sorted(route.paths))} ({route.fn.__module__})"
    permission = route.opt.get(PERMISSION)
    if route.opt.get(OPEN):
        return None if permission is None else f"{name} is open and declares a permission, too: choose one"
    if permission is None:
        return f'{name} declares no permission: add permission="…" to it, or opt={{OPEN: True}} if it is for everybody'
    if permission not in PERMISSIONS:
        return f"{name} declares the permission {permission!r}, which is none of {', '.join(sorted(PERMISSIONS))}"
    return None


def _document(route: HTTPRouteHandler) -> None:
    permission = route.opt[PERMISSION]
    own = route.operation_class
    if EXTENSION not in {each.metadata.get("alias") for each in own.__dataclass_fields__.values()}:
        extension = ("x_permission", str | None, field(default=permission, metadata={"alias": EXTENSION}))
        route.operation_class = make_dataclass(own.__name__, [extension], bases=(own,))
    # What the framework itself answers to a body that is none, or too long.
    of_body = (400, 413) if "data" in inspect.signature(route.fn).parameters else ()
    route.responses = {**problem_responses(403, 429, *of_body), **(route.responses or {})}
