"""What each role of the database can't do, and that the processes can do their work with theirs."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql
from typer.testing import CliRunner

import tasks
from tests.api.accounts import COST, HASH, bearer, email_of, log_in, make_account
from tests.api.bodies import new_attempt
from tests.api.server import ApiServer
from tests.factories import make_preferences, make_question, make_user
from tests.factories_operations import make_subscription
from tests.support.settings import forget_settings
from worker import clock
from worker.audit import AuditEntry, record
from worker.audit.verify import verify
from worker.cli import app
from worker.db.schema import current_revision, migrate, revert
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs
from worker.security.database_roles import PARTS, Part, establish


@pytest.fixture
def urls(database_url: str, worker_name: str) -> Iterator[dict[Part, str]]:
    """The addresses of this database for each role; roles belong to the server, so they go after the test."""
    prefix = f"elp_{worker_name}"
    with psycopg.connect(database_url) as connection:
        made = establish(connection, database_url, prefix=prefix, renew=True)
    yield {role.part: role.url or "" for role in made}
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        for part in PARTS:
            name = sql.Identifier(f"{prefix}_{part}")
            connection.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(name))
            connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
            connection.execute(sql.SQL("DROP ROLE {}").format(name))


FORBIDDEN: dict[Part, list[str]] = {
    "api": [
        "SELECT password_hash FROM users",
        "SELECT * FROM users",
        "SELECT payment_token_encrypted FROM subscriptions",
        "UPDATE users SET role = 'admin'",
        "INSERT INTO users (email, full_name) VALUES ('a@b.c', 'A')",
        "INSERT INTO api_tokens (name, prefix, token_hash) VALUES ('x', 'elp_', sha256('x'))",
        "UPDATE api_tokens SET scopes = '{tokens.write}'",
        "UPDATE api_tokens SET revoked_at = NULL",
        "SELECT FROM audit_log",
        "SELECT FROM audit_blocks",
        "INSERT INTO audit_blocks (number, block_id, entries, digest) VALUES (1, gen_random_uuid(), 1, sha256('x'))",
        "DELETE FROM payment_transactions",
        "DELETE FROM subscriptions",
        "UPDATE plans SET amount = 1",
        "INSERT INTO payment_transactions (id) VALUES (gen_random_uuid())",
        "SELECT body FROM webhook_inbox",
        "UPDATE question_attempts SET is_correct = true",
        "DELETE FROM attempt_inbox",
        "UPDATE attempt_inbox SET answer = '{}'",
        "UPDATE user_stats SET correct = attempts",
        "UPDATE questions SET answer_key = '{}'",
        "DELETE FROM tryout_answers",
        "DELETE FROM job_runs",
        "CREATE TABLE mine ()",
        "CREATE TEMPORARY TABLE mine ()",
        "DROP TABLE users",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "SELECT ensure_question_attempts_partitions(current_date, 1)",
        "COPY users TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
    "worker": [
        "SELECT password_hash FROM users",
        "UPDATE users SET role = 'admin'",
        "UPDATE users SET password_hash = NULL",
        "SELECT FROM api_tokens",
        "SELECT login_salt('a@b.c')",
        "SELECT login_check('a@b.c', '')",
        "UPDATE audit_log SET actor = 'user:nobody'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DELETE FROM audit_blocks",
        "INSERT INTO audit_blocks (number, block_id, entries, digest) VALUES (1, gen_random_uuid(), 1, sha256('x'))",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "CREATE TABLE mine ()",
        "DROP TABLE questions",
        "UPDATE alembic_version SET version_num = '0001'",
        "SET session_replication_role = replica",
    ],
    "readonly": [
        "SELECT password_hash FROM users",
        "SELECT token_hash FROM api_tokens",
        "SELECT payment_token_encrypted FROM subscriptions",
        "SELECT login_salt('a@b.c')",
        "SET default_transaction_read_only = off; UPDATE user_stats SET attempts = 0",
        "SET default_transaction_read_only = off; DELETE FROM app_events",
        "SET default_transaction_read_only = off; INSERT INTO audit_log (actor) VALUES ('x')",
        "CREATE TEMPORARY TABLE mine ()",
    ],
    "migrate": [
        "UPDATE audit_log SET actor = 'user:nobody'",
        "TRUNCATE audit_blocks",
        "CREATE ROLE mine",
        "COPY users TO PROGRAM 'cat'",
    ],
}


def test_what_each_role_cannot_do(urls, database_url):
    with psycopg.connect(database_url) as connection:
        record(connection, [AuditEntry("cli:test", "plan.changed", "plan", "1")], clock.now())
        make_user(connection)
    for part, statements in FORBIDDEN.items():
        with psycopg.connect(urls[part], autocommit=True) as connection:
            for statement in statements:
                with pytest.raises(
                    (errors.InsufficientPrivilege, errors.CheckViolation, errors.ReadOnlySqlTransaction)
                ):
                    connection.execute(statement.encode())


def test_no_role_is_more_than_it_must_be(urls, database_url):
    names = [psycopg.conninfo.conninfo_to_dict(url)["user"] for url in urls.values()]
    with psycopg.connect(database_url) as connection:
        able = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND (rolsuper OR rolcreaterole OR rolcreatedb"
            " OR rolreplication OR rolbypassrls)",
            (names,),
        ).fetchall()
        # Nobody who merely may connect to the server gets in.
        public = connection.execute(
            "SELECT has_database_privilege('public', current_database(), 'connect'), has_schema_privilege('public', "
            "'public', 'usage')"
        ).fetchone()
    assert able == []
    assert public == (False, False)


def test_roles_set_again_keep_their_passwords_and_regain_their_rights(urls, database_url, worker_name):
    api = sql.Identifier(f"elp_{worker_name}_api")
    with psycopg.connect(database_url) as connection:
        connection.execute(sql.SQL("GRANT DELETE ON users TO {}").format(api))
        connection.execute(sql.SQL("REVOKE SELECT ON lessons FROM {}").format(api))
    with psycopg.connect(database_url) as connection:
        made = establish(connection, database_url, prefix=f"elp_{worker_name}")
    assert [role.url for role in made] == [None] * 4
    with psycopg.connect(urls["api"], autocommit=True) as connection:
        connection.execute("SELECT FROM lessons")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("DELETE FROM users")


def test_owner_migrates_down_and_up_again(urls):
    head = current_revision(urls["migrate"])
    revert(urls["migrate"], "-1")
    migrate(urls["migrate"])
    assert current_revision(urls["migrate"]) == head


def test_api_does_its_work_with_its_role(urls, database_url, redis_url, monkeypatch):
    with psycopg.connect(database_url, autocommit=True) as owner:
        user = make_account(owner)
        admin = make_account(owner, role="admin")
        make_preferences(owner, user_id=user)
        emails = [email_of(owner, each) for each in (user, admin)]
    monkeypatch.setenv("ELP_DATABASE_URL", urls["api"])
    forget_settings()
    with ApiServer(urls["api"], redis_url=redis_url, password_cost=COST + 1) as api:
        learner, administrator = (bearer(log_in(api, email).json()["token"]) for email in emails)
        assert api.post(new_attempt(user_id=str(user)), **learner).status_code == 202
        assert "elp_database_up 1.0" in api.client.get("/metrics", headers=administrator).text
        document = api.client.get("/docs/openapi.json").json()
        from tests.api.test_authorisation import calls, rows_of  # noqa: PLC0415 - its fixtures are not for here

        with psycopg.connect(database_url, autocommit=True) as owner:
            ids = rows_of(api, owner, user)
        routes = {
            f"{method.upper()} {path}": operation
            for path, item in document["paths"].items()
            for method, operation in item.items()
        }
        for headers in (learner, administrator):
            for name, answer in calls(api, routes, headers, str(user), ids):
                if name != "DELETE /v1/sessions":
                    assert answer.status_code < 500, f"{name}: {answer.text}"
    with psycopg.connect(database_url) as owner:
        (hashed,) = owner.execute("SELECT password_hash FROM users WHERE id = %s", (user,)).fetchone()
        assert hashed != HASH  # renewed without being read
        assert verify(owner).alterations == 0


def test_worker_does_every_job_with_its_role(urls, database_url, redis_url, monkeypatch):
    with psycopg.connect(database_url, autocommit=True) as owner:
        user = make_user(owner)
        question = make_question(owner)
        make_subscription(owner, user_id=user)
    monkeypatch.setenv("ELP_DATABASE_URL", urls["worker"])
    forget_settings()
    from tests.attempts.pipeline import drain, inside, send  # noqa: PLC0415
    from tests.samples import ANSWERS  # noqa: PLC0415

    with psycopg.connect(urls["worker"], autocommit=True) as connection, connection.transaction():
        send(connection, user, question, ANSWERS["multiple_choice"], clock.now())
        drain(inside(connection), user)
        record(connection, [AuditEntry("job:test", "stats.recounted", "user_stats", str(user))], clock.now())
    failed = {}
    for job in load_jobs(tasks.MODULES):
        if job.schedule is None:
            continue
        run = start_run(job.name, clock.now(), trigger="manual").run
        work_on_run(run.run_id)
        with psycopg.connect(database_url) as owner:
            errors_of = owner.execute(
                "SELECT error FROM job_shards WHERE run_id = %s AND error IS NOT NULL", (run.run_id,)
            ).fetchall()
        if errors_of:
            failed[job.name] = errors_of
    assert failed == {}


def test_command_makes_the_roles_and_shows_their_addresses_once(database_url, redis_url, worker_name):
    prefix = f"elp_{worker_name}_c"
    try:
        first = _roles(prefix)
        assert {role["part"] for role in first} == set(PARTS)
        with psycopg.connect(next(role["url"] for role in first if role["part"] == "readonly")) as connection:
            assert connection.execute("SELECT count(*) FROM lessons").fetchone() == (0,)
        assert {role["url"] for role in _roles(prefix)} == {None}
        renewed = _roles(prefix, "--new-passwords")
        assert {role["url"] for role in renewed}.isdisjoint(role["url"] for role in first)
        with psycopg.connect(database_url) as owner:
            recorded = owner.execute("SELECT action, object_id FROM audit_log").fetchall()
        assert recorded == [("database.roles_set", prefix)] * 3
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            for part in PARTS:
                name = sql.Identifier(f"{prefix}_{part}")
                connection.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(name))
                connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
                connection.execute(sql.SQL("DROP ROLE {}").format(name))


def _roles(prefix: str, *options: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["db", "roles", "--prefix", prefix, "--json", *options])
    if result.exception:
        raise result.exception
    roles: list[dict[str, Any]] = json.loads(result.stdout)
    return roles
