"""What migrations share: SQL kept as files, and the trigger every table gets."""

from pathlib import Path

from alembic import op


def execute_file(name: str) -> None:
    """Run the statement in `migrations/sql/<name>.sql`."""
    statement = Path(__file__).with_name("sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    op.execute(statement)


def keep_updated_at(*tables: str) -> None:
    """Give tables the trigger that keeps their `updated_at` true; it goes away with the table."""
    for table in tables:
        op.execute(
            f"CREATE TRIGGER {table}_set_updated_at BEFORE UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
        )
