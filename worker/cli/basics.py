"""The small commands: `elp migrate`, `elp settings`, `elp version`."""

from importlib.metadata import version as installed_version
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr
from rich.table import Table

import tasks
from worker.cli.actors import note
from worker.cli.console import out
from worker.db import schema, transaction
from worker.embedded import servers
from worker.jobs.known_tasks import known_tasks, tell_database
from worker.jobs.registry import load_jobs, registry
from worker.settings import Settings, get_settings


def migrate() -> None:
    """Bring the database's schema to this version's."""
    with servers() as used:
        before = schema.current_revision(used.database_url)
        schema.migrate(used.database_url)
        after = schema.current_revision(used.database_url)
        load_jobs(tasks.MODULES)
        with transaction() as connection:
            tell_database(connection, known_tasks(), registry.all(), forget_others=True)
            if before != after:
                note(connection, "schema.migrated", "schema", str(after), {"from": before})
    out.print(f"schema {after}: nothing to do" if before == after else f"schema {before or 'none'} → {after}")


def settings() -> None:
    """Show the settings in effect, secrets masked, and which of them were set."""
    current = get_settings()
    table = Table("variable", "value", "source")
    for name in Settings.model_fields:
        source = "set" if name in current.model_fields_set else "default"
        table.add_row(f"ELP_{name.upper()}", shown(getattr(current, name)), source)
    out.print(table)


def version() -> None:
    """Show this product's version."""
    out.print(installed_version("elp-worker"))


def shown(value: Any) -> str:
    """Return a setting's value as text without its secrets: passwords in addresses are masked, too."""
    if value is None:
        return "(unset)"
    if isinstance(value, SecretStr):
        return "********"
    text = str(value)
    if "://" in text:
        parts = urlsplit(text)
        if parts.password:
            return text.replace(f":{parts.password}@", ":********@", 1)
    return text
