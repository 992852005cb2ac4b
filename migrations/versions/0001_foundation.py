"""Extensions and functions that the tables stand on."""

from alembic import op

from migrations.support import execute_file

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENT_STATISTICS = """
DO $block$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements') THEN
        CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'pg_stat_statements is left out: only a superuser may create it';
END
$block$
"""
"""Optional: the slow-query report uses it. Creating it works without its preload; reading it does not."""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS unaccent")
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute(STATEMENT_STATISTICS)
    execute_file("0001_set_updated_at")
    execute_file("0001_uuidv7")
    execute_file("0001_uuidv7_floor")


def downgrade() -> None:
    op.execute("DROP FUNCTION uuidv7_floor(timestamptz)")
    op.execute("DROP FUNCTION IF EXISTS public.uuidv7()")
    op.execute("DROP FUNCTION set_updated_at()")
    op.execute("DROP EXTENSION IF EXISTS pg_stat_statements")
    op.execute("DROP EXTENSION IF EXISTS pg_trgm")
    op.execute("DROP EXTENSION IF EXISTS unaccent")
