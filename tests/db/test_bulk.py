from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.db.bulk import BulkWriteError, RepeatedKeyError, Upserted, column_types, copy_rows, upsert_rows

COLUMNS = ["id", "topic", "body"]


@pytest.fixture
def notes(database) -> psycopg.Connection:
    database.execute(
        'CREATE TABLE notes (id int PRIMARY KEY, topic text NOT NULL DEFAULT \'\', body jsonb, "odd ""name" uuid[])'
    )
    return database


def stored(connection) -> list[tuple]:
    return connection.execute("SELECT id, topic, body FROM notes ORDER BY id").fetchall()


@pytest.mark.parametrize("types", [None, ["int4", "text", "uuid[]"]])
def test_rows_arrive_in_text_and_in_binary_form(notes, types):
    owner = uuid4()
    assert (
        copy_rows(notes, "notes", ["id", "topic", 'odd "name'], iter([(1, "a\tb\\", [owner]), (2, "", None)]), types)
        == 2
    )
    assert notes.execute('SELECT id, topic, "odd ""name" FROM notes ORDER BY id').fetchall() == [
        (1, "a\tb\\", [owner]),
        (2, "", None),
    ]


def test_plain_dicts_are_json_when_types_are_given(notes):
    copy_rows(notes, "notes", COLUMNS, [(1, "x", {"a": [1, None]})], ["int4", "text", "jsonb"])
    assert stored(notes) == [(1, "x", {"a": [1, None]})]


def test_types_can_be_looked_up(notes):
    assert column_types(notes, "notes", ["body", "id"]) == [
        psycopg.postgres.types["jsonb"].oid,
        psycopg.postgres.types["int4"].oid,
    ]
    copy_rows(notes, "notes", COLUMNS, [(1, "x", [])], column_types(notes, "notes", COLUMNS))
    assert stored(notes) == [(1, "x", [])]


def test_columns_left_out_take_their_defaults(notes):
    copy_rows(notes, "notes", ["id"], [(1,)])
    assert stored(notes) == [(1, "", None)]


def test_a_row_that_breaks_a_constraint_undoes_the_copy(notes):
    with pytest.raises(psycopg.errors.UniqueViolation), notes.transaction():
        copy_rows(notes, "notes", ["id"], [(1,), (2,), (1,)])
    assert stored(notes) == []


def test_a_table_of_another_schema_is_named_with_it(notes):
    notes.execute('CREATE SCHEMA "o.dd"; CREATE SCHEMA other; CREATE TABLE other.things (id int)')
    assert copy_rows(notes, "other.things", ["id"], [(1,)]) == 1


@pytest.mark.parametrize("table", ["notes; DROP TABLE notes", 'notes" (id) FROM STDIN; --', "nowhere", ""])
def test_a_hostile_or_unknown_table_is_only_a_name(notes, table):
    with pytest.raises(psycopg.errors.Error), notes.transaction():
        copy_rows(notes, table, ["id"], [(1,)])
    with pytest.raises(BulkWriteError, match="there is no table"):
        upsert_rows(notes, table, ["id"], [(1,)], key=["id"])
    assert stored(notes) == []


@pytest.mark.parametrize(("columns", "types"), [([], None), (["id"], ["int4", "text"]), (["id", "topic"], ["int4"])])
def test_columns_and_types_must_match(notes, columns, types):
    with pytest.raises(BulkWriteError, match="as many types as columns"):
        copy_rows(notes, "notes", columns, [], types)


def test_an_upsert_inserts_updates_and_leaves_alone(notes):
    types = column_types(notes, "notes", COLUMNS)
    first = upsert_rows(notes, "notes", COLUMNS, [(1, "a", {}), (2, "b", None)], key=["id"], types=types)
    second = upsert_rows(
        notes, "notes", COLUMNS, [(1, "a", {}), (2, "b", {"new": 1}), (3, "c", None)], key=["id"], types=types
    )
    assert first == Upserted(inserted=2, updated=0, unchanged=0)
    assert second == Upserted(inserted=1, updated=1, unchanged=1)
    assert stored(notes) == [(1, "a", {}), (2, "b", {"new": 1}), (3, "c", None)]


def test_an_equal_row_is_not_written_again(notes):
    upsert_rows(notes, "notes", COLUMNS[:2], [(1, "a"), (2, "b")], key=["id"])
    before = notes.execute("SELECT id, ctid, xmin, xmax FROM notes ORDER BY id").fetchall()
    with notes.transaction():
        upsert_rows(notes, "notes", COLUMNS[:2], [(1, "a"), (2, "b")], key=["id"])
    assert notes.execute("SELECT id, ctid, xmin, xmax FROM notes ORDER BY id").fetchall() == before


def test_columns_that_are_not_given_keep_their_values(notes):
    copy_rows(notes, "notes", COLUMNS, [(1, "a", {"kept": True})], ["int4", "text", "jsonb"])
    upsert_rows(notes, "notes", ["topic", "id"], [("b", 1)], key=["id"])
    assert stored(notes) == [(1, "b", {"kept": True})]


def test_rows_of_keys_alone_are_only_inserted(notes):
    assert upsert_rows(notes, "notes", ["id"], [(1,)], key=["id"]) == Upserted(1, 0, 0)
    assert upsert_rows(notes, "notes", ["id"], [(1,), (2,)], key=["id"]) == Upserted(1, 0, 1)


def test_no_rows_are_no_work(notes):
    assert upsert_rows(notes, "notes", COLUMNS, [], key=["id"]) == Upserted(0, 0, 0)


def test_a_repeated_key_is_refused_by_its_value(notes):
    with pytest.raises(RepeatedKeyError, match=r"more than one row for notes has id = 7: give each key once") as caught:
        upsert_rows(notes, "notes", COLUMNS[:2], [(7, "a"), (8, "b"), (7, "c")], key=["id"])
    assert caught.value.key == (7,)
    assert stored(notes) == []


def test_a_partitioned_table_with_json_text_and_a_key_of_two_columns_works(notes):
    notes.execute(
        "CREATE TABLE events (id int, day int, sent json, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);"
        "CREATE TABLE events_default PARTITION OF events DEFAULT"
    )
    columns = ["id", "day", "sent"]
    types = column_types(notes, "events", columns)
    upsert_rows(notes, "events", columns, [(1, 1, {"a": 1}), (1, 2, {})], key=["id", "day"], types=types)
    again = upsert_rows(
        notes, "events", columns, [(1, 1, {"a": 1}), (1, 2, None), (2, 1, 5)], key=["id", "day"], types=types
    )
    assert again == Upserted(inserted=1, updated=1, unchanged=1)


def test_updated_at_moves_only_where_a_row_differs(database):
    row = (UUID(int=1), "Present perfect", "present-perfect", "B1", "grammar")
    other = (UUID(int=2), "Past simple", "past-simple", "A2", "grammar")
    columns = ["id", "title", "slug", "level", "skill"]
    upsert_rows(database, "lessons", columns, [row, other], key=["id"])
    database.execute("ALTER TABLE lessons DISABLE TRIGGER USER")
    database.execute("UPDATE lessons SET updated_at = '2020-01-01Z'")
    database.execute("ALTER TABLE lessons ENABLE TRIGGER USER")
    result = upsert_rows(database, "lessons", columns, [row, (*other[:1], "Past tense", *other[2:])], key=["id"])
    touched = database.execute("SELECT title FROM lessons WHERE updated_at > '2021-01-01Z'").fetchall()
    assert (result, touched) == (Upserted(0, 1, 1), [("Past tense",)])


@pytest.mark.parametrize("key", [[], ["body"], ["nothing"]])
def test_the_key_must_be_among_the_columns(notes, key):
    with pytest.raises(BulkWriteError, match="the key must be one or more of the columns id, topic"):
        upsert_rows(notes, "notes", COLUMNS[:2], [(1, "a")], key=key)


def test_an_unknown_column_is_named(notes):
    with pytest.raises(BulkWriteError, match="notes has no column colour, size"):
        upsert_rows(notes, "notes", ["id", "colour", "size"], [(1, 2, 3)], key=["id"])


def test_upserts_follow_one_another_in_one_transaction_and_leave_no_table_behind(notes):
    for number in range(3):
        upsert_rows(notes, "notes", ["id"], [(number,)], key=["id"])
    assert notes.execute("SELECT to_regclass('pg_temp.elp_staged')").fetchone() == (None,)


def test_an_upsert_on_a_connection_in_autocommit_is_a_transaction(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE notes (id int PRIMARY KEY, topic text NOT NULL)")
        assert upsert_rows(connection, "notes", ["id", "topic"], [(1, "a")], key=["id"]) == Upserted(1, 0, 0)
        with pytest.raises(psycopg.errors.NotNullViolation):
            upsert_rows(connection, "notes", ["id", "topic"], [(1, "b"), (2, None)], key=["id"])
        assert connection.execute("SELECT * FROM notes").fetchall() == [(1, "a")]


def test_upserts_of_the_same_rows_at_the_same_time_wait_for_one_another(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE notes (id int PRIMARY KEY, topic text NOT NULL)")

    def write(writer):
        keys = list(range(300)) if writer % 2 else list(reversed(range(300)))
        with psycopg.connect(database_url, autocommit=True) as own:
            return [
                upsert_rows(own, "notes", ["id", "topic"], [(key, f"{writer}-{turn}") for key in keys], key=["id"])
                for turn in range(8)
            ]

    with ThreadPoolExecutor(4) as pool:
        counts = [one for turns in pool.map(write, range(4)) for one in turns]
    assert all(one.inserted + one.updated + one.unchanged == 300 for one in counts)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT topic) FROM notes").fetchone() == (300, 1)


rows_by_key = st.dictionaries(
    st.integers(-5, 5),
    st.tuples(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=3), st.booleans()),
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=rows_by_key, given_rows=rows_by_key)
def test_an_upsert_equals_a_dictionary_update(notes, before, given_rows):
    notes.execute("DELETE FROM notes")
    types = column_types(notes, "notes", COLUMNS)
    copy_rows(notes, "notes", COLUMNS, [(key, *row) for key, row in before.items()], types)
    counts = upsert_rows(
        notes, "notes", COLUMNS, [(key, *row) for key, row in given_rows.items()], key=["id"], types=types
    )
    assert {key: rest for key, *rest in stored(notes)} == {key: list(row) for key, row in (before | given_rows).items()}
    assert counts == Upserted(
        inserted=len(given_rows.keys() - before.keys()),
        updated=sum(key in before and before[key] != row for key, row in given_rows.items()),
        unchanged=sum(key in before and before[key] == row for key, row in given_rows.items()),
    )
