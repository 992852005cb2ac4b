"""Small JSON bodies: decoded field by field, so that the sender learns of all that is wrong with them at once."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request
from litestar.openapi.spec import Example, OpenAPIMediaType, RequestBody

from worker.api import problems
from worker.api.problems import FieldError, ProblemError

BODY_MAX_BYTES: Final = 64 * 1_024

_Body = TypeVar("_Body", bound=msgspec.Struct)


async def read_body(request: Request[Any, Any, Any], kind: type[_Body]) -> _Body:
    """Return a request's body as a struct.

    Raises:
        ProblemError: it is too long, not declared as JSON, no JSON, or not what the struct takes; fields are named.
    """
    if request.content_type[0] != "application/json":
        raise ProblemError(problems.UNSUPPORTED_MEDIA_TYPE, "send the body with `Content-Type: application/json`")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise ProblemError(problems.TOO_LARGE, f"the body is longer than {BODY_MAX_BYTES:,} bytes")
    return decode(bytes(body), kind)


def documented(kind: type[msgspec.Struct], examples: Mapping[str, object]) -> RequestBody:
    """Return the documentation of a body that a route reads for itself; examples by their summaries."""
    schema = msgspec.json.schema_components([kind])[1][kind.__name__]
    media_type = OpenAPIMediaType(
        schema=schema,  # a plain schema passes through
        examples={summary: Example(summary=summary, value=value) for summary, value in examples.items()},
    )
    return RequestBody(content={"application/json": media_type}, required=True)


def decode(body: bytes, kind: type[_Body]) -> _Body:
    """Return JSON text as a struct of `kind`.

    Raises:
        ProblemError: as `read_body`.
    """
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(problems.NOT_JSON, f"the body is no JSON text: {error}") from error
    if not isinstance(fields, dict):
        raise ProblemError(problems.INVALID_PARAMETERS, "the body must be a JSON object")
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    errors = [
        FieldError(name[:64], f"is no field of this body: it takes {', '.join(known)}")
        for name in fields
        if name not in known
    ]
    errors += [FieldError(name, "is missing") for name, field in known.items() if field.required and name not in fields]
    for name, value in fields.items():
        if name in known:
            try:
                msgspec.convert(value, known[name].type)
            except msgspec.ValidationError as error:
                errors.append(FieldError(name, _message(str(error))))
    if errors:
        raise invalid(errors)
    return msgspec.convert(fields, kind)


def invalid(errors: list[FieldError]) -> ProblemError:
    """Return the problem of fields that can't be taken."""
    names = ", ".join(error.field for error in errors)
    return ProblemError(problems.INVALID_PARAMETERS, f"not valid: {names}", errors=errors)


def _message(text: str) -> str:
    """Return msgspec's complaint as the end of the sentence "<field> …"."""
    return text[:1].lower() + text[1:].replace(" - at `$", " at `")
