"""Logging in by functions of the owner's, so that the API's role needs no right to read password hashes."""

from alembic import op

from migrations.support import execute_file

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

FUNCTIONS = ("login_salt(text)", "login_check(text, text)", "login_rehash(uuid, text, text)")


def upgrade() -> None:
    for function in FUNCTIONS:
        execute_file(f"0030_{function.partition('(')[0]}")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")


def downgrade() -> None:
    for function in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {function}")
