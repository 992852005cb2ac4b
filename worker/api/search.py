"""Search in lessons and questions."""

from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from worker.api import problems
from worker.api.documentation import ReadOperation, problem_responses
from worker.api.permissions import principal_of
from worker.api.problems import FieldError, ProblemError
from worker.db.cursors import CursorError
from worker.db.search_terms import MAX_TERM_CHARACTERS, SearchError
from worker.models.base import Level, Skill, Status
from worker.models.content import QuestionType
from worker.search.finder import Finder
from worker.search.values import MAX_LIMIT, Asked, Audience, Found, Kind, SearchTimeoutError

MAX_TOPICS = 20
_MAX_TOPIC = 500


@get(
    "/v1/search",
    permission="content.read",
    operation_id="search",
    tags=["search"],
    summary="Lessons or questions that a term finds",
    description=(
        'In English and Indonesian at once: words in any order and form, `"exact phrase"`, `or`, `-without`; accents '
        "and case aside. What is misspelt is corrected when nothing has all the words; at last any of the words will "
        "do: `matching` tells which. Learners find what is published, and never by what gives an answer away. Filters "
        "may be given several times. A term without a word to look for finds nothing."
    ),
    operation_class=ReadOperation,
    responses=problem_responses(401, 403, 422, 503),
)
async def search(
    request: Request[Any, Any, Any],
    finder: NamedDependency[Finder],
    q: Annotated[str, QueryParameter(description=f"The term, at most {MAX_TERM_CHARACTERS:,} characters")],
    kind: Annotated[Kind, QueryParameter(description="What to look for")] = "question",
    audience: Annotated[
        Audience, QueryParameter(description="editor: also drafts and archived content, and by explanations")
    ] = "learner",
    level: Annotated[list[Level] | None, QueryParameter(description="Only of these levels")] = None,
    skill: Annotated[list[Skill] | None, QueryParameter(description="Only of these skills")] = None,
    type: Annotated[list[QuestionType] | None, QueryParameter(description="Only questions of these types")] = None,  # noqa: A002  the parameter's name
    topic: Annotated[list[str] | None, QueryParameter(description="Only of these topics", max_items=MAX_TOPICS)] = None,
    status: Annotated[list[Status] | None, QueryParameter(description="Only of these; for editors")] = None,
    limit: Annotated[int, QueryParameter(description="Hits on a page", ge=1, le=MAX_LIMIT)] = 20,
    after: Annotated[str | None, QueryParameter(description="`next` of the page before")] = None,
    *,
    as_you_type: Annotated[
        bool, QueryParameter(description="The last word may be unfinished: also find what it may become")
    ] = False,
) -> Found:
    """Return a page of what a term finds.

    Raises:
        ProblemError: the term is too long or finds too much, a topic cannot be one, or the cursor is of another search.
    """
    if audience == "editor" and principal_of(request).reach("content.write") is None:
        raise ProblemError(problems.FORBIDDEN, "drafts and explanations need the permission content.write")
    if audience == "learner" and status is not None and status != ["published"]:
        raise _invalid("status", "learners find what is published: leave it out, or ask as an editor")
    if kind == "lesson" and type:
        raise _invalid("type", "lessons have none: leave it out, or look for questions")
    for each in topic or ():
        if len(each) > _MAX_TOPIC or "\0" in each or not each.isprintable():
            raise _invalid("topic", f"must be of printable characters, at most {_MAX_TOPIC}")
    asked = Asked(
        text=q,
        kind=kind,
        audience=audience,
        as_you_type=as_you_type,
        levels=_several(level),
        skills=_several(skill),
        types=_several(type),
        topics=_several(topic),
        statuses=_several(status),
        limit=limit,
        after=after,
    )
    try:
        return await finder.find(asked)
    except SearchError as error:
        raise _invalid("q", str(error).partition(": ")[2]) from error
    except CursorError as error:
        raise _invalid("after", str(error)) from error
    except SearchTimeoutError as error:
        raise _invalid("q", str(error)) from error


def _several(values: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(values) if values else None


def _invalid(field: str, message: str) -> ProblemError:
    return ProblemError(problems.INVALID_PARAMETERS, f"not valid: {field}", errors=[FieldError(field, message)])
