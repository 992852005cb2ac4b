"""Whatever changes something, by command or by route, is in the audit log or says here why it need not be."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import psycopg
import pytest
from litestar import Litestar
from typer.testing import CliRunner

from tests.api.accounts import COST, bearer, email_of, log_in, make_account
from tests.api.server import ApiServer
from tests.factories import make_lesson, make_outbox_entry
from tests.factories_operations import make_plan
from tests.support.processes import ROOT
from worker.api.app import create_app
from worker.audit.verify import list_entries, verify
from worker.cli import app
from worker.cli.permissions import FREE, commands
from worker.db.schema import revert
from worker.jobs.execution import start_run
from worker.secrets import new_key
from worker.settings import Settings, get_settings

READING: Final = {
    *FREE,
    *("doctor", "jobs watch", "jobs missed", "jobs list", "jobs history", "jobs show", "achievements list"),
    *("achievements show", "content export", "backups list", "backups show", "backups timeline", "backups key"),
    *("db health", "db pool", "db slow-queries", "db index-usage", "db sizes", "db partitions", "search status"),
    *("srs report", "tryouts check", "tryouts flags", "tryouts signals", "tryouts changes", "billing ledger"),
    *("billing report", "billing subscriptions", "billing charges", "billing verify", "billing breaks list"),
    *("billing breaks show", "audit verify", "audit list", "tokens list", "servers status"),
}
"""Commands that change nothing. Those that hand out a person's data (`users export`) are no such."""

COMMANDS: Final = {
    "migrate": "schema.migrated",
    "seed": "content.seeded",
    "jobs retry": "job_run.retried",
    "jobs cancel": "job_run.cancelled",
    "jobs pause": "job.paused",
    "jobs resume": "job.resumed",
    "jobs run": "job_run.started",
    "jobs outbox retry": "outbox.retried",
    "jobs outbox discard": "outbox.discarded",
    "achievements revoke": "achievement.revoked",
    "achievements restore": "achievement.restored",
    "achievements backfill": "job_run.started",
    "achievements recount": "job_run.started",
    "content import": "content.imported",
    "backups restore": "backup.restored",
    "backups prune": "backup.pruned",
    "backups hold": "backup.held",
    "db roles": "database.roles_set",
    "search rebuild": "search.rebuild_begun",
    "tryouts rescore": "job_run.started",
    "billing reconcile": "job_run.started",
    "billing cancel": "subscription.",
    "billing pause": "subscription.",
    "billing resume": "subscription.",
    "billing plan": "subscription.",
    "billing refund": "charge.refund_intended",
    "billing price": "plan.price_changed",
    "billing breaks resolve": "reconciliation.resolved",
    "billing breaks chargeback": "charge.charged_back",
    "billing breaks reopen": "reconciliation.reopened",
    "keys rotate": "keys.rotated",
    "tokens create": "api_token.created",
    "tokens rotate": "api_token.rotated",
    "tokens revoke": "api_token.revoked",
    "users create": "user.created",
    "users password": "user.password_set",
    "users role": "user.role_changed",
    "users export": "user.exported",
    "users erase": "user.erased",
}
ROUTES: Final = {
    "changeCard": "srs_card.suspended",
    "startRun": "job_run.started",
    "cancelRun": "job_run.cancelled",
    "retryRun": "job_run.retried",
    "retryShard": "job_run.retried",
    "pauseJob": "job.paused",
    "resumeJob": "job.resumed",
    "retryOutbox": "outbox.retried",
    "discardOutbox": "outbox.discarded",
    "changePreferences": "preferences.changed",
    "revokeSessions": "sessions.revoked",
    "revokeSession": "sessions.revoked",
    "subscribe": "subscription.created",
    "cancelSubscription": "subscription.",
    "pauseSubscription": "subscription.",
    "resumeSubscription": "subscription.",
    "changePlanOfSubscription": "subscription.",
    "setMethodOfSubscription": "subscription.method_set",
}
"""What is recorded, by the start of its name where several are."""

EXEMPT: Final = {
    "up": "processes of this machine; what they do is recorded where they do it",
    "demo": "a database of its own",
    "simulate": "a database of its own, thrown away",
    "servers run": "processes of this machine",
    "servers stop": "processes of this machine",
    "backups now": "the backup's own entry in the catalogue tells; nothing that there was changes",
    "backups verify": "the backup's own entry in the catalogue tells; its restore is thrown away",
    "backups drill": "the drill's own row tells; its restores are thrown away",
    "backups check": "a measurement, kept with its instant",
    "billing import": "the import's own row tells who imported what; comparing starts runs, which are recorded",
    "billing simulate": "a database of its own, thrown away",
    "acceptAttempts": "study: each attempt is kept for good with who it is by",
    "acceptEvents": "a service's reports: each is kept with its source",
    "dryRun": "rolled back",
    "login": "one's own account; its session is listed",
    "logout": "one's own session",
    "changePassword": "one's own account: it asks for the present password",
    "createTryout": "study: the sitting's own row tells",
    "startTryout": "study: the sitting's own row tells",
    "putTryoutAnswers": "study: each answer is kept",
    "submitTryout": "study: the sitting's own row tells",
    "receiveNotification": "a gateway's notice, kept as it came; what follows from it is recorded by whoever does that",
}
SAFE: Final = {"GET", "HEAD", "OPTIONS"}


def changing_routes(api: Litestar) -> set[str]:
    return {
        str(handler.operation_id)
        for route in api.routes
        for handler in getattr(route, "route_handlers", ())
        if getattr(handler, "http_methods", SAFE) - SAFE and handler.include_in_schema is not False
    }


def test_every_command_changes_nothing_or_is_recorded_or_says_why_not():
    names = {name for name, _ in commands(app)}
    assert names - READING - COMMANDS.keys() - EXEMPT.keys() == set()
    assert READING.isdisjoint(COMMANDS)
    assert (READING | COMMANDS.keys()) - names == set(), "no such command"


def test_every_route_that_changes_something_is_recorded_or_says_why_not():
    found = changing_routes(create_app(Settings(database_url="postgresql://nowhere/elp", api_token="t" * 32)))
    assert found - ROUTES.keys() - EXEMPT.keys() == set()
    assert ROUTES.keys() - found == set(), "no such route"
    assert EXEMPT.keys() - found - {name for name, _ in commands(app)} == set(), "neither a command nor a route"


@cache
def looked_for() -> str:
    """Every line of the tests, and of this file what its own tests look for."""
    others = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    return "\n".join([*PROVEN, *ASKED, *(path.read_text(encoding="utf-8") for path in others)])


PROVEN: Final = (
    *("schema.migrated", "content.imported", "search.rebuild_begun"),
    *("job.paused", "job.resumed", "job_run.started", "job_run.cancelled", "job_run.retried"),
    *("outbox.retried", "outbox.discarded", "plan.price_changed"),
    *("api_token.created", "api_token.rotated", "api_token.revoked", "keys.rotated"),
)
"""What the commands of the test below record."""
ASKED: Final = ("preferences.changed", "job_run.started", "sessions.revoked")
"""The same of requests."""


@pytest.mark.parametrize("action", sorted({*COMMANDS.values(), *ROUTES.values()}))
def test_what_is_said_to_be_recorded_is_looked_for_by_a_test(action: str):
    assert action in looked_for()


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PARKED: Final = {"parked_at": NOON, "error": "ValueError: no", "starts": 5, "relayed_at": NOON, "relays": 5}


@pytest.fixture
def elp(database_url: str, redis_url: str) -> Callable[..., str]:
    def run(*arguments: object) -> str:
        result = CliRunner().invoke(app, [str(each) for each in arguments])
        assert result.exit_code == 0, (arguments, result.output, result.exception)
        get_settings()  # a command forgets them, and what tidies up after the test asks for them
        return result.stdout

    return run


def actions(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [action for (action,) in connection.execute("SELECT action FROM audit_log ORDER BY id")]


def test_commands_record_what_they_change(elp, database_url: str, settings, tmp_path: Path):
    settings(encryption_keys=new_key())
    revert(database_url, "-1")
    elp("migrate")
    elp("migrate")  # nothing to do, nothing to record
    job = "attempts.ensure_partitions"
    elp("jobs", "pause", job)
    elp("jobs", "resume", job)
    elp("jobs", "run", job, "--dry-run")
    started = json.loads(elp("jobs", "run", job, "--period", "2026-11-24T03:00Z", "--json"))["id"]
    elp("jobs", "run", job, "--period", "2026-11-24T03:00Z")  # has its run
    waiting = start_run(job, datetime(2026, 11, 23, tzinfo=UTC), trigger="manual").run.run_id  # by the platform itself
    elp("jobs", "cancel", waiting)
    elp("jobs", "retry", waiting)
    with psycopg.connect(database_url, autocommit=True) as connection:
        gone, again = (make_outbox_entry(connection, **PARKED) for _ in range(2))
        make_plan(connection, code="premium")
        make_lesson(connection, title="Daily life")
    elp("jobs", "outbox", "discard", gone)
    elp("jobs", "outbox", "retry", again)
    elp("billing", "price", "premium", "120000")
    token = json.loads(elp("tokens", "create", "report", "--scope", "study.read", "--json"))["id"]
    elp("tokens", "rotate", token)
    elp("tokens", "revoke", token)
    elp("keys", "rotate")
    exported = tmp_path / "lessons.jsonl"
    exported.write_text(elp("content", "export", "lessons").splitlines()[0].replace("Daily life", "Days"))
    elp("content", "import", "lessons", exported)
    elp("search", "rebuild")
    found = actions(database_url)
    assert set(found) == set(PROVEN)
    assert (found.count("job_run.started"), found.count("schema.migrated")) == (1, 1)
    with psycopg.connect(database_url) as connection:
        (by_hand,) = list_entries(connection, object_type="job_run", object_id=started, limit=9)
    assert by_hand.actor.startswith("cli:")
    assert by_hand.after == {"job": job, "period": "2026-11-24T03:00:00+00:00", "parameters": {}}


@pytest.fixture
def api(database_url: str, redis_url: str) -> Iterator[ApiServer]:
    with ApiServer(database_url, redis_url=redis_url, password_cost=COST) as server:
        yield server


def test_operators_requests_record_who_did_what_and_learners_own_do_not(api: ApiServer, database_url: str):
    with psycopg.connect(database_url, autocommit=True) as connection:
        learner, admin = make_account(connection), make_account(connection, role="admin")
        email = email_of(connection, learner)
        own, theirs = (bearer(log_in(api, email_of(connection, each)).json()["token"]) for each in (learner, admin))
    wishes, sessions = f"/v1/users/{learner}/preferences", f"/v1/users/{learner}/sessions"
    answers = [
        api.client.patch(wishes, json={"new_limit": 7}, headers=own),
        api.client.patch(wishes, json={"new_limit": 9}, headers=theirs),
        api.client.patch(wishes, json={"new_limit": 9}, headers=theirs),  # changes nothing
        api.client.post("/v1/jobs/attempts.ensure_partitions/runs", json={}, headers=theirs),
        api.client.delete(f"{sessions}/{log_in(api, email).json()['session_id']}", headers=theirs),
        api.client.delete(sessions, headers=own),
        api.client.delete(sessions, headers=theirs),  # there is none any more
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 202, 200, 200, 200]
    with psycopg.connect(database_url) as connection:
        found = list_entries(connection, limit=9)[::-1]
        assert verify(connection).alterations == 0
    assert [(each.actor, each.action) for each in found] == [(f"user:{admin}", action) for action in ASKED]
    assert (found[0].object_id, found[0].before, found[0].after) == (str(learner), {"new_limit": 7}, {"new_limit": 9})
    assert found[2].after == {"sessions": 1}
