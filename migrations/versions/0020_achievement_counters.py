"""Local days of learners, counters for achievements, and marks of learners whose counters changed."""

import sqlalchemy as sa
from alembic import op

from migrations.support import keep_updated_at

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_CHECKS = {
    "cards_mature": "cards_mature >= 0",
    "day_start_hour": "day_start_hour BETWEEN 0 AND 23",
    "day_rule_changes": "day_rule_changes >= 0",
}


def upgrade() -> None:
    zero = sa.text("0")
    op.add_column("user_stats", sa.Column("cards_mature", sa.Integer(), server_default=zero, nullable=False))
    op.add_column("user_stats", sa.Column("day_zone", sa.Text(), nullable=True))
    op.add_column("user_stats", sa.Column("day_start_hour", sa.SmallInteger(), nullable=True))
    op.add_column("user_stats", sa.Column("day_rule_changes", sa.Integer(), server_default=zero, nullable=False))
    # False for the learners there are, and for those whom a worker of the version before adds meanwhile.
    op.add_column(
        "user_stats", sa.Column("has_all_days", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    for column, rule in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_user_stats_{column}"), "user_stats", rule, postgresql_not_valid=True)
    op.create_table(
        "user_days",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("correct", sa.Integer(), nullable=False),
        sa.Column("early", sa.Integer(), server_default=zero, nullable=False),
        sa.Column("late", sa.Integer(), server_default=zero, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("attempts > 0", name=op.f("ck_user_days_attempts")),
        sa.CheckConstraint("correct BETWEEN 0 AND attempts", name=op.f("ck_user_days_correct")),
        sa.CheckConstraint("early >= 0 AND late >= 0 AND early + late <= attempts", name=op.f("ck_user_days_early")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_days_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "local_date", name=op.f("pk_user_days")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_table(
        "achievement_marks",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_achievement_marks")),
        postgresql_with={
            "autovacuum_vacuum_scale_factor": 0,
            "autovacuum_vacuum_threshold": 20000,
            "autovacuum_vacuum_cost_delay": 0,
            "autovacuum_analyze_scale_factor": 0,
            "autovacuum_analyze_threshold": 20000,
        },
    )
    op.create_index("idx_achievement_marks_user", "achievement_marks", ["user_id"])
    keep_updated_at("user_days", "achievement_marks")
    # Checked in transactions of their own: the table is read whole, and nobody may wait for that.
    with op.get_context().autocommit_block():
        for column in _CHECKS:
            op.execute(f"ALTER TABLE user_stats VALIDATE CONSTRAINT ck_user_stats_{column}")


def downgrade() -> None:
    op.drop_table("achievement_marks")
    op.drop_table("user_days")
    for column in ("has_all_days", "day_rule_changes", "day_start_hour", "day_zone", "cards_mature"):
        op.drop_column("user_stats", column)
