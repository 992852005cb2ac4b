"""The table of roles: what each role may do, and above all may not."""

from typing import get_args
from uuid import uuid4

import pytest

from worker.models.users import Role
from worker.security.permissions import PERMISSIONS, ROLES
from worker.security.principal import BOOTSTRAP, of_role, of_token

USER = uuid4()


def test_every_role_of_the_accounts_is_in_the_table():
    assert set(ROLES) == set(get_args(Role))


@pytest.mark.parametrize("role", get_args(Role))
def test_everybody_may_study_with_their_own_account(role):
    for permission in ("attempts.send", "study.write", "tryouts.sit", "sessions.manage", "account.write"):
        assert of_role(role, USER).reach(permission) in {"own", "everyone"}


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        ("learner", "study.read"),
        ("teacher", "study.write"),
        ("teacher", "attempts.send"),
        ("editor", "study.read"),
        ("finance", "study.read"),
        ("operator", "study.read"),
        ("operator", "billing.read"),
        ("operator", "sessions.manage"),
    ],
)
def test_role_does_not_reach_other_accounts_beyond_its_duty(role, permission):
    assert of_role(role, USER).reach(permission) == "own"


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        ("learner", "content.write"),
        ("learner", "events.read"),
        ("teacher", "jobs.run"),
        ("editor", "jobs.run"),
        ("editor", "billing.write"),
        ("finance", "jobs.run"),
        ("finance", "content.write"),
        ("operator", "content.write"),
        ("operator", "users.write"),
        ("operator", "tokens.write"),
        ("operator", "keys.write"),
    ],
)
def test_role_has_no_permission_beyond_its_duty(role, permission):
    assert of_role(role, USER).reach(permission) is None


def test_admin_and_the_token_of_the_settings_may_do_everything():
    for permission in PERMISSIONS:
        assert of_role("admin", USER).reach(permission) == "everyone"
        assert BOOTSTRAP.reach(permission) == "everyone"


def test_token_of_a_service_has_its_scopes_and_nothing_else():
    token = of_token(uuid4(), ["attempts.send", "of.another.version"], None, None)
    assert token.reach("attempts.send") == "everyone"
    assert [each for each in PERMISSIONS if token.reach(each)] == ["attempts.send"]


def test_token_of_an_account_has_no_more_than_the_account():
    token = of_token(uuid4(), ["study.read", "jobs.run"], USER, "learner")
    assert (token.reach("study.read"), token.reach("jobs.run"), token.reach("study.write")) == ("own", None, None)
    assert of_token(uuid4(), ["jobs.run"], USER, "operator").reach("jobs.run") == "everyone"
