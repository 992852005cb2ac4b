"""The whole platform on one machine: servers, schema, secrets, ports and the processes of the Procfile."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from worker.db.schema import current_revision, head_revision, migrate
from worker.embedded import Servers, servers
from worker.embedded.ports import free_port, is_free
from worker.errors import ConfigurationError
from worker.flower import flower_environment
from worker.settings import Settings
from worker.supervisor.health import probes, reachable_host
from worker.supervisor.procfile import Entry
from worker.supervisor.supervisor import Supervisor

_PORTS_TRIED: Final = 100


@dataclass(frozen=True)
class Platform:
    """A running platform: where it is reached and with which secrets."""

    supervisor: Supervisor
    settings: Settings
    """What its processes got: with the ports and secrets chosen for this run."""
    servers: Servers

    @property
    def api_url(self) -> str:
        """The API's address, without a slash at its end."""
        return f"http://{reachable_host(self.settings.api_host)}:{self.settings.api_port}"

    @property
    def flower_url(self) -> str:
        """Flower's address."""
        return f"http://127.0.0.1:{self.settings.flower_port}"


@contextmanager
def platform(
    settings: Settings,
    entries: Sequence[Entry],
    output: Callable[[str, str], None],
    *,
    demo_secrets: bool = False,
) -> Iterator[Platform]:
    """Start everything and stop it at the end; healthy it is only after `supervisor.wait_healthy()`.

    An embedded database is migrated; any other must have been (`elp migrate`).

    Args:
        settings: what the operator set.
        entries: the processes to run.
        output: called with a process's name and each line it prints.
        demo_secrets: make random ones for ELP_API_TOKEN and ELP_FLOWER_AUTH where they are not set.

    Raises:
        ConfigurationError: a secret is missing, a port that was asked for is taken, or the schema is not current.
        ServerError: an embedded server does not start.
    """
    names = {entry.name for entry in entries}
    settings = with_ports(with_secrets(settings, names, demo_secrets=demo_secrets), names)
    with servers(settings) as used:
        _bring_up_to_date(used)
        environment = process_environment(settings, used, os.environ)
        checks = probes(api_host=settings.api_host, api_port=settings.api_port, flower_port=settings.flower_port)
        with Supervisor(entries, environment, output, checks) as supervisor:
            yield Platform(supervisor, settings, used)


def with_secrets(settings: Settings, names: set[str], *, demo_secrets: bool) -> Settings:
    """Return the settings with the secrets that the processes `names` need: random ones if `demo_secrets`.

    Raises:
        ConfigurationError: one is missing and `demo_secrets` is off, or Flower's can't be a login.
    """
    changes: dict[str, SecretStr] = {}
    if "api" in names and settings.api_token is None:
        changes["api_token"] = SecretStr(secrets.token_urlsafe(24))
    if "flower" in names and settings.flower_auth is None:
        changes["flower_auth"] = SecretStr(f"elp:{secrets.token_urlsafe(12)}")
    if changes and not demo_secrets:
        missing = " and ".join(f"ELP_{name.upper()}" for name in changes)
        verb = "is" if len(changes) == 1 else "are"
        raise ConfigurationError(f"{missing} {verb} not set: set it, or let `--demo-secrets` make it up for this run")
    changed = settings.model_copy(update=changes)
    if "flower" in names:
        flower_environment(changed)
    return changed


def with_ports(settings: Settings, names: set[str]) -> Settings:
    """Return the settings with ports that can be had: the wanted ones, or for defaults that are taken the next free.

    Raises:
        ConfigurationError: a port was named by the operator and is taken.
    """
    changes: dict[str, int] = {}
    for name, field, host in (("api", "api_port", settings.api_host), ("flower", "flower_port", "127.0.0.1")):
        if name not in names:
            continue
        wanted: int = getattr(settings, field)
        if wanted == 0:
            changes[field] = free_port(host)
        elif not is_free(wanted, host) or wanted in changes.values():
            if field in settings.model_fields_set:
                raise ConfigurationError(f"ELP_{field.upper()}: port {wanted} is in use on {host}")
            following = range(wanted + 1, wanted + _PORTS_TRIED)
            free = next((port for port in following if is_free(port, host) and port not in changes.values()), None)
            changes[field] = free or free_port(host)
    return settings.model_copy(update=changes)


def process_environment(settings: Settings, used: Servers, inherited: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment variables for the processes: the inherited ones, and all that was chosen for this run."""
    chosen = {
        "ELP_DATABASE_URL": used.database_url,
        "ELP_REDIS_URL": used.redis_url,
        "ELP_API_PORT": str(settings.api_port),
        "ELP_FLOWER_PORT": str(settings.flower_port),
        "PYTHONUNBUFFERED": "1",
    }
    for name, secret in (("ELP_API_TOKEN", settings.api_token), ("ELP_FLOWER_AUTH", settings.flower_auth)):
        if secret is not None:
            chosen[name] = secret.get_secret_value()
    if "log_format" not in settings.model_fields_set:
        chosen["ELP_LOG_FORMAT"] = "console"  # a person watches
    return {**inherited, **chosen}


def _bring_up_to_date(used: Servers) -> None:
    if "PostgreSQL" in used.embedded:
        migrate(used.database_url)
        return
    current, head = current_revision(used.database_url), head_revision()
    if current != head:
        raise ConfigurationError(f"the database's schema is {current or 'missing'}, not {head}: run `elp migrate`")
