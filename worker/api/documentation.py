"""The OpenAPI document, and the page that shows it without internet."""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import MediaType, Request, Response, Router, get
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, Example, OpenAPIResponse, Operation, SecurityScheme, Tag
from litestar.params import FromPath

from worker.api.auth import OPEN
from worker.api.headers import page_policy
from worker.api.problems import MEDIA_TYPE, ProblemDetails, UnknownRouteError

PATH: Final = "/docs"
DOCUMENT: Final = f"{PATH}/openapi.json"

EXAMPLE_ATTEMPT: Final = {
    "id": "019aaf0c-1b2c-7d3e-8f4a-5b6c7d8e9f0a",
    "user_id": "3f1c9f0e-6a0b-4d57-9a39-0c7f4f2b8d11",
    "question_id": "7b0e6f52-2c1d-4f6b-8f0e-1d2c3b4a5968",
    "answer": {"choice": "b"},
    "time_spent_ms": 8_120,
    "attempted_at": "2026-11-23T08:15:30+07:00",
}

_DESCRIPTION: Final = """\
Accepts question attempts and tells what became of them. `202` means committed: what it names survives a crash of any \
process, and sending it again is harmless. Errors are problem details (RFC 9457); each answer carries `X-Request-ID`.
"""

_PROBLEMS: Final = {
    400: "The body is not JSON",
    401: "The bearer token is missing or wrong; see the header WWW-Authenticate",
    403: "You don't have the permission, or not for this account",
    404: "There is no such thing",
    409: "It is not in a state in which this can be done; the detail names both",
    413: "The body is too long, or holds too many items",
    415: "The body is declared as something else than uncompressed JSON",
    422: "Nothing of the request is acceptable; `errors` names each field with its remedy",
    429: "Too many requests; come back after the seconds in the header Retry-After",
    503: "The database can't do this now; come back after the seconds in the header Retry-After",
}


def described(text: str) -> msgspec.Meta:
    """Return a field's description for the document."""
    return msgspec.Meta(description=text)


def response(
    kind: type[msgspec.Struct], text: str, *, media_type: str = MediaType.JSON, example: object = None
) -> ResponseSpec:
    """Return the documentation of an answer."""
    examples = None if example is None else [Example(value=example)]
    return ResponseSpec(kind, description=text, media_type=media_type, generate_examples=False, examples=examples)


def problem_responses(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the documentation of a route's errors."""
    return {status: response(ProblemDetails, _PROBLEMS[status], media_type=MEDIA_TYPE) for status in statuses}


@dataclass
class ReadOperation(Operation):
    """A route without the 400 that Litestar documents for parameters: here these are 422, as a problem."""

    def __post_init__(self) -> None:
        documented = (self.responses or {}).get("400")
        if isinstance(documented, OpenAPIResponse) and MEDIA_TYPE not in (documented.content or {}):
            assert self.responses is not None
            del self.responses["400"]


def openapi_config() -> OpenAPIConfig:
    """Return what the document says beside the routes; it is at `/docs/openapi.json`."""
    return OpenAPIConfig(
        title="English Learning Platform",
        version=version("elp-worker"),
        description=_DESCRIPTION,
        security=[{"bearer": []}],
        components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
        tags=[
            Tag("attempts", "Answers to questions, sent by the app"),
            Tag("spaced repetition", "What a learner is to review"),
            Tag("search", "Lessons and questions that a term finds"),
            Tag("tryouts", "Timed tests, from their start to the result"),
            Tag("achievements", "What a learner was awarded"),
            Tag("events", "Work that the app asks for, and what happened that it should hear of"),
            Tag("operations", "For operators and their monitoring"),
            Tag("sessions", "Logging in and out"),
            Tag("health", "For supervisors and load balancers; needs no token"),
        ],
        render_plugins=[SwaggerPage(), JsonRenderPlugin()],
        openapi_router=Router(PATH, route_handlers=[], include_in_schema=False, opt={OPEN: True}),
    )


class SwaggerPage(OpenAPIRenderPlugin):
    """Swagger UI with its files from the installed package `flask-swagger-ui`, not from a content network."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the page; it loads the document beside it."""
        del openapi_schema
        document = self.get_openapi_json_route(request)
        if assets_folder() is None:
            return _PAGE_WITHOUT_ASSETS.replace("{document}", document).encode()
        return shown_page(document).encode()

    def receive_router(self, router: Router) -> None:
        """Add the route of the page's files."""
        router.register(asset)


def shown_page(document: str) -> str:
    """Return the page that shows the document at an address."""
    return _PAGE.replace("{document}", document).replace("{assets}", f"{PATH}/assets")


def docs_policy() -> str:
    """Return the content security policy of the page."""
    return page_policy(shown_page(DOCUMENT))


@cache
def assets_folder() -> Path | None:
    """Return where Swagger UI's files are; None: the extra `docs` is not installed."""
    package = find_spec("flask_swagger_ui")  # found, not imported: only its files are of use
    if package is None or package.origin is None:
        return None
    return Path(package.origin).parent / "dist"


@get("/assets/{name:str}", include_in_schema=False, sync_to_thread=True)
def asset(name: FromPath[str]) -> Response[bytes]:
    """Serve one of the page's files.

    Raises:
        UnknownRouteError: it has no such file.
    """
    folder = assets_folder()
    if folder is None or name not in _ASSETS:
        raise UnknownRouteError
    return Response(
        (folder / name).read_bytes(), media_type=_ASSETS[name], headers={"cache-control": "public, max-age=86400"}
    )


_ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>English Learning Platform: API</title>
<link rel="icon" type="image/png" href="{assets}/favicon-32x32.png">
<link rel="stylesheet" href="{assets}/swagger-ui.css">
<style>body { margin: 0 }</style>
</head>
<body>
<div id="page"></div>
<script src="{assets}/swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({ url: "{document}", dom_id: "#page", deepLinking: true, validatorUrl: null });
</script>
</body>
</html>
"""

_PAGE_WITHOUT_ASSETS: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>English Learning Platform: API</title></head>
<body>
<p>The page needs Swagger UI's files: <code>pip install 'elp-worker[docs]'</code>. The document itself:
<a href="{document}">{document}</a></p>
</body>
</html>
"""
