"""Due queues follow their learners' wishes and time zones at once; what makes cards siblings."""

from alembic import op

from migrations.support import execute_file

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("srs_card_family", "rebuild_due_queues", "preferences_changed", "preferences_made", "zone_changed"):
        execute_file(f"0018_{name}")
    op.execute(
        "CREATE TRIGGER user_preferences_rebuild AFTER UPDATE ON user_preferences"
        " REFERENCING OLD TABLE AS before NEW TABLE AS after"
        " FOR EACH STATEMENT EXECUTE FUNCTION user_preferences_rebuild_due_queues()"
    )
    op.execute(
        "CREATE TRIGGER user_preferences_first AFTER INSERT ON user_preferences REFERENCING NEW TABLE AS after"
        " FOR EACH STATEMENT EXECUTE FUNCTION user_preferences_first_due_queues()"
    )
    op.execute(
        "CREATE TRIGGER users_rebuild AFTER UPDATE ON users"
        " REFERENCING OLD TABLE AS before NEW TABLE AS after"
        " FOR EACH STATEMENT EXECUTE FUNCTION users_rebuild_due_queues()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER users_rebuild ON users")
    op.execute("DROP TRIGGER user_preferences_first ON user_preferences")
    op.execute("DROP TRIGGER user_preferences_rebuild ON user_preferences")
    for name in (
        "users_rebuild_due_queues()",
        "user_preferences_first_due_queues()",
        "user_preferences_rebuild_due_queues()",
        "srs_rebuild_due_queues(uuid[])",
        "srs_card_family(uuid, text)",
    ):
        op.execute(f"DROP FUNCTION {name}")
