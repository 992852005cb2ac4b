"""Spaced repetition: the index of due cards holds what a queue needs, so that building one fetches no card's row.

A learner's cards lie scattered over the table; their entries in the index lie side by side.
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# Pages changed since the last vacuum are looked up in the table after all, so vacuum comes earlier than at 20 % dead rows.
_VACUUM_AT = 0.02


def upgrade() -> None:
    _replace_index("INCLUDE (id, interval, is_learning, state, buried_until)")
    op.execute(f"ALTER TABLE srs_cards SET (autovacuum_vacuum_scale_factor = {_VACUUM_AT})")


def downgrade() -> None:
    _replace_index("")
    op.execute("ALTER TABLE srs_cards RESET (autovacuum_vacuum_scale_factor)")


def _replace_index(included: str) -> None:
    """Make the index anew beside the old one, which serves meanwhile, and let it take over the name."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP INDEX IF EXISTS idx_srs_cards_due_new")  # of an attempt that was cut short
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY idx_srs_cards_due_new ON srs_cards (user_id, next_review_date)"
            f" {included} WHERE NOT is_suspended"
        )
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP INDEX idx_srs_cards_due")
    op.execute("ALTER INDEX idx_srs_cards_due_new RENAME TO idx_srs_cards_due")
