"""Tryouts: answers only as they were given. Writing each one's worth was most of the work of scoring a sitting."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # Their checks go with them; no table is rewritten.
    op.drop_column("tryout_answers", "score")
    op.drop_column("tryout_answers", "points")
    op.execute("ALTER TABLE tryout_answers RESET (fillfactor)")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # Empty, as of answers not scored yet: `elp tryouts rescore` of the earlier version fills them.
    op.execute("ALTER TABLE tryout_answers SET (fillfactor = 60)")
    op.add_column("tryout_answers", sa.Column("score", sa.Numeric(precision=5, scale=4), nullable=True))
    op.add_column("tryout_answers", sa.Column("points", sa.Numeric(precision=8, scale=4), nullable=True))
    for name, condition in (("score", "score BETWEEN 0 AND 1"), ("points", "points <> 'NaN'")):
        op.execute(f"ALTER TABLE tryout_answers ADD CONSTRAINT ck_tryout_answers_{name} CHECK ({condition}) NOT VALID")
        op.execute(f"ALTER TABLE tryout_answers VALIDATE CONSTRAINT ck_tryout_answers_{name}")
