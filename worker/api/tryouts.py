"""A tryout from its creation to its result page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

import msgspec
from litestar import MediaType, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody
from litestar.params import FromPath, QueryParameter

from worker import clock
from worker.api.answers import why_not_storable
from worker.api.documentation import ReadOperation, described, problem_responses
from worker.api.permissions import is_hidden, only_own, principal_of
from worker.api.problems import INVALID_PARAMETERS, NOT_JSON, FieldError, Kind, ProblemError
from worker.settings import get_settings
from worker.tryouts.result_page import render
from worker.tryouts.sitting import Answer, Saved, Sitting, SittingError, Submitted
from worker.tryouts.sittings import Sittings

PATH: Final = "/v1/tryouts"
ANSWERS_MAX: Final = 500
"""Answers in one request: more than any form has questions."""

T = TypeVar("T")

_CONFLICT: Final = 409
_KINDS: Final[Mapping[str, Kind]] = {
    "unknown_tryout": Kind(404, "unknown-tryout", "No such tryout"),
    "foreign_tryout": Kind(403, "foreign-tryout", "The tryout is another learner's"),
    "unknown_set": Kind(404, "unknown-question-set", "No such question set"),
    "unknown_user": Kind(404, "unknown-user", "No such learner"),
    "unpublished_set": Kind(_CONFLICT, "question-set-not-published", "The question set can't be sat now"),
    "empty_set": Kind(_CONFLICT, "empty-tryout", "The question set has no questions"),
    "id_taken": Kind(_CONFLICT, "tryout-id-taken", "The id belongs to another tryout"),
    "not_started": Kind(_CONFLICT, "tryout-not-started", "The tryout has not begun"),
    "closed": Kind(_CONFLICT, "tryout-closed", "The tryout is over"),
}


class NewTryout(msgspec.Struct, forbid_unknown_fields=True):
    """A sitting to be made."""

    id: Annotated[UUID, described("chosen by the app (UUIDv7 recommended), sent again unchanged")]
    user_id: UUID
    question_set_id: UUID


class Learner(msgspec.Struct, forbid_unknown_fields=True):
    """Whose sitting it is: a call for another learner's is refused."""

    user_id: UUID


class GivenAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """An answer to one question."""

    question_id: UUID
    answer: Annotated[msgspec.Raw, described("as the question's type asks for it; null: skipped")]
    answered_at: Annotated[datetime, msgspec.Meta(tz=True, description="by the device's clock")]
    sequence: Annotated[
        int, msgspec.Meta(ge=0, le=2**31 - 1, description="counted up by the app with each change; the highest wins")
    ] = 0
    time_spent_ms: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None


class GivenAnswers(msgspec.Struct, forbid_unknown_fields=True):
    """Answers of one learner, new or changed; what is not named stays as it is."""

    user_id: UUID
    answers: Annotated[list[GivenAnswer], msgspec.Meta(min_length=1, max_length=ANSWERS_MAX)]


def _operation(body: type[msgspec.Struct]) -> type[Operation]:
    """Return the documentation of a route that reads `body` for itself."""

    @dataclass
    class BodyOperation(Operation):
        def __post_init__(self) -> None:
            (schema,), components = msgspec.json.schema_components([body], ref_template="#/$defs/{name}")
            del schema
            shown = _inlined(components[body.__name__], components)
            media_type = OpenAPIMediaType(schema=shown)
            self.request_body = RequestBody(content={"application/json": media_type}, required=True)

    return BodyOperation


def _inlined(schema: Any, components: Mapping[str, Any]) -> Any:
    """Return a schema with the ones it refers to in its place: the document has no component of that name."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(components[schema["$ref"].rpartition("/")[2]], components)
        return {name: _inlined(value, components) for name, value in schema.items()}
    return [_inlined(value, components) for value in schema] if isinstance(schema, list) else schema


async def _body(request: Request[Any, Any, Any], kind: type[T]) -> T:
    """Return a request's body.

    Raises:
        ProblemError: it is no JSON, or not of that kind; the problem names the field.
    """
    body = await request.body()
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        field = path.rstrip("`").lstrip(".")
        raise ProblemError(
            INVALID_PARAMETERS, f"not valid: {field or 'the body'}: {text}", errors=[FieldError(field, text)]
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(NOT_JSON, f"send a JSON object: {error}") from None


async def _find(request: Request[Any, Any, Any], tryout_id: UUID, sittings: Sittings) -> Sitting:
    """Return a sitting that the sender may see.

    Raises:
        ProblemError: there is none, or it is hidden from them.
    """
    try:
        sitting = await sittings.find(tryout_id)
    except SittingError as error:
        raise _problem(error) from None
    if is_hidden(principal_of(request), "tryouts.read", sitting.user_id):
        raise _problem(SittingError("unknown_tryout"))
    return sitting


def _problem(error: SittingError) -> ProblemError:
    return ProblemError(_KINDS[error.reason], str(error))


@post(
    PATH,
    status_code=200,
    permission="tryouts.sit",
    checks_owner=True,
    operation_id="createTryout",
    tags=["tryouts"],
    summary="Make a sitting",
    description="Safe to repeat under the same id. The clock does not run yet.",
    operation_class=_operation(NewTryout),
    responses=problem_responses(400, 401, 404, 409, 422, 503),
)
async def create_tryout(request: Request[Any, Any, Any], sittings: NamedDependency[Sittings]) -> Sitting:
    """Make a sitting of a question set.

    Raises:
        ProblemError: it can't be made.
    """
    new = await _body(request, NewTryout)
    only_own(principal_of(request), "tryouts.sit", new.user_id)
    try:
        return await sittings.create(new.id, new.user_id, new.question_set_id)
    except SittingError as error:
        raise _problem(error) from None


@post(
    PATH + "/{tryout_id:uuid}/start",
    status_code=200,
    permission="tryouts.sit",
    checks_owner=True,
    operation_id="startTryout",
    tags=["tryouts"],
    summary="Begin a sitting",
    description="The server's clock sets the deadline. Safe to repeat: the first call's deadline stays.",
    operation_class=_operation(Learner),
    responses=problem_responses(400, 401, 403, 404, 409, 422, 503),
)
async def start_tryout(
    request: Request[Any, Any, Any], tryout_id: FromPath[UUID], sittings: NamedDependency[Sittings]
) -> Sitting:
    """Begin a sitting.

    Raises:
        ProblemError: it can't be begun.
    """
    learner = await _body(request, Learner)
    only_own(principal_of(request), "tryouts.sit", learner.user_id)
    try:
        return await sittings.start(tryout_id, learner.user_id, clock.now())
    except SittingError as error:
        raise _problem(error) from None


@put(
    PATH + "/{tryout_id:uuid}/answers",
    status_code=200,
    permission="tryouts.sit",
    checks_owner=True,
    operation_id="putTryoutAnswers",
    tags=["tryouts"],
    summary="Save answers",
    description=(
        "New or changed answers, in any order and as often as one likes: of two to the same question the one with the "
        "higher `sequence` stays, then the one answered later. Taken until the deadline and its grace. Answers with "
        "errors don't stop the others."
    ),
    operation_class=_operation(GivenAnswers),
    responses=problem_responses(400, 401, 403, 404, 409, 422, 503),
)
async def put_answers(
    request: Request[Any, Any, Any], tryout_id: FromPath[UUID], sittings: NamedDependency[Sittings]
) -> Saved:
    """Save answers of a sitting.

    Raises:
        ProblemError: none of them can be taken.
    """
    given = await _body(request, GivenAnswers)
    only_own(principal_of(request), "tryouts.sit", given.user_id)
    longest = get_settings().attempts_max_answer_bytes
    faults = [
        FieldError(f"answers[{index}].answer", reason)
        for index, answer in enumerate(given.answers)
        if (reason := why_not_storable(bytes(answer.answer), longest)) is not None
    ]
    if faults:
        raise ProblemError(INVALID_PARAMETERS, f"not valid: {faults[0].field}: {faults[0].message}", errors=faults)
    answers = [
        Answer(
            question_id=answer.question_id,
            answer=msgspec.json.decode(answer.answer),
            answered_at=answer.answered_at,
            sequence=answer.sequence,
            time_spent_ms=answer.time_spent_ms,
        )
        for answer in given.answers
    ]
    try:
        return await sittings.answer(tryout_id, given.user_id, answers, clock.now())
    except SittingError as error:
        raise _problem(error) from None


@post(
    PATH + "/{tryout_id:uuid}/submit",
    status_code=200,
    permission="tryouts.sit",
    checks_owner=True,
    operation_id="submitTryout",
    tags=["tryouts"],
    summary="Submit a sitting",
    description=(
        "Closes it; the event `tryout.scored` follows within seconds. Safe to repeat. After the deadline and its grace "
        "the submission is recorded with `is_late`, and the answers are those of the deadline."
    ),
    operation_class=_operation(Learner),
    responses=problem_responses(400, 401, 403, 404, 409, 422, 503),
)
async def submit_tryout(
    request: Request[Any, Any, Any], tryout_id: FromPath[UUID], sittings: NamedDependency[Sittings]
) -> Submitted:
    """Submit a sitting.

    Raises:
        ProblemError: it can't be submitted.
    """
    learner = await _body(request, Learner)
    only_own(principal_of(request), "tryouts.sit", learner.user_id)
    try:
        return await sittings.submit(tryout_id, learner.user_id, clock.now())
    except SittingError as error:
        raise _problem(error) from None


@get(
    PATH + "/{tryout_id:uuid}",
    permission="tryouts.read",
    checks_owner=True,
    operation_id="getTryout",
    tags=["tryouts"],
    summary="A sitting and its result",
    description="Scores are exact decimals, as strings. The percentile is that of this moment's cohort.",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 503),
)
async def get_tryout(
    request: Request[Any, Any, Any], tryout_id: FromPath[UUID], sittings: NamedDependency[Sittings]
) -> Sitting:
    """Return a sitting.

    Raises:
        ProblemError: there is none, or it is another learner's.
    """
    return await _find(request, tryout_id, sittings)


@get(
    PATH + "/{tryout_id:uuid}/result.html",
    permission="tryouts.read",
    checks_owner=True,
    operation_id="getTryoutResultPage",
    tags=["tryouts"],
    summary="A result as a page for the learner",
    description="In the learner's language unless `lang` says otherwise; complete in itself, nothing is loaded.",
    operation_class=ReadOperation,
    media_type=MediaType.HTML,
    responses=problem_responses(401, 404, 422, 503),
)
async def tryout_result_page(
    request: Request[Any, Any, Any],
    tryout_id: FromPath[UUID],
    sittings: NamedDependency[Sittings],
    lang: Annotated[Literal["id", "en"] | None, QueryParameter(description="`id` or `en`")] = None,
) -> Response[str]:
    """Return a result as HTML.

    Raises:
        ProblemError: there is no such sitting.
    """
    sitting = await _find(request, tryout_id, sittings)
    language = lang or ("en" if sitting.ui_language == "en" else "id")
    headers = {
        "content-language": language,
        "cache-control": "private, no-cache",
        # The page has no script and loads nothing: say so, whatever a title may hold.
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    return Response(render(sitting, language), media_type=MediaType.HTML, headers=headers)


HANDLERS: Final = (
    create_tryout,
    start_tryout,
    put_answers,
    submit_tryout,
    get_tryout,
    tryout_result_page,
)
