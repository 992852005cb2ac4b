"""Monthly partitions of question_attempts: bounds, routing, and their making while the table is in use."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import Connection, errors

from tests.factories import make_attempt, make_question, make_user
from tests.migrations.test_uuidv7 import floor_of
from worker.ids import uuid7

PARTITIONS = """
SELECT relname, pg_get_expr(relpartbound, pg_class.oid)
FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = 'question_attempts'::regclass ORDER BY relname
"""
FAR_MONTH = datetime(2041, 2, 1, tzinfo=UTC)


def month_after(month: date, months: int = 1) -> date:
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def instant(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def partition_of(database: Connection, attempt: UUID) -> str:
    row = database.execute("SELECT tableoid::regclass::text FROM question_attempts WHERE id = %s", [attempt]).fetchone()
    assert row is not None
    return str(row[0])


def ensure(database: Connection, day: date, months: int) -> int:
    row = database.execute("SELECT ensure_question_attempts_partitions(%s, %s)", [day, months]).fetchone()
    assert row is not None
    return int(row[0])


def test_migration_makes_the_previous_month_to_a_year_ahead_and_the_default(database: Connection):
    names = [name for name, _ in database.execute(PARTITIONS)]
    first = date.fromisoformat(f"{names[0].removeprefix('question_attempts_').replace('_', '-')}-01")
    assert month_after(first) <= datetime.now(UTC).date()  # the template may have been made before midnight
    assert names == [f"question_attempts_{month_after(first, n):%Y_%m}" for n in range(14)] + [
        "question_attempts_default"
    ]


def test_bounds_are_the_smallest_uuid7_of_each_month(database: Connection):
    ensure(database, date(2039, 11, 15), 30)
    bounds: dict[str, str] = dict(database.execute(PARTITIONS).fetchall())
    assert bounds.pop("question_attempts_default") == "DEFAULT"
    for name, bound in bounds.items():
        month = date.fromisoformat(f"{name.removeprefix('question_attempts_').replace('_', '-')}-01")
        lower, upper = floor_of(instant(month)), floor_of(instant(month_after(month)))
        assert bound == f"FOR VALUES FROM ('{lower}') TO ('{upper}')"


def test_attempt_of_this_month_lands_in_this_months_partition(database: Connection):
    now = datetime.now(UTC)
    attempt = make_attempt(database, id=uuid7(now))
    assert partition_of(database, attempt) == f"question_attempts_{now:%Y_%m}"


def test_attempts_around_midnight_utc_land_on_their_own_side_of_the_month(database: Connection):
    ensure(database, date(2041, 1, 1), 2)
    before = make_attempt(database, id=uuid7(FAR_MONTH - timedelta(milliseconds=1)))
    after = make_attempt(database, id=uuid7(FAR_MONTH))
    assert partition_of(database, before) == "question_attempts_2041_01"
    assert partition_of(database, after) == "question_attempts_2041_02"


@pytest.mark.parametrize(
    "attempt",
    [uuid4(), uuid7(datetime(2019, 5, 1, tzinfo=UTC)), uuid7(datetime(2090, 5, 1, tzinfo=UTC)), UUID(int=0)],
    ids=["version 4", "too early", "too late", "nil"],
)
def test_attempt_of_no_months_partition_lands_in_the_default(database: Connection, attempt: UUID):
    assert partition_of(database, make_attempt(database, id=attempt)) == "question_attempts_default"


def test_making_a_partition_moves_its_rows_out_of_the_default(database: Connection):
    # By value a version 4 id may fall into a month; the routing knows no versions, so it has to move too.
    version_4 = UUID(int=(floor_of(FAR_MONTH).int + (5 << 80)) ^ (7 ^ 4) << 76)
    assert version_4.version == 4
    learner = make_user(database)
    inside = {
        make_attempt(database, user_id=learner, id=id_)
        for id_ in (floor_of(FAR_MONTH), uuid7(FAR_MONTH + timedelta(days=27)), version_4)
    }
    month_after_it = floor_of(instant(month_after(FAR_MONTH.date())))
    outside = {
        make_attempt(database, user_id=learner, id=id_)
        for id_ in (UUID(int=floor_of(FAR_MONTH).int - 1), month_after_it, uuid4())
    }
    database.execute("UPDATE question_attempts SET updated_at = now()")
    before = database.execute("SELECT * FROM question_attempts ORDER BY id").fetchall()

    assert ensure(database, FAR_MONTH.date(), 1) == 1
    assert {id_ for id_ in inside if partition_of(database, id_) == "question_attempts_2041_02"} == inside
    assert {id_ for id_ in outside if partition_of(database, id_) == "question_attempts_default"} == outside
    assert database.execute("SELECT * FROM question_attempts ORDER BY id").fetchall() == before


def test_new_partition_has_all_that_the_first_ones_have(database: Connection):
    ensure(database, FAR_MONTH.date(), 1)

    def parts(table: str) -> list[tuple[str, str]]:
        query = """
        SELECT 'constraint', pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid = %(table)s::regclass
        UNION ALL
        SELECT 'trigger', tgname FROM pg_trigger WHERE tgrelid = %(table)s::regclass AND NOT tgisinternal
        UNION ALL
        SELECT 'index', replace(pg_get_indexdef(indexrelid), %(table)s::text, '') FROM pg_index
        WHERE indrelid = %(table)s::regclass
        """
        return sorted(database.execute(query, {"table": table}).fetchall())

    assert parts("question_attempts_2041_02") == parts("question_attempts_default")


def test_making_partitions_again_changes_nothing(database: Connection):
    assert ensure(database, date(2041, 2, 28), 3) == 3
    before = database.execute(PARTITIONS).fetchall()
    assert ensure(database, date(2041, 2, 1), 3) == 0
    assert database.execute(PARTITIONS).fetchall() == before
    assert ensure(database, date(2041, 1, 31), 5) == 2


@pytest.mark.parametrize(("day", "months"), [(None, 1), (date(2041, 1, 1), None), (date(2041, 1, 1), 0)])
def test_senseless_arguments_are_refused(database: Connection, day: date | None, months: int | None):
    with pytest.raises(errors.InvalidParameterValue), database.transaction():
        database.execute("SELECT ensure_question_attempts_partitions(%s, %s)", [day, months])


def test_sessions_that_make_the_same_partitions_at_once_make_each_once(database_url: str):
    def make(_: int) -> int:
        with psycopg.connect(database_url) as connection:
            return ensure(connection, FAR_MONTH.date(), 6)

    with ThreadPoolExecutor(4) as sessions:
        assert sum(sessions.map(make, range(4))) == 6


def test_partition_is_made_while_attempts_are_being_written(database_url: str):
    with psycopg.connect(database_url) as writer, psycopg.connect(database_url) as maker:
        learner, question = make_user(writer), make_question(writer)
        writer.commit()
        attempt = make_attempt(writer, user_id=learner, question_id=question, id=uuid7())  # not committed yet
        assert ensure(maker, FAR_MONTH.date(), 1) == 1
        maker.commit()
        writer.commit()
        assert partition_of(maker, attempt).startswith("question_attempts_20")


def test_maker_gives_way_when_the_default_partition_stays_locked(database_url: str):
    with psycopg.connect(database_url) as writer, psycopg.connect(database_url) as maker:
        make_attempt(writer, id=uuid4())  # in the default partition, not committed
        with pytest.raises(errors.LockNotAvailable):
            ensure(maker, FAR_MONTH.date(), 1)
        maker.rollback()
        writer.commit()
        assert ensure(maker, FAR_MONTH.date(), 1) == 1
