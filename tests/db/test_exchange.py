import csv
import io
import json
import tracemalloc
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb
from sqlalchemy import select

from tests.factories import make_lesson, make_user
from worker.db import DatabaseUtils
from worker.db.exports import export_rows
from worker.db.import_lines import ImportRefusedError, LineError
from worker.db.imports import CHUNK_LINES, Imported, import_rows
from worker.models import Lesson

FORMATS = ["csv", "jsonl"]


@pytest.fixture
def tools(database) -> psycopg.Connection:
    database.execute(
        "CREATE TABLE tools (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2), tags text[],"
        " details jsonb NOT NULL DEFAULT '{}', raw json, uses int NOT NULL DEFAULT 7,"
        " shout text GENERATED ALWAYS AS (upper(name)) STORED,"
        " CONSTRAINT ck_tools_price CHECK (price > 0), CONSTRAINT uq_tools_name UNIQUE (name))"
    )
    return database


def export(connection, query, file_format, parameters=None) -> bytes:
    return b"".join(export_rows(connection, query, parameters, file_format=file_format))


def load(connection, text, file_format="jsonl", table="tools", **arguments) -> Imported:
    content = text if isinstance(text, bytes) else text.encode()
    return import_rows(connection, table, io.BytesIO(content), file_format=file_format, **arguments)


def names(connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM tools ORDER BY id")]


def test_csv_has_a_header_and_is_what_csv_readers_read(tools):
    load(
        tools,
        '{"id":1,"name":"say \\"hi\\",\\nthere","price":2.5,"tags":["a b","c"],"details":{"k":[1]}}\n'
        '{"id":2,"name":""}',
    )
    rows = list(
        csv.reader(io.StringIO(export(tools, "SELECT id, name, price, tags, details FROM tools", "csv").decode()))
    )
    assert rows == [
        ["id", "name", "price", "tags", "details"],
        ["1", 'say "hi",\nthere', "2.50", '{"a b",c}', '{"k": [1]}'],
        ["2", "", "", "", "{}"],
    ]


def test_json_lines_are_an_object_a_line(tools):
    load(tools, '{"id":1,"name":"a\\\\b\\tc","raw":{"pretty":\n true}}'.replace("\n", " "))
    tools.execute("UPDATE tools SET raw = '{\"x\":\n [1,\r\n2]}'")
    lines = export(tools, "SELECT id, name, raw, price FROM tools", "jsonl").decode().splitlines()
    assert [json.loads(line) for line in lines] == [{"id": 1, "name": "a\\b\tc", "raw": {"x": [1, 2]}, "price": None}]


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_select_is_exported_with_its_parameters(database, file_format):
    for level, topic in [("A1", "100% sure"), ("B1", "x"), ("A2", "y")]:
        make_lesson(database, level=level, topic=topic)
    query = select(Lesson.level, Lesson.topic).where(Lesson.level.in_(["A1", "A2"])).order_by(Lesson.level)
    assert len(export(database, query, file_format).splitlines()) == 2 + (file_format == "csv")
    assert b"100% sure" in export(database, query.where(Lesson.topic.like("100%")), file_format)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_select_without_parameters_keeps_its_percent_signs(database, file_format):
    make_lesson(database, position=7)
    assert b"3" in export(database, select((Lesson.position % 4).label("rest")), file_format).splitlines()[-1]


def test_sql_is_exported_with_named_parameters(tools):
    load(tools, '{"id":1,"name":"a"}\n{"id":2,"name":"b\'; --"}')
    query = "SELECT id FROM tools WHERE name = %(name)s"
    assert export(tools, query, "csv", {"name": "b'; --"}) == b"id\n2\n"


@pytest.mark.parametrize("file_format", FORMATS)
def test_no_rows_are_no_lines_but_the_header(tools, file_format):
    assert export(tools, "SELECT id, name FROM tools", file_format) == (b"id,name\n" if file_format == "csv" else b"")


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_export_holds_one_block_in_memory(database, file_format):
    rows = export_rows(
        database, "SELECT n, repeat('x', 1000) FROM generate_series(1, 30000) n", file_format=file_format
    )
    next(rows)
    tracemalloc.start()
    size = largest = 0
    for block in rows:
        size += len(block)
        largest = max(largest, len(block))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 29_000_000
    assert (largest < 200_000, peak < 2_000_000) == (True, True)


def test_a_query_that_fails_says_so(database):
    with pytest.raises(psycopg.errors.UndefinedTable), database.transaction():
        export(database, "SELECT * FROM nowhere", "csv")
    with pytest.raises(psycopg.errors.DivisionByZero), database.transaction():
        export(database, "SELECT 1 / (n - 50) FROM generate_series(1, 100) n", "jsonl")


storable = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)
tool_rows = st.lists(
    st.tuples(
        storable,
        st.none() | st.decimals(Decimal("0.01"), Decimal(999_999), places=2),
        st.none() | st.lists(storable, max_size=3),
        st.dictionaries(storable, st.none() | st.booleans() | st.integers(-9, 9) | st.lists(storable, max_size=2)),
    ),
    max_size=8,
    unique_by=lambda row: row[0],
)


@pytest.mark.parametrize("file_format", FORMATS)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=tool_rows)
def test_what_is_exported_can_be_imported_again(tools, file_format, rows):
    everything = "SELECT id, name, price, tags, details, uses FROM tools ORDER BY id"
    tools.execute("DELETE FROM tools")
    tools.cursor().executemany(
        "INSERT INTO tools (id, name, price, tags, details) VALUES (%s, %s, %s, %s, %s)",
        [(number, name, price, tags, Jsonb(details)) for number, (name, price, tags, details) in enumerate(rows)],
    )
    before = tools.execute(everything).fetchall()
    exported = export(tools, everything, file_format)
    tools.execute("DELETE FROM tools")
    assert load(tools, exported, file_format) == Imported(len(rows), 0, 0, ())
    assert tools.execute(everything).fetchall() == before


def test_columns_that_are_not_named_take_their_defaults(tools):
    load(tools, '{"id":1,"name":"a","uses":1}\n\n{"name":"b","id":2}\n')
    load(tools, "\ufeffid,name,uses\n3,c,\n", "csv")
    assert tools.execute("SELECT id, uses, details, price FROM tools ORDER BY id").fetchall() == [
        (1, 1, {}, None),
        (2, 7, {}, None),
        (3, 7, {}, None),
    ]


def test_numbers_keep_all_their_digits(tools):
    tools.execute("ALTER TABLE tools ALTER price TYPE numeric")
    load(tools, '{"id":1,"name":"a","price":0.12345678901234567890123,"raw":{"n":1.0}}')
    assert tools.execute("SELECT price, raw::text FROM tools").fetchall() == [
        (Decimal("0.12345678901234567890123"), '{"n":1.0}')
    ]


def test_bad_json_lines_are_reported_by_line_and_field_and_the_good_ones_loaded(tools):
    lines = [
        '{"id":1,"name":"fine"}',
        "nonsense",
        "[1]",
        '{"id":"x","name":"a"}',
        '{"id":2,"name":"b","colour":"red"}',
        '{"id":3,"name":null}',
        '{"id":4,"name":"d","price":-1}',
        '{"id":5,"name":"fine"}',
        '{"id":6,"name":"nul\\u0000"}',
        '{"id":7,"name":"f","price":12345678.9}',
        '{"id":8,"name":"g","tags":"not an array"}',
        '{"id":9,"name":"h","tags":["x"]}',
        '{"id":10,"name":"i","shout":"I"}',
        "",
        '{"id":11,"name":"\\ud800"}',
        "[" * 100_000,
    ]
    result = load(tools, "\n".join(lines))
    assert names(tools) == ["fine", "h"]
    assert (result.inserted, result.updated, result.unchanged) == (2, 0, 0)
    assert [(error.line, error.field) for error in result.errors] == [
        (2, None),
        (3, None),
        (4, "id"),
        (5, "colour"),
        (6, "name"),
        (7, "price"),
        (8, "name"),
        (9, "name"),
        (10, "price"),
        (11, "tags"),
        (13, "shout"),
        (15, None),
        (16, None),
    ]
    messages = {error.line: error.message for error in result.errors}
    assert messages[4] == 'invalid input syntax for type integer: "x"'
    assert messages[5] == "there is no such column"
    assert messages[8] == "Key (name)=(fine) already exists."
    assert 'violates check constraint "ck_tools_price"' in messages[7]


def test_bad_csv_lines_are_reported_by_line_and_field_and_the_good_ones_loaded(tools):
    text = (
        b"id,name,details\n"
        b"1,fine,{}\n"
        b'2,"two\nlines",{}\n'
        b"3,short\n"
        b"4,long,{},more\n"
        b"5,broken,{oops\n"
        b"\n"
        b"6,\xff\xfe,{}\n"
        b"seven,x,{}\n"
        b",no id,{}\n"
        b'8,"also ""fine""",\n'
    )
    result = load(tools, text, "csv")
    assert names(tools) == ["fine", "two\nlines", 'also "fine"']
    assert [(error.line, error.field) for error in result.errors] == [
        (5, None),
        (6, None),
        (7, "details"),
        (9, "name"),
        (10, "id"),
        (11, "id"),
    ]


def test_a_field_too_long_for_csv_is_reported_and_the_rest_loaded(tools):
    result = load(tools, f"id,name\n1,{'x' * 200_000}\n2,fine\n", "csv")
    assert names(tools) == ["fine"]
    assert [(error.line, error.field) for error in result.errors] == [(2, None)]


def test_bad_lines_are_found_across_chunks(tools):
    bad = {5, CHUNK_LINES, CHUNK_LINES + 1, 2 * CHUNK_LINES + 77}
    lines = [
        f'{{"id":{number},"name":"{number}","uses":{"null" if number in bad else 1}}}' for number in range(1, 2_500)
    ]
    result = load(tools, "\n".join(lines))
    assert result.inserted == 2_499 - len(bad)
    assert [(error.line, error.field) for error in result.errors] == [(number, "uses") for number in sorted(bad)]


def test_with_a_key_rows_that_are_there_are_updated_if_they_differ(tools):
    load(tools, '{"id":1,"name":"a","raw":{"x":1}}\n{"id":2,"name":"b"}')
    result = load(
        tools,
        '{"id":1,"name":"a","raw":{"x":1}}\n{"id":2,"name":"bb"}\n{"id":3,"name":"c"}\n{"id":3,"name":"cc"}\n{"name":"d"}',
        key=["id"],
    )
    assert names(tools) == ["a", "bb", "cc"]
    assert (result.inserted, result.updated, result.unchanged) == (1, 2, 1)
    assert result.errors == (LineError(5, "id", "is part of the key and must be given"),)


def test_a_unique_index_on_an_expression_names_its_column(database):
    make_user(database, email="siti@example.org")
    result = load(database, '{"email":"SITI@example.org","full_name":"S"}', table="users")
    assert [(error.line, error.field) for error in result.errors] == [(1, "email")]


def test_a_refusal_by_a_trigger_is_a_bad_line(database):
    text = (
        '{"email":"a@example.org","full_name":"A","timezone":"Mars/Olympus"}\n{"email":"b@example.org","full_name":"B"}'
    )
    result = load(database, text, table="users")
    assert (result.inserted, [error.line for error in result.errors]) == (1, [1])


def test_a_foreign_key_names_its_column(database):
    lesson = make_lesson(database)
    line = f'{{"lesson_id":"{lesson}","question_id":"{UUID(int=1)}","position":0}}'
    result = load(database, line, table="lesson_questions")
    assert [(error.field, "is not present in table" in error.message) for error in result.errors] == [
        ("question_id", True)
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begins with a header"),
        ("\n1,2\n", "begins with a header"),
        ("id,colour\n1,red\n", "there is no column 'colour'"),
        ("id,shout\n1,A\n", "there is no column 'shout'"),
        ("id,name,id\n1,a,1\n", "more than one column is called id"),
    ],
)
def test_a_csv_header_must_fit_the_table(tools, text, says):
    with pytest.raises(ImportRefusedError, match=says):
        load(tools, text, "csv")


def test_too_many_bad_lines_undo_the_whole_import(tools):
    lines = ['{"id":1,"name":"a"}', *["{}"] * 4]
    with pytest.raises(
        ImportRefusedError, match="more than 3 bad lines, so nothing was imported; the first is line 2"
    ) as caught:
        load(tools, "\n".join(lines), max_errors=3)
    assert [error.line for error in caught.value.errors] == [2, 3, 4, 5]
    assert names(tools) == []


def test_an_import_is_one_transaction(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        text = b"\n".join(b'{"email":"%d@example.org","full_name":"A"}' % number for number in range(2_000))

        def interrupted():
            for number, line in enumerate(io.BytesIO(text)):
                if number == 1_500:
                    raise OSError("the disk was pulled out")
                yield line

        with pytest.raises(OSError, match="pulled out"):
            import_rows(connection, "users", interrupted(), file_format="jsonl")
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
        assert load(connection, text, table="users").inserted == 2_000
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (2_000,)


@pytest.mark.parametrize(("table", "key"), [("nowhere", ()), ("tools; DROP TABLE tools", ()), ("tools", ("colour",))])
def test_an_unknown_table_or_key_is_refused(tools, table, key):
    with pytest.raises(ImportRefusedError, match=r"there is no table|the key names colour"):
        load(tools, "{}", table=table, key=key)


def test_the_public_face_exchanges_rows(tools):
    DatabaseUtils.import_rows(tools, "tools", [b'{"id":1,"name":"a"}'], file_format="jsonl")
    assert b"".join(DatabaseUtils.export_rows(tools, "SELECT id FROM tools", file_format="csv")) == b"id\n1\n"
