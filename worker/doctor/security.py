"""`elp doctor --security`: what makes an intruder's work easier, with remedies. Facts are asked, rules are pure."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from worker.db import Connection
from worker.db.queries import load_query
from worker.doctor.rules import Finding, Level
from worker.settings import Settings

_PACKAGE: Final = "worker.doctor"
TOKEN_MIN: Final = 24
"""Characters: 128 random bits in base64 are 22."""
COST_MIN: Final = 10
UNUSED: Final = timedelta(days=90)
_VERIFIED: Final = frozenset({"verify-full", "verify-ca"})
_ENCRYPTED: Final = frozenset({"require"})


@dataclass(frozen=True, slots=True)
class DatabaseSecurity:
    """What PostgreSQL tells about rights, tokens and the audit log's guards."""

    role: str
    is_superuser: bool
    owns_tables: bool
    guards: int
    """Triggers of the audit log that are there and enabled."""
    endless_tokens: int
    unused_tokens: int
    admins: int


GUARDS: Final = 6
"""Stamp, seal, and for each of both tables: no change, no truncation."""


def read_security(connection: Connection, now: datetime) -> DatabaseSecurity:
    """Ask the database."""
    row = connection.execute(load_query(_PACKAGE, "security"), {"unused_before": now - UNUSED, "now": now}).fetchone()
    assert row is not None
    return DatabaseSecurity(*row)


def examine_security(settings: Settings, database: DatabaseSecurity | None, env_file: Path) -> list[Finding]:
    """Return what each rule found."""
    return [
        *_secrets(settings),
        *_transport(settings),
        *_web(settings),
        *_files(env_file),
        *(_database(database) if database else ()),
    ]


def _finding(check: str, level: Level, found: str, remedy: str) -> Finding:
    return Finding(check, level, found, None if level == "ok" else remedy)


def _secrets(settings: Settings) -> Iterator[Finding]:
    for name, secret, level in (
        ("ELP_API_TOKEN", settings.api_token, "critical"),
        ("ELP_FLOWER_AUTH", _password(settings.flower_auth), "warning"),
    ):
        if secret is None:
            continue
        length = len(secret.get_secret_value())
        weak: Level = "critical" if level == "critical" else "warning"
        found = f"{name} has {length} characters"
        level_found: Level = "ok" if length >= TOKEN_MIN else weak
        yield _finding("secrets", level_found, found, "make it random and longer: `elp keys new`")
    if settings.encryption_keys is None:
        remedy = "make a key with `elp keys new`; without it no payment token can be stored"
        yield Finding("secrets", "warning", "ELP_ENCRYPTION_KEYS is not set", remedy)
    if settings.password_cost < COST_MIN:
        found = f"ELP_PASSWORD_COST is {settings.password_cost}"
        yield Finding("secrets", "critical", found, "leave it at 12: stolen hashes are guessed a thousand times faster")


def _password(login: SecretStr | None) -> SecretStr | None:
    return None if login is None else SecretStr(login.get_secret_value().partition(":")[2])


def _transport(settings: Settings) -> Iterator[Finding]:
    for name, url in (("ELP_DATABASE_URL", settings.database_url), ("ELP_REDIS_URL", settings.redis_url)):
        if url is None or _is_local(urlsplit(url).hostname):
            continue
        query = {key: values[-1] for key, values in parse_qs(urlsplit(url).query).items()}
        if name == "ELP_DATABASE_URL":
            mode = query.get("sslmode", "prefer")
            level: Level = "ok" if mode in _VERIFIED else "warning" if mode in _ENCRYPTED else "critical"
            remedy = "add ?sslmode=verify-full&sslrootcert=… (docs/security.md)"
            yield _finding("transport", level, f"PostgreSQL is asked with sslmode={mode}", remedy)
        else:
            is_tls = url.startswith("rediss://")
            checks = query.get("ssl_cert_reqs", "required") not in {"none", "CERT_NONE"}
            level = "ok" if is_tls and checks else "critical"
            found = "Redis is asked over TLS" if is_tls else "Redis is asked in the clear"
            if is_tls and not checks:
                found = "Redis' certificate is not checked"
            yield _finding("transport", level, found, "use rediss:// with ssl_ca_certs=… (docs/security.md)")


def _web(settings: Settings) -> Iterator[Finding]:
    if not _is_local(settings.api_host) and settings.trusted_proxies is None:
        found = f"the API listens on {settings.api_host} and knows of no proxy that ends TLS"
        remedy = "put a proxy with TLS before it and name it in ELP_TRUSTED_PROXIES"
        yield Finding("web", "warning", found, remedy)
    if settings.trusted_proxies is not None and "*" in settings.trusted_proxies:
        remedy = "name the proxies' addresses: anybody can claim any address now, and has no rate limit"
        yield Finding("web", "critical", "every client is believed to be a proxy", remedy)
    if "*" in (settings.cors_origins or ""):
        yield Finding("web", "critical", "every web page may call the API", "name origins in ELP_CORS_ORIGINS")
    none = [name for name in ("login_limit_account", "login_limit_address") if getattr(settings, name) == "none"]
    if none:
        names = " and ".join(f"ELP_{name.upper()}" for name in none)
        yield Finding("web", "critical", f"{names}: passwords may be guessed without limit", "set a limit")


def _files(env_file: Path) -> Iterator[Finding]:
    if env_file.exists():
        mode = stat.S_IMODE(env_file.stat().st_mode)
        level: Level = "critical" if mode & 0o077 else "ok"
        yield _finding("files", level, f"{env_file} has mode {mode:o}", f"chmod 600 {env_file}: it holds secrets")


def _database(database: DatabaseSecurity) -> Iterator[Finding]:
    if database.is_superuser or database.owns_tables:
        what = "a superuser" if database.is_superuser else "the owner of the tables"
        remedy = "run the processes with the roles of `elp db roles`: this one may do anything to the data"
        yield Finding("database role", "warning", f"{database.role} is {what}", remedy)
    else:
        yield Finding("database role", "ok", f"{database.role} has no more than its grants")
    level: Level = "ok" if database.guards == GUARDS else "critical"
    found = f"{database.guards} of {GUARDS} triggers guard the audit log"
    yield _finding("audit log", level, found, "enable or restore them, then `elp audit verify` with an anchor")
    if database.endless_tokens:
        found = f"{database.endless_tokens:,} API tokens never expire"
        yield Finding("tokens", "warning", found, "rotate them: `elp tokens list`, `elp tokens rotate`")
    if database.unused_tokens:
        found = f"{database.unused_tokens:,} API tokens were not used for {UNUSED.days} days"
        yield Finding("tokens", "warning", found, "revoke them: `elp tokens list`, `elp tokens revoke`")
    yield Finding("accounts", "ok", f"{database.admins:,} active admins")


def _is_local(host: str | None) -> bool:
    if host in {None, "", "localhost"}:
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False
