"""Lessons, questions and sets of questions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import keep_updated_at

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lessons",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_id", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("description_id", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("skill", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), server_default="", nullable=False),
        sa.Column("path", sa.Text(), server_default="", nullable=False),
        sa.Column("unit", sa.Text(), server_default="", nullable=False),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sections", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("search_vector", postgresql.TSVECTOR(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("jsonb_typeof(sections) = 'array'", name=op.f("ck_lessons_sections")),
        sa.CheckConstraint("level IN ('A1', 'A2', 'B1', 'B2')", name=op.f("ck_lessons_level")),
        sa.CheckConstraint(
            "skill IN ('grammar', 'vocabulary', 'reading', 'listening', 'writing', 'speaking')",
            name=op.f("ck_lessons_skill"),
        ),
        sa.CheckConstraint(
            "slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 200", name=op.f("ck_lessons_slug")
        ),
        sa.CheckConstraint("status IN ('draft', 'published', 'archived')", name=op.f("ck_lessons_status")),
        sa.CheckConstraint("title ~ '\\S' AND char_length(title) <= 500", name=op.f("ck_lessons_title")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_lessons_position")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
        sa.UniqueConstraint("slug", name="uq_lessons_slug"),
    )
    op.create_index("idx_lessons_level_skill", "lessons", ["level", "skill"])
    op.create_index("idx_lessons_path", "lessons", ["path", "unit", "position"])
    op.create_index("idx_lessons_search", "lessons", ["search_vector"], postgresql_using="gin")
    op.create_table(
        "questions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("stem", sa.Text(), nullable=False),
        sa.Column("stem_id", sa.Text(), nullable=True),
        sa.Column("options", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("answer_key", postgresql.JSONB(), nullable=False),
        sa.Column("explanation", sa.Text(), server_default="", nullable=False),
        sa.Column("explanation_id", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("skill", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), server_default="", nullable=False),
        sa.Column("difficulty", sa.SmallInteger(), server_default=sa.text("3"), nullable=False),
        sa.Column("usual_time_ms", sa.Integer(), server_default=sa.text("15000"), nullable=False),
        sa.Column("item_discrimination", sa.Double(), nullable=True),
        sa.Column("item_difficulty", sa.Double(), nullable=True),
        sa.Column("item_guessing", sa.Double(), nullable=True),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("search_vector", postgresql.TSVECTOR(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("jsonb_typeof(answer_key) = 'object'", name=op.f("ck_questions_answer_key")),
        sa.CheckConstraint("jsonb_typeof(options) IN ('array', 'object')", name=op.f("ck_questions_options")),
        sa.CheckConstraint("level IN ('A1', 'A2', 'B1', 'B2')", name=op.f("ck_questions_level")),
        sa.CheckConstraint(
            "skill IN ('grammar', 'vocabulary', 'reading', 'listening', 'writing', 'speaking')",
            name=op.f("ck_questions_skill"),
        ),
        sa.CheckConstraint("status IN ('draft', 'published', 'archived')", name=op.f("ck_questions_status")),
        sa.CheckConstraint("stem ~ '\\S' AND char_length(stem) <= 10000", name=op.f("ck_questions_stem")),
        sa.CheckConstraint(
            "type IN ('multiple_choice', 'multiple_select', 'true_false', 'fill_blank', 'short_answer', 'matching', 'ordering')",
            name=op.f("ck_questions_type"),
        ),
        sa.CheckConstraint("difficulty BETWEEN 1 AND 5", name=op.f("ck_questions_difficulty")),
        sa.CheckConstraint("item_difficulty BETWEEN -100 AND 100", name=op.f("ck_questions_item_difficulty")),
        sa.CheckConstraint("item_discrimination BETWEEN -100 AND 100", name=op.f("ck_questions_item_discrimination")),
        sa.CheckConstraint("item_guessing >= 0 AND item_guessing < 1", name=op.f("ck_questions_item_guessing")),
        sa.CheckConstraint("usual_time_ms > 0", name=op.f("ck_questions_usual_time_ms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
    )
    op.create_index("idx_questions_search", "questions", ["search_vector"], postgresql_using="gin")
    op.create_index("idx_questions_type_level", "questions", ["type", "level"])
    op.create_table(
        "question_sets",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), server_default="tryout", nullable=False),
        sa.Column("scheme", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("time_limit_seconds", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("jsonb_typeof(scheme) = 'object'", name=op.f("ck_question_sets_scheme")),
        sa.CheckConstraint("kind IN ('tryout', 'placement', 'practice')", name=op.f("ck_question_sets_kind")),
        sa.CheckConstraint(
            "slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 200", name=op.f("ck_question_sets_slug")
        ),
        sa.CheckConstraint("status IN ('draft', 'published', 'archived')", name=op.f("ck_question_sets_status")),
        sa.CheckConstraint("title ~ '\\S' AND char_length(title) <= 500", name=op.f("ck_question_sets_title")),
        sa.CheckConstraint("time_limit_seconds > 0", name=op.f("ck_question_sets_time_limit_seconds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_sets")),
        sa.UniqueConstraint("slug", name="uq_question_sets_slug"),
    )
    op.create_table(
        "lesson_questions",
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("position >= 0", name=op.f("ck_lesson_questions_position")),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_lesson_questions_lesson_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["questions.id"], name=op.f("fk_lesson_questions_question_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("lesson_id", "question_id", name=op.f("pk_lesson_questions")),
        sa.UniqueConstraint("lesson_id", "position", deferrable=True, name="uq_lesson_questions_position"),
    )
    op.create_index("idx_lesson_questions_question", "lesson_questions", ["question_id"])
    op.create_table(
        "questionset_questions",
        sa.Column("question_set_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("section", sa.Text(), server_default="", nullable=False),
        sa.Column("points", sa.Numeric(precision=8, scale=2), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("points > 0 AND points <> 'NaN'", name=op.f("ck_questionset_questions_points")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_questionset_questions_position")),
        sa.ForeignKeyConstraint(
            ["question_id"], ["questions.id"], name=op.f("fk_questionset_questions_question_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["question_set_id"],
            ["question_sets.id"],
            name=op.f("fk_questionset_questions_question_set_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("question_set_id", "question_id", name=op.f("pk_questionset_questions")),
        sa.UniqueConstraint("question_set_id", "position", deferrable=True, name="uq_questionset_questions_position"),
    )
    op.create_index("idx_questionset_questions_question", "questionset_questions", ["question_id"])
    keep_updated_at("lessons", "questions", "question_sets", "lesson_questions", "questionset_questions")


def downgrade() -> None:
    op.drop_table("questionset_questions")
    op.drop_table("lesson_questions")
    op.drop_table("question_sets")
    op.drop_table("questions")
    op.drop_table("lessons")
