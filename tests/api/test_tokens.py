"""API tokens: scoped, expiring, rotating, revocable, with their last use recorded."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.api.accounts import bearer, make_token
from tests.api.bodies import new_attempt
from tests.api.server import ApiServer
from tests.factories import make_user
from worker import clock
from worker.audit.verify import list_entries
from worker.security.token_store import (
    UnknownScopeError,
    UnknownTokenError,
    list_tokens,
    revoke_token,
    rotate_token,
)


@pytest.fixture(scope="module")
def api(committed_url):
    """A server that looks every token up anew."""
    with ApiServer(committed_url, auth_cache_s=0) as server:
        yield server


def get(api, token, path="/v1/events?limit=1"):
    return api.client.get(path, headers=bearer(token))


def test_token_opens_what_its_scopes_say_and_nothing_else(api, committed):
    _, token = make_token(committed, "events.read")
    assert get(api, token).status_code == 200
    refused = get(api, token, "/v1/outbox")
    assert refused.status_code == 403
    assert refused.json()["type"] == "urn:elp:problem:forbidden"
    assert "platform.read" in refused.json()["detail"]


def test_token_of_a_service_sends_attempts_of_anybody(api, committed):
    _, token = make_token(committed, "attempts.send")
    assert api.post(new_attempt(), **bearer(token)).status_code == 202


def test_token_without_the_scope_sends_no_attempts(api, committed):
    _, token = make_token(committed, "events.read")
    assert api.post(new_attempt(), **bearer(token)).status_code == 403


def test_token_of_an_account_reaches_its_own_rows_alone(api, committed):
    user, other = make_user(committed), make_user(committed)
    _, token = make_token(committed, "study.read", user_id=user)
    assert get(api, token, f"/v1/users/{user}/preferences").status_code == 200
    assert get(api, token, f"/v1/users/{other}/preferences").status_code == 403


def test_token_ends_with_its_time_its_account_or_its_revocation(api, committed):
    _, expired = make_token(committed, "events.read", expires_at=clock.now() - timedelta(seconds=1))
    _, later = make_token(committed, "events.read", expires_at=clock.now() + timedelta(hours=1))
    user = make_user(committed, role="admin")
    _, of_account = make_token(committed, "events.read", user_id=user)
    revoked_id, revoked = make_token(committed, "events.read")
    assert [get(api, token).status_code for token in (expired, later, of_account, revoked)] == [401, 200, 200, 200]
    committed.execute("UPDATE users SET is_active = false WHERE id = %s", (user,))
    with committed.transaction():
        revoke_token(committed, revoked_id, actor="cli:test", now=clock.now())
    assert [get(api, token).status_code for token in (of_account, revoked)] == [401, 401]
    answer = get(api, revoked)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_rotated_token_works_beside_its_successor_for_the_overlap(api, committed):
    old_id, old = make_token(committed, "events.read", expires_at=clock.now() + timedelta(days=30))
    with committed.transaction():
        new_id, new = rotate_token(
            committed, old_id, overlap_until=clock.now() + timedelta(hours=1), actor="cli:test", now=clock.now()
        )
    assert [get(api, token).status_code for token in (old, new.text)] == [200, 200]
    tokens = {token.id: token for token in list_tokens(committed, clock.now(), every=False)}
    assert tokens[new_id].rotated_from_id == old_id
    assert tokens[new_id].scopes == tokens[old_id].scopes
    assert tokens[new_id].expires_at > clock.now() + timedelta(days=29)
    committed.execute("UPDATE api_tokens SET expires_at = now() WHERE id = %s", (old_id,))
    assert [get(api, token).status_code for token in (old, new.text)] == [401, 200]


def test_what_cannot_be_changed_is_refused(committed):
    token_id, _ = make_token(committed, "events.read")
    revoke_token(committed, token_id, actor="cli:test", now=clock.now())
    for change in (
        lambda: revoke_token(committed, token_id, actor="cli:test", now=clock.now()),
        lambda: rotate_token(committed, token_id, overlap_until=clock.now(), actor="cli:test", now=clock.now()),
        lambda: revoke_token(committed, uuid4(), actor="cli:test", now=clock.now()),
    ):
        with pytest.raises(UnknownTokenError):
            change()
    for scopes in ([], ["events.reed"]):
        with pytest.raises(UnknownScopeError):
            make_token(committed, *scopes)


def test_token_is_stored_as_a_digest_alone_and_its_making_is_in_the_audit_log(committed):
    token_id, token = make_token(committed, "events.read")
    row = committed.execute("SELECT api_tokens::text FROM api_tokens WHERE id = %s", (token_id,)).fetchone()
    assert token not in row[0]
    assert token[12:] not in row[0]
    (entry,) = list_entries(committed, object_type="api_token", object_id=str(token_id), limit=5)
    assert (entry.actor, entry.action, entry.after["scopes"]) == ("cli:test", "api_token.created", ["events.read"])
    assert token not in str(entry)


def test_last_use_is_recorded_in_one_batch(committed_url, committed):
    used_id, used = make_token(committed, "events.read")
    idle_id, _ = make_token(committed, "events.read")
    with ApiServer(committed_url) as api:
        for _ in range(3):
            assert get(api, used).status_code == 200
    # Its end recorded what its time would have.
    rows = dict(committed.execute("SELECT id, last_used_at FROM api_tokens WHERE id = ANY(%s)", ([used_id, idle_id],)))
    assert rows[used_id] is not None
    assert rows[idle_id] is None


def test_token_that_was_looked_up_is_remembered_for_seconds(committed_url, committed):
    token_id, token = make_token(committed, "events.read")
    with ApiServer(committed_url, auth_cache_s=300) as api:
        assert get(api, token).status_code == 200
        revoke_token(committed, token_id, actor="cli:test", now=clock.now())
        assert get(api, token).status_code == 200  # within the time it is remembered
        api.app.authenticator.forget()
        assert get(api, token).status_code == 401


def test_database_that_is_away_is_no_wrong_token(committed_url, committed, monkeypatch):
    _, token = make_token(committed, "events.read")
    with ApiServer(committed_url.replace("/elp_", "/gone_elp_")) as api:
        assert get(api, token).status_code == 503
        assert api.post(new_attempt(), **bearer(token)).status_code == 503


def test_uses_are_kept_while_the_database_is_away(committed_url, committed):
    token_id, token = make_token(committed, "events.read")
    with ApiServer(committed_url) as api:
        assert get(api, token).status_code == 200
        authenticator = api.app.authenticator
        working, authenticator._engine = authenticator._engine, _Broken()
        asyncio.run(authenticator.record_uses())
        authenticator._engine = working
    row = committed.execute("SELECT last_used_at FROM api_tokens WHERE id = %s", (token_id,)).fetchone()
    assert row[0] is not None


class _Broken:
    def begin(self):
        raise ConnectionRefusedError


def test_token_of_no_known_shape_asks_the_database_nothing(api, monkeypatch):
    monkeypatch.setattr(api.app.authenticator, "_engine", None)
    for wrong in ("wrong", "elp_" + "x" * 51, "els_" + "0" * 51):
        assert get(api, wrong).status_code == 401
