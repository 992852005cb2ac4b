"""Steps that the tests of the attempt pipeline share."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from tests.factories import make_inbox_attempt, make_question, make_user
from tests.samples import ANSWERS
from worker.attempts.drain import drain_lane
from worker.attempts.question_cache import QuestionCache
from worker.ids import LANES, lane_of, uuid7

MORNING = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
"""Nine o'clock in Jakarta."""


def user_in_lane(lane: int, number: int = 1) -> UUID:
    return UUID(int=number << 64 | lane, version=4)


def send(connection, user_id, question_id, answer, at=MORNING, **values) -> UUID:
    """Put an attempt into the inbox, received as soon as it was made unless the test says otherwise."""
    attempt = {"id": uuid7(at), "user_id": user_id, "question_id": question_id, "answer": answer, "attempted_at": at}
    return make_inbox_attempt(connection, **attempt | {"received_at": at, "time_spent_ms": 10_000} | values)


def learner_with_attempts(connection, count, lane=0, **values):
    user, question = make_user(connection, id=user_in_lane(lane)), make_question(connection)
    return user, [
        send(connection, user, question, ANSWERS["multiple_choice"], MORNING + timedelta(seconds=number), **values)
        for number in range(count)
    ]


def inside(connection):
    """Return what `drain_lane` takes as its transactions, all of them savepoints of the test's own transaction."""

    @contextmanager
    def transaction():
        with connection.transaction():
            yield connection

    return transaction


def on(url):
    """Return what `drain_lane` takes as its transactions, each on a connection of its own."""

    @contextmanager
    def transaction():
        with psycopg.connect(url) as connection:
            yield connection

    return transaction


def drain(transaction, *user_ids, **options):
    """Drain the lanes of these learners (all lanes, if none is named) and return the reports added up."""
    lanes = {lane_of(user_id) for user_id in user_ids} or range(LANES)
    reports = [
        drain_lane(lane, transaction=transaction, questions=options.pop("questions", QuestionCache()), **options)
        for lane in sorted(lanes)
    ]
    total = reports[0]
    for report in reports[1:]:
        for name in ("batches", "taken", "graded", "duplicates", "retries"):
            setattr(total, name, getattr(total, name) + getattr(report, name))
        total.rejected += report.rejected
        total.is_empty &= report.is_empty
    return total


def rows(connection, table, **where):
    """Return the rows of a table as dicts, oldest id first."""
    conditions = " AND ".join(f"{column} = %({column})s" for column in where) or "true"
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(f"SELECT * FROM {table} WHERE {conditions} ORDER BY 1", where).fetchall()


def row(connection, table, **where):
    """Return the only row of a table that fits."""
    (only,) = rows(connection, table, **where)
    return only


def waiting(connection) -> int:
    return connection.execute("SELECT count(*) FROM attempt_inbox").fetchone()[0]
