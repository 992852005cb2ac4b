"""App events: the feed that the platform's app reads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import execute_file, keep_updated_at

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "app_events",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("payload", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        sa.Column(
            "transaction_id",
            sa.BigInteger(),
            server_default=sa.text("pg_current_xact_id()::text::bigint"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind ~ '^[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)+$' AND char_length(kind) <= 100",
            name=op.f("ck_app_events_kind"),
        ),
        sa.CheckConstraint("jsonb_typeof(payload) = 'object'", name=op.f("ck_app_events_payload")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_app_events_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_events")),
    )
    op.create_index("idx_app_events_feed", "app_events", ["transaction_id", "id"])
    op.create_index("idx_app_events_kind", "app_events", ["kind", "transaction_id", "id"])
    op.create_index("idx_app_events_user", "app_events", ["user_id"], postgresql_where=sa.text("user_id IS NOT NULL"))
    op.create_index(
        "uq_app_events_dedupe_key",
        "app_events",
        ["dedupe_key"],
        unique=True,
        postgresql_where=sa.text("dedupe_key IS NOT NULL"),
    )
    keep_updated_at("app_events")
    execute_file("0019_notify_app_events")
    op.execute(
        "CREATE TRIGGER app_events_notify AFTER INSERT ON app_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION notify_app_events()"
    )


def downgrade() -> None:
    op.drop_table("app_events")
    op.execute("DROP FUNCTION notify_app_events()")
