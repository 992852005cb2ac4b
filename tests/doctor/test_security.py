"""`elp doctor --security` finds what makes an intruder's work easier, and each rule can find nothing."""

import json
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from tests.factories import make_api_token
from tests.test_secrets import NEW
from worker import clock
from worker.cli import app
from worker.doctor.security import GUARDS, DatabaseSecurity, examine_security, read_security
from worker.settings import Settings

TOKEN = "x" * 40
SAFE = {
    "api_token": TOKEN,
    "flower_auth": f"elp:{TOKEN}",
    "encryption_keys": NEW,
    "database_url": "postgresql://elp@db.example.org/elp?sslmode=verify-full",
    "redis_url": "rediss://cache.example.org/0",
}
WELL = DatabaseSecurity("elp_api", False, False, GUARDS, 0, 0, 1)
NOWHERE = Path("/nowhere/.env")


def levels(
    database: DatabaseSecurity | None = WELL, env_file: Path = NOWHERE, **changes: object
) -> set[tuple[str, str]]:
    findings = examine_security(Settings(**{**SAFE, **changes}), database, env_file)
    for finding in findings:
        assert (finding.remedy is None) == (finding.level == "ok")
        assert TOKEN not in finding.found
    return {(finding.check, finding.level) for finding in findings if finding.level != "ok"}


def test_safe_installation_has_no_findings():
    assert levels() == set()
    assert levels(database_url="postgresql://elp@127.0.0.1/elp", redis_url="redis://localhost/0") == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"api_token": "short"}, ("secrets", "critical")),
        ({"flower_auth": "elp:short"}, ("secrets", "warning")),
        ({"encryption_keys": None}, ("secrets", "warning")),
        ({"password_cost": 4}, ("secrets", "critical")),
        ({"database_url": "postgresql://elp@db.example.org/elp"}, ("transport", "critical")),
        ({"database_url": "postgresql://elp@10.0.0.1/elp?sslmode=require"}, ("transport", "warning")),
        ({"redis_url": "redis://cache.example.org/0"}, ("transport", "critical")),
        ({"redis_url": "rediss://cache.example.org/0?ssl_cert_reqs=none"}, ("transport", "critical")),
        ({"api_host": "0.0.0.0"}, ("web", "warning")),
        ({"api_host": "0.0.0.0", "trusted_proxies": "*"}, ("web", "critical")),
        ({"cors_origins": "*"}, ("web", "critical")),
        ({"login_limit_account": "none"}, ("web", "critical")),
    ],
)
def test_each_weakness_of_the_settings_is_found(changes, expected):
    assert levels(**changes) == {expected}


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        (DatabaseSecurity("elp", True, True, GUARDS, 0, 0, 1), ("database role", "warning")),
        (DatabaseSecurity("elp", False, True, GUARDS, 0, 0, 1), ("database role", "warning")),
        (DatabaseSecurity("elp_api", False, False, GUARDS - 1, 0, 0, 1), ("audit log", "critical")),
        (DatabaseSecurity("elp_api", False, False, GUARDS, 1, 0, 1), ("tokens", "warning")),
        (DatabaseSecurity("elp_api", False, False, GUARDS, 0, 1, 1), ("tokens", "warning")),
    ],
)
def test_each_weakness_of_the_database_is_found(database, expected):
    assert levels(database) == {expected}


def test_secrets_that_others_can_read_are_found(tmp_path):
    file = tmp_path / ".env"
    file.touch(mode=0o600)
    assert levels(env_file=file) == set()
    file.chmod(0o640)
    assert levels(env_file=file) == {("files", "critical")}


def test_database_tells_its_guards_and_its_tokens(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        make_api_token(connection)
        now = clock.now()
        make_api_token(connection, expires_at=now + timedelta(days=1), last_used_at=now - timedelta(days=91))
        found = read_security(connection, now)
        assert (found.guards, found.endless_tokens, found.unused_tokens) == (GUARDS, 1, 1)
        assert found.is_superuser
        connection.execute("ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only")
        assert read_security(connection, now).guards == GUARDS - 1


def test_command_shows_findings_and_ends_as_monitoring_wants(database_url, redis_url):
    result = CliRunner().invoke(app, ["doctor", "--security", "--json"], env={"ELP_API_TOKEN": "short"})
    found = json.loads(result.stdout)
    assert (result.exit_code, found["status"]) == (2, "critical")
    assert "ELP_API_TOKEN has 5 characters" in {finding["found"] for finding in found["findings"]}
