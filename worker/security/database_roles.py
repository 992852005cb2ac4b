"""The roles of the database: what each process may do there, whatever somebody makes it do.

`api` takes in and looks up, `worker` works, `readonly` looks, `migrate` owns. `elp db roles` makes them, or puts them
right after a migration; running it again changes nothing. A new table is the worker's and the reader's; the API gets it
when a line here names it.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from psycopg import sql
from sqlalchemy import make_url

from worker.db import Connection
from worker.db.queries import load_query
from worker.security.personal_data import SECRET

Part = Literal["api", "worker", "readonly", "migrate"]
PARTS: Final[tuple[Part, ...]] = ("migrate", "api", "worker", "readonly")

_PACKAGE: Final = "worker.security"
_READ: Final = "SELECT"
_ADD: Final = "SELECT, INSERT"
_CHANGE: Final = "SELECT, INSERT, UPDATE"
_ALL: Final = "SELECT, INSERT, UPDATE, DELETE"

API: Final[Mapping[str, str]] = {
    # taken in
    "attempt_inbox": _ADD,
    "job_outbox": _ALL,
    "webhook_inbox": _ADD,
    "audit_log": "INSERT",
    # changed for learners
    "tryout_sessions": _CHANGE,
    "tryout_answers": _CHANGE,
    "user_preferences": _CHANGE,
    "srs_cards": "SELECT, UPDATE",
    # changed for operators
    "job_runs": _CHANGE,
    "job_shards": _CHANGE,
    "job_controls": _CHANGE,
    # subscriptions, as learners and finance change them; payment methods go in and are never read
    "subscriptions": _CHANGE,
    "app_events": _ADD,
    "invoices": _CHANGE,
    "invoice_lines": _ALL,
    "payment_transactions": "SELECT, UPDATE",
    # looked up
    **dict.fromkeys(
        (
            "achievement_marks",
            "alembic_version",
            "attempt_rejections",
            "backup_checks",
            "backups",
            "coupons",
            "job_run_summaries",
            "job_tasks",
            "lesson_progress",
            "lesson_questions",
            "lessons",
            "plans",
            "question_attempts",
            "question_sets",
            "questions",
            "questionset_questions",
            "srs_due_queues",
            "srs_fits",
            "reconciliation_breaks",
            "search_dirty",
            "search_state",
            "search_words",
            "settlement_imports",
            "settlement_lines",
            "tryout_cohort_scores",
            "user_achievements",
            "user_days",
            "user_stats",
            "users",
            "worker_heartbeats",
        ),
        _READ,
    ),
}
"""What the API may do to which table; columns that hold secrets are left out of every SELECT."""
_API_SECRETS: Final = {"api_tokens": "token_hash"}
"""Tokens are found by their digests, which open nothing."""
_API_UNREAD: Final = {"webhook_inbox": frozenset({"body"})}
"""What it takes in and never reads again."""
_API_UPDATES: Final = {"api_tokens": ("last_used_at",), "users": ("is_premium",)}
_API_FUNCTIONS: Final = ("login_salt(text)", "login_check(text, text)", "login_rehash(uuid, text, text)")

WORKER_NOT: Final[Mapping[str, str]] = {
    "audit_log": _ADD,
    "audit_blocks": _READ,
    "api_tokens": "",
    "alembic_version": _READ,
    "users": _READ,
}
"""The worker may do everything to every table but these."""
_WORKER_SECRETS: Final = frozenset({"payment_token_encrypted"})
"""It charges with payment tokens; to read them it has the keys."""
_WORKER_UPDATES: Final = {"users": ("is_premium",)}
_WORKER_FUNCTIONS: Final = ("ensure_question_attempts_partitions(date, integer)",)

_SETTINGS: Final[Mapping[Part, Mapping[str, str]]] = {
    "api": {"statement_timeout": "60s", "idle_in_transaction_session_timeout": "60s", "lock_timeout": "30s"},
    "worker": {"idle_in_transaction_session_timeout": "15min"},
    "readonly": {
        "statement_timeout": "5min",
        "idle_in_transaction_session_timeout": "5min",
        "default_transaction_read_only": "on",
    },
    "migrate": {},
}


@dataclass(frozen=True, slots=True)
class MadeRole:
    """A role after `establish`."""

    part: Part
    name: str
    url: str | None
    """How to connect with it; None: it was there before, and keeps its password."""


def establish(connection: Connection, url: str, *, prefix: str = "elp", renew: bool = False) -> list[MadeRole]:
    """Make the roles `<prefix>_api` and so on where they are missing, and give each exactly its rights.

    Everything in the schema `public` then belongs to `<prefix>_migrate`.

    Args:
        connection: as a superuser, or as an owner who may create roles; in a transaction.
        url: how the database was reached, for the addresses returned.
        prefix: what the roles' names begin with, since roles belong to the whole server.
        renew: give new passwords to roles that were there, too.
    """
    names: dict[Part, str] = {part: f"{prefix}_{part}" for part in PARTS}
    made = [_make(connection, part, names[part], url, renew=renew) for part in PARTS]
    tables = _tables(connection)
    _own(connection, names["migrate"])
    database = sql.Identifier(connection.info.dbname)
    _run(connection, "REVOKE ALL ON DATABASE {} FROM PUBLIC", database)
    _run(connection, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
    for part, name in names.items():
        role = sql.Identifier(name)
        _run(connection, "GRANT CONNECT ON DATABASE {} TO {}", database, role)
        for setting, value in _SETTINGS[part].items():
            _run(
                connection,
                "ALTER ROLE {} IN DATABASE {} SET {} = {}",
                role,
                database,
                sql.Identifier(setting),
                sql.Literal(value),
            )
        if part != "migrate":
            _run(connection, "GRANT USAGE ON SCHEMA public TO {}", role)
            _run(connection, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}", role)
    _run(connection, "GRANT CREATE, TEMPORARY ON DATABASE {} TO {}", database, sql.Identifier(names["migrate"]))
    _run(connection, "GRANT TEMPORARY ON DATABASE {} TO {}", database, sql.Identifier(names["worker"]))
    _grant_api(connection, tables, sql.Identifier(names["api"]))
    _grant_worker(connection, tables, sql.Identifier(names["worker"]))
    for table, columns in tables.items():
        _grant(connection, _READ, table, columns, SECRET, sql.Identifier(names["readonly"]))
    return made


def _make(connection: Connection, part: Part, name: str, url: str, *, renew: bool) -> MadeRole:
    is_there = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is not None
    if is_there and not renew:
        return MadeRole(part, name, None)
    password = secrets.token_urlsafe(24)
    # Hashed here: the server's log may keep statements, never passwords.
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    verb = "ALTER" if is_there else "CREATE"
    attributes = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    _run(connection, f"{verb} ROLE {{}} {attributes} PASSWORD {{}}", sql.Identifier(name), sql.Literal(verifier))
    address = make_url(url.replace("postgres://", "postgresql://", 1)).set(username=name, password=password)
    return MadeRole(part, name, address.render_as_string(hide_password=False))


def _own(connection: Connection, owner: str) -> None:
    """Give everything in the schema to the role that migrates."""
    _run(connection, "GRANT {} TO CURRENT_USER", sql.Identifier(owner))
    _run(connection, "ALTER SCHEMA public OWNER TO {}", sql.Identifier(owner))
    for (statement,) in connection.execute(load_query(_PACKAGE, "owned_by_others"), {"owner": owner}).fetchall():
        connection.execute(str(statement).encode())


def _tables(connection: Connection) -> dict[str, list[str]]:
    """Return the tables that are no partitions (rights on the whole are enough), with their columns."""
    rows: Iterable[tuple[Any, ...]] = connection.execute(
        "SELECT relname::text, array_agg(attname::text ORDER BY attnum) FROM pg_class"
        " JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
        " GROUP BY relname ORDER BY relname"
    )
    return dict(rows)


def _grant_api(connection: Connection, tables: Mapping[str, list[str]], role: sql.Identifier) -> None:
    for table, rights in {**API, "api_tokens": _READ}.items():
        if table in tables:
            hidden = (SECRET - {_API_SECRETS.get(table)}) | _API_UNREAD.get(table, frozenset())
            _grant(connection, rights, table, tables[table], frozenset(map(str, hidden)), role)
    _grant_updates(connection, _API_UPDATES, role)
    for function in _API_FUNCTIONS:
        _run(connection, f"GRANT EXECUTE ON FUNCTION {function} TO {{}}", role)


def _grant_worker(connection: Connection, tables: Mapping[str, list[str]], role: sql.Identifier) -> None:
    for table, columns in tables.items():
        _grant(connection, WORKER_NOT.get(table, _ALL), table, columns, SECRET - _WORKER_SECRETS, role)
    _grant_updates(connection, _WORKER_UPDATES, role)
    for function in _WORKER_FUNCTIONS:
        _run(connection, f"GRANT EXECUTE ON FUNCTION {function} TO {{}}", role)


def _grant_updates(connection: Connection, updates: Mapping[str, Iterable[str]], role: sql.Identifier) -> None:
    for table, columns in updates.items():
        listed = sql.SQL(", ").join(map(sql.Identifier, columns))
        _run(connection, "GRANT UPDATE ({}) ON {} TO {}", listed, sql.Identifier(table), role)


def _grant(
    connection: Connection, rights: str, table: str, columns: list[str], hidden: frozenset[str], role: sql.Identifier
) -> None:
    """Grant rights on a table, reading on those of its columns that are not hidden."""
    if not rights:
        return
    name = sql.Identifier(table)
    whole = [right for right in rights.split(", ") if right != _READ or not hidden & set(columns)]
    if whole:
        _run(connection, f"GRANT {', '.join(whole)} ON {{}} TO {{}}", name, role)
    if _READ in rights.split(", ") and _READ not in whole:
        shown = sql.SQL(", ").join(sql.Identifier(column) for column in columns if column not in hidden)
        _run(connection, "GRANT SELECT ({}) ON {} TO {}", shown, name, role)


def _run(connection: Connection, statement: str, *parts: sql.Composable) -> None:
    connection.execute(sql.SQL(statement).format(*parts))  # literals of this module
