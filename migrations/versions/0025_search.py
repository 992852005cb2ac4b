"""Search vectors: their one definition, marks set by the statements that change texts, and the words that texts have."""

import sqlalchemy as sa
from alembic import op

from migrations.support import execute_file, keep_updated_at

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_TABLES = ("questions", "lessons", "lesson_questions")
_INDEXES = ("idx_questions_search", "idx_lessons_search")
_FUNCTIONS = {
    "search_json_text": "jsonb",
    "search_vector_of": "text, text, text, text, text, text, text",
    "lesson_search_vector": "lessons",
    "question_search_vector": "questions, text",
    "question_topics": "uuid[]",
    "lesson_words": "lessons",
    "question_words": "questions",
    "search_tsquery": "jsonb",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in _FUNCTIONS:
        execute_file(f"0025_{name}")
    op.execute("CREATE FUNCTION search_vector_version() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'")
    _create_state()
    _create_words()
    # With a pending list, one unlucky writer pays for thousands of others while it holds its rows' locks, and each query
    # reads the list from end to end.
    for index in _INDEXES:
        op.execute(f"ALTER INDEX {index} SET (fastupdate = off)")
        op.execute(f"SELECT gin_clean_pending_list('{index}')")
    for table in _TABLES:
        execute_file(f"0025_mark_{table}")
        changes = {"insert": "NEW TABLE AS new_rows", "update": "OLD TABLE AS old_rows NEW TABLE AS new_rows"}
        if table == "lesson_questions":
            changes["delete"] = "OLD TABLE AS old_rows"
        for change, rows in changes.items():
            op.execute(
                f"CREATE TRIGGER {table}_mark_{change} AFTER {change.upper()} ON {table} REFERENCING {rows} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION mark_{table}_for_search()"
            )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in reversed(_TABLES):
        op.execute(f"DROP FUNCTION mark_{table}_for_search() CASCADE")
    for index in _INDEXES:
        op.execute(f"ALTER INDEX {index} RESET (fastupdate)")
    op.drop_table("search_words")
    op.drop_table("search_state")
    op.execute("DROP FUNCTION search_vector_version()")
    for name, arguments in reversed(_FUNCTIONS.items()):
        op.execute(f"DROP FUNCTION {name}({arguments})")


def _create_state() -> None:
    op.create_table(
        "search_state",
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("marked_through", sa.Uuid(), nullable=True),
        sa.Column("words_due", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("object_type IN ('lesson', 'question')", name=op.f("ck_search_state_object_type")),
        sa.CheckConstraint("version >= 0", name=op.f("ck_search_state_version")),
        sa.PrimaryKeyConstraint("object_type", name=op.f("pk_search_state")),
    )
    keep_updated_at("search_state")
    op.execute("INSERT INTO search_state (object_type) VALUES ('lesson'), ('question')")


def _create_words() -> None:
    op.create_table(
        "search_words",
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.Column("documents", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("documents > 0", name=op.f("ck_search_words_documents")),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_words")),
    )
    op.create_index(
        "idx_search_words_similar",
        "search_words",
        ["word"],
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
    )
    keep_updated_at("search_words")
