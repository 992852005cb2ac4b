"""Partitions are made with the owner's rights, so that the worker's role needs none to create tables."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

FUNCTION = "ensure_question_attempts_partitions(date, integer)"


def upgrade() -> None:
    op.execute(f"ALTER FUNCTION {FUNCTION} SECURITY DEFINER SET search_path = public, pg_temp")
    op.execute(f"REVOKE ALL ON FUNCTION {FUNCTION} FROM PUBLIC")


def downgrade() -> None:
    op.execute(f"GRANT EXECUTE ON FUNCTION {FUNCTION} TO PUBLIC")
    op.execute(f"ALTER FUNCTION {FUNCTION} RESET search_path")
    op.execute(f"ALTER FUNCTION {FUNCTION} SECURITY INVOKER")
