"""Accounts, preferences and the tokens of services."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import execute_file, keep_updated_at

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0002_check_time_zone")
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("current_level", sa.Text(), server_default="A1", nullable=False),
        sa.Column("learning_goals", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("role", sa.Text(), server_default="learner", nullable=False),
        sa.Column("timezone", sa.Text(), server_default="Asia/Jakarta", nullable=False),
        sa.Column("locale", sa.Text(), server_default="id", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_verified", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_premium", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("current_level IN ('A1', 'A2', 'B1', 'B2')", name=op.f("ck_users_current_level")),
        sa.CheckConstraint(
            "email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND char_length(email) <= 254", name=op.f("ck_users_email")
        ),
        sa.CheckConstraint("full_name ~ '\\S' AND char_length(full_name) <= 200", name=op.f("ck_users_full_name")),
        sa.CheckConstraint("locale IN ('id', 'en')", name=op.f("ck_users_locale")),
        sa.CheckConstraint(
            "password_hash ~ '^\\$2[aby]\\$[0-9]{2}\\$[./A-Za-z0-9]{53}$'", name=op.f("ck_users_password_hash")
        ),
        sa.CheckConstraint(
            "role IN ('learner', 'teacher', 'editor', 'finance', 'operator', 'admin')", name=op.f("ck_users_role")
        ),
        sa.CheckConstraint(
            "timezone ~ '^(UTC|[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){1,2})$'", name=op.f("ck_users_timezone")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("idx_users_active", "users", ["id"], postgresql_where=sa.text("is_active"))
    op.create_index("uq_users_email", "users", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "user_preferences",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("ui_language", sa.Text(), server_default="id", nullable=False),
        sa.Column("daily_goal", sa.Integer(), server_default=sa.text("20"), nullable=False),
        sa.Column("new_limit", sa.Integer(), server_default=sa.text("10"), nullable=False),
        sa.Column("review_limit", sa.Integer(), server_default=sa.text("200"), nullable=False),
        sa.Column("day_start_hour", sa.SmallInteger(), server_default=sa.text("4"), nullable=False),
        sa.Column("scheduler", sa.Text(), server_default="sm2", nullable=False),
        sa.Column(
            "desired_retention", sa.Numeric(precision=3, scale=2), server_default=sa.text("0.90"), nullable=False
        ),
        sa.Column("notifications", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("jsonb_typeof(notifications) = 'object'", name=op.f("ck_user_preferences_notifications")),
        sa.CheckConstraint("scheduler IN ('sm2', 'fsrs')", name=op.f("ck_user_preferences_scheduler")),
        sa.CheckConstraint("ui_language IN ('id', 'en')", name=op.f("ck_user_preferences_ui_language")),
        sa.CheckConstraint("daily_goal BETWEEN 0 AND 10000", name=op.f("ck_user_preferences_daily_goal")),
        sa.CheckConstraint("day_start_hour BETWEEN 0 AND 23", name=op.f("ck_user_preferences_day_start_hour")),
        sa.CheckConstraint(
            "desired_retention BETWEEN 0.70 AND 0.99", name=op.f("ck_user_preferences_desired_retention")
        ),
        sa.CheckConstraint("new_limit BETWEEN 0 AND 10000", name=op.f("ck_user_preferences_new_limit")),
        sa.CheckConstraint("review_limit BETWEEN 0 AND 10000", name=op.f("ck_user_preferences_review_limit")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_preferences_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_preferences")),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rotated_from_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("name ~ '\\S' AND char_length(name) <= 200", name=op.f("ck_api_tokens_name")),
        sa.CheckConstraint("char_length(prefix) BETWEEN 4 AND 16", name=op.f("ck_api_tokens_prefix")),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_api_tokens_token_hash")),
        sa.CheckConstraint("rotated_from_id <> id", name=op.f("ck_api_tokens_rotated_from")),
        sa.ForeignKeyConstraint(
            ["rotated_from_id"], ["api_tokens.id"], name=op.f("fk_api_tokens_rotated_from_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
    )
    op.create_index(
        "idx_api_tokens_rotated_from",
        "api_tokens",
        ["rotated_from_id"],
        postgresql_where=sa.text("rotated_from_id IS NOT NULL"),
    )
    op.create_index("idx_api_tokens_user", "api_tokens", ["user_id"], postgresql_where=sa.text("user_id IS NOT NULL"))
    keep_updated_at("users", "user_preferences", "api_tokens")
    op.execute(
        "CREATE TRIGGER users_check_timezone BEFORE INSERT OR UPDATE OF timezone ON users "
        "FOR EACH ROW EXECUTE FUNCTION check_time_zone()"
    )


def downgrade() -> None:
    op.drop_table("api_tokens")
    op.drop_table("user_preferences")
    op.drop_table("users")
    op.execute("DROP FUNCTION check_time_zone()")
