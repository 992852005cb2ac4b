"""The examples of the documents run as they stand there."""

import ast
import inspect
import re
from types import CodeType

import psycopg
import pytest
from sqlalchemy import NullPool, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from tests.factories import make_lesson, make_question, make_user
from tests.support.processes import ROOT
from worker.db import DatabaseUtils, async_engine, column_types, transaction
from worker.db.engines import driver_url
from worker.models import Lesson, Question
from worker.search.refresh import refresh_batch


def examples() -> list[tuple[str, str]]:
    """Return the Python examples of docs/database.md, and of the README's section on data if it has one."""
    pages = {"docs/database.md": (ROOT / "docs/database.md").read_text(encoding="utf-8")}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages["README.md"] = "\n".join(re.findall(r"^## [^\n]*[Dd]ata\b.*?(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL))
    return [
        (f"{page} {number}", code)
        for page, text in pages.items()
        for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL), start=1)
    ]


EXAMPLES = examples()


def compiled(name: str, code: str) -> CodeType:
    return compile(code, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_there_are_examples() -> None:
    assert len([name for name, _ in EXAMPLES if name.startswith("docs/database.md")]) >= 5


@pytest.mark.parametrize(("name", "code"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
async def test_an_example_of_the_documents_runs(database_url, tmp_path, monkeypatch, name, code) -> None:
    monkeypatch.chdir(tmp_path)
    with psycopg.connect(database_url) as connection:
        user_id = make_user(connection)
        question = make_question(connection, stem_id="Apa arti membaca?")
        make_lesson(connection, question_ids=[question])
        refresh_batch(connection)
    engine = create_async_engine(driver_url(database_url, "psycopg"), poolclass=NullPool)
    async with AsyncSession(engine) as session:
        names = {
            "DatabaseUtils": DatabaseUtils,
            "Lesson": Lesson,
            "Question": Question,
            "async_engine": async_engine,
            "column_types": column_types,
            "select": select,
            "session": session,
            "transaction": transaction,
            "user_id": user_id,
        }
        result = eval(compiled(name, code), names)
        if inspect.isawaitable(result):
            await result
    await engine.dispose()
    async_engine.cache_clear()
