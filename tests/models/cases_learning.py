"""Cases of the checks on content, attempts, cards, achievements and tryouts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from tests.factories import make_tryout_session
from tests.models.cases import Case, bounds, case, filled, json_object, vocabulary
from tests.samples import QUESTIONS
from worker.models.attempts import ProgressStatus
from worker.models.base import Level, Skill, Status
from worker.models.content import QuestionType, SetKind
from worker.models.srs import CardState, ItemType
from worker.models.tryouts import SessionState, SignalKind

T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)
CARDS = [UUID(int=number) for number in range(6)]
HUNDREDTH = Decimal("0.01")
TEN_THOUSANDTH = Decimal("0.0001")
NAN = Decimal("NaN")

SLUGS = {
    "refused": [
        {"slug": ""},
        {"slug": "Greetings"},
        {"slug": "a--b"},
        {"slug": "-a"},
        {"slug": "a b"},
        {"slug": "a\n"},
        {"slug": "a" * 201},
    ],
    "accepted": [{"slug": "a"}, {"slug": "a1-greetings-2"}, {"slug": "a" * 200}],
}

CONTENT: list[Case] = [
    case("ck_lessons_slug", **SLUGS),
    filled("lessons", "title", 500),
    vocabulary("lessons", "level", Level, outside="C1"),
    vocabulary("lessons", "skill", Skill),
    bounds("lessons", "position", 0),
    case("ck_lessons_sections", refused=[{"sections": {}}], accepted=[{"sections": []}, {"sections": [{"kind": "a"}]}]),
    vocabulary("lessons", "status", Status),
    vocabulary("questions", "type", QuestionType, stranger=QUESTIONS["true_false"]),
    filled("questions", "stem", 10_000),
    case(
        "ck_questions_options",
        refused=[{"options": "text"}, {"options": 1}],
        accepted=[{"options": []}, {"options": {"left": [], "right": []}}],
    ),
    json_object("questions", "answer_key"),
    case("ck_questions_family", refused=[{"family": "x" * 201}], accepted=[{"family": ""}, {"family": "é" * 200}]),
    vocabulary("questions", "level", Level, outside="C1"),
    vocabulary("questions", "skill", Skill),
    bounds("questions", "difficulty", 1, 5),
    bounds("questions", "usual_time_ms", 1),
    bounds("questions", "item_discrimination", -100, 100, step=0.5),
    bounds("questions", "item_difficulty", -100, 100, step=0.5),
    case(
        "ck_questions_item_guessing",
        refused=[{"item_guessing": -0.01}, {"item_guessing": 1}, {"item_guessing": float("nan")}],
        accepted=[{"item_guessing": 0}, {"item_guessing": 0.999}],
    ),
    vocabulary("questions", "status", Status),
    bounds("lesson_questions", "position", 0),
    case("ck_question_sets_slug", **SLUGS),
    filled("question_sets", "title", 500),
    vocabulary("question_sets", "kind", SetKind),
    json_object("question_sets", "scheme"),
    bounds("question_sets", "time_limit_seconds", 1),
    vocabulary("question_sets", "status", Status),
    bounds("questionset_questions", "position", 0),
    case(
        "ck_questionset_questions_points",
        refused=[{"points": Decimal(0)}, {"points": NAN}],
        accepted=[{"points": HUNDREDTH}],
    ),
]

ATTEMPTS: list[Case] = [
    bounds("attempt_inbox", "time_spent_ms", 0),
    bounds("question_attempts", "score", Decimal(0), Decimal(1), step=TEN_THOUSANDTH),
    case(
        "ck_question_attempts_is_correct",
        refused=[{"score": Decimal("0.9999"), "is_correct": True}, {"score": Decimal(1), "is_correct": False}],
        accepted=[{"score": Decimal("0.9999"), "is_correct": False}, {"score": Decimal(1), "is_correct": True}],
    ),
    bounds("question_attempts", "time_spent_ms", 0),
    case(
        "ck_attempt_rejections_reason",
        refused=[{"reason": ""}, {"reason": "Unknown"}, {"reason": "_x"}, {"reason": "a" * 65}],
        accepted=[{"reason": "x"}, {"reason": "unknown_tryout_session"}, {"reason": "a" * 64}],
    ),
    case("ck_lesson_progress_attempted", refused=[{"attempted": -1, "correct": -1}], accepted=[{"attempted": 0}]),
    case(
        "ck_lesson_progress_correct",
        refused=[{"attempted": 3, "correct": 4}, {"attempted": 3, "correct": -1}],
        accepted=[{"attempted": 3, "correct": 3}, {"attempted": 3, "correct": 0}],
    ),
    bounds("lesson_progress", "completion_percentage", Decimal(0), Decimal(100), step=HUNDREDTH),
    vocabulary("lesson_progress", "status", ProgressStatus, needs={"completed": {"completed_at": T0}}),
    case(
        "ck_lesson_progress_completed_at",
        refused=[{"status": "completed"}],
        accepted=[{"status": "completed", "completed_at": T0}, {"status": "in_progress", "completed_at": T0}],
    ),
    case("ck_user_stats_attempts", refused=[{"attempts": -1, "correct": -1}], accepted=[{"attempts": 0}]),
    case(
        "ck_user_stats_correct",
        refused=[{"attempts": 2, "correct": 3}, {"attempts": 2, "correct": -1}],
        accepted=[{"attempts": 2, "correct": 2}, {"attempts": 2, "correct": 0}],
    ),
    case(
        "ck_user_stats_score_total",
        refused=[
            {"attempts": 2, "score_total": Decimal("2.0001")},
            {"attempts": 2, "score_total": -TEN_THOUSANDTH},
            {"attempts": 2, "score_total": NAN},
        ],
        accepted=[{"attempts": 2, "score_total": Decimal(2)}, {"attempts": 2, "score_total": Decimal(0)}],
    ),
    bounds("user_stats", "time_spent_ms", 0),
    case(
        "ck_user_stats_lessons_completed",
        refused=[
            {"lessons_started": 1, "lessons_completed": 2},
            {"lessons_started": 1, "lessons_completed": -1},
            {"lessons_started": -1},
        ],
        accepted=[{"lessons_started": 1, "lessons_completed": 1}, {"lessons_started": 1, "lessons_completed": 0}],
    ),
    bounds("user_stats", "cards", 0),
    bounds("user_stats", "cards_mature", 0),
    bounds("user_stats", "day_start_hour", 0, 23),
    bounds("user_stats", "day_rule_changes", 0),
    case("ck_user_days_attempts", refused=[{"attempts": 0, "correct": 0}], accepted=[{"attempts": 1, "correct": 0}]),
    case(
        "ck_user_days_correct",
        refused=[{"attempts": 2, "correct": 3}, {"attempts": 2, "correct": -1}],
        accepted=[{"attempts": 2, "correct": 2}, {"attempts": 2, "correct": 0}],
    ),
    case(
        "ck_user_days_early",
        refused=[{"early": -1}, {"late": -1}, {"attempts": 10, "early": 6, "late": 5}],
        accepted=[{"attempts": 10, "early": 6, "late": 4}, {"early": 0, "late": 0}],
    ),
]

QUEUE = {"card_ids": CARDS, "learning": 1, "review": 2, "new": 3}
SRS: list[Case] = [
    vocabulary("srs_cards", "item_type", ItemType, outside="lesson"),
    vocabulary("srs_cards", "state", CardState),
    bounds("srs_cards", "interval", 0),
    bounds("srs_cards", "ease_factor", Decimal("1.30"), Decimal("5.00"), step=HUNDREDTH),
    bounds("srs_cards", "repetitions", 0),
    bounds("srs_cards", "lapses", 0),
    case(
        "ck_srs_cards_stability",
        refused=[{"stability": 0.0}, {"stability": float("inf")}, {"stability": float("nan")}],
        accepted=[{"stability": 5e-324}, {"stability": 36_500.0}, {"stability": None}],
    ),
    bounds("srs_cards", "difficulty", 1.0, 10.0, step=0.001),
    bounds("srs_cards", "step", 0),
    case(
        "ck_srs_fits_parameters",
        refused=[{"parameters": []}, {"parameters": [1.0] * 20}],
        accepted=[{"parameters": [1.0] * 21}],
    ),
    bounds("srs_fits", "reviews", 1),
    json_object("srs_fits", "metrics"),
    case("ck_srs_due_queues_learning", refused=[QUEUE | {"learning": -1, "new": 5}], accepted=[{"learning": 0}]),
    case("ck_srs_due_queues_review", refused=[QUEUE | {"review": -1, "new": 6}], accepted=[{"review": 0}]),
    case("ck_srs_due_queues_new", refused=[QUEUE | {"new": -1, "review": 6}], accepted=[{"new": 0}]),
    bounds("srs_due_queues", "overdue_total", 0),
    case("ck_srs_due_queues_counts", refused=[QUEUE | {"new": 2}, QUEUE | {"card_ids": []}], accepted=[QUEUE]),
    case(
        "ck_user_achievements_code",
        refused=[{"code": ""}, {"code": "First"}, {"code": "a..b"}, {"code": "a" * 101}],
        accepted=[{"code": "a"}, {"code": "streak.7-days_x"}, {"code": "a" * 100}],
    ),
    json_object("user_achievements", "evidence"),
    case(
        "ck_user_achievements_revoked_at",
        refused=[{"awarded_at": T0, "revoked_at": T0 - TICK}],
        accepted=[{"awarded_at": T0, "revoked_at": T0}, {"awarded_at": T0, "revoked_at": None}],
    ),
]

SCORED = {"state": "scored", "scored_at": T0, "raw_score": Decimal(1)}
TRYOUTS: list[Case] = [
    vocabulary("tryout_sessions", "state", SessionState, needs={"scored": SCORED}),
    case(
        "ck_tryout_sessions_started_at",
        refused=[{"state": "in_progress", "started_at": None}, {"state": "submitted", "started_at": None}],
        accepted=[{"state": "created", "started_at": None}, {"state": "expired", "started_at": None}],
    ),
    case(
        "ck_tryout_sessions_deadline_at",
        refused=[{"started_at": T0, "deadline_at": T0}],
        accepted=[{"started_at": T0, "deadline_at": T0 + TICK}, {"started_at": T0, "deadline_at": None}],
    ),
    case(
        "ck_tryout_sessions_submitted_at",
        refused=[{"started_at": T0, "deadline_at": None, "submitted_at": T0 - TICK}],
        accepted=[{"started_at": T0, "deadline_at": None, "submitted_at": T0}],
    ),
    case(
        "ck_tryout_sessions_scored",
        refused=[SCORED | {"scored_at": None}, SCORED | {"raw_score": None}],
        accepted=[SCORED],
    ),
    case(
        "ck_tryout_sessions_max_score",
        refused=[{"max_score": Decimal(0)}, {"max_score": NAN}],
        accepted=[{"max_score": TEN_THOUSANDTH}],
    ),
    case(
        "ck_tryout_sessions_raw_score",
        refused=[{"raw_score": Decimal("10.0001"), "max_score": Decimal(10)}],
        accepted=[
            {"raw_score": Decimal(10), "max_score": Decimal(10)},
            {"raw_score": Decimal(-5), "max_score": Decimal(10)},
        ],
    ),
    bounds("tryout_sessions", "ability", -100.0, 100.0, step=0.5),
    case(
        "ck_tryout_sessions_ability_error",
        refused=[{"ability_error": 0.0}, {"ability_error": float("inf")}, {"ability_error": float("nan")}],
        accepted=[{"ability_error": 0.001}],
    ),
    bounds("tryout_sessions", "percentile", Decimal(0), Decimal(100), step=HUNDREDTH),
    vocabulary("tryout_sessions", "estimated_level", Level, outside="C1"),
    json_object("tryout_sessions", "result"),
    bounds("tryout_answers", "time_spent_ms", 0),
    bounds("tryout_answers", "sequence", 0),
    filled("tryout_score_changes", "reason", 500),
    json_object("tryout_score_changes", "earlier_result"),
    case(
        "ck_tryout_score_changes_changed_at",
        refused=[{"earlier_scored_at": T0, "changed_at": T0 - TICK}],
        accepted=[{"earlier_scored_at": T0, "changed_at": T0}],
    ),
    case("ck_tryout_cohort_scores_raw_score", refused=[{"raw_score": NAN}], accepted=[{"raw_score": Decimal(-1)}]),
    bounds("tryout_cohort_scores", "sittings", 0),
    filled("tryout_item_calibrations", "scale", 100),
    case(
        "ck_tryout_item_calibrations_responses",
        refused=[{"responses": 0, "right": 0}, {"responses": 3, "right": 4}, {"responses": 3, "right": -1}],
        accepted=[{"responses": 1, "right": 0}, {"responses": 1, "right": 1}],
    ),
    bounds("tryout_item_calibrations", "discrimination", -100.0, 100.0, step=0.5),
    bounds("tryout_item_calibrations", "difficulty", -100.0, 100.0, step=0.5),
    case(
        "ck_tryout_item_calibrations_errors",
        refused=[{"discrimination_error": 0.0}, {"difficulty_error": -0.1}],
        accepted=[{"discrimination_error": None}, {"difficulty_error": 0.001}],
    ),
    case(
        "ck_tryout_item_calibrations_fit",
        refused=[{"infit": -0.1}, {"outfit": -0.1}],
        accepted=[{"infit": 0.0, "outfit": 0.0}],
    ),
    bounds("tryout_item_calibrations", "point_biserial", -1.0, 1.0, step=0.001),
    vocabulary(
        "tryout_signals",
        "kind",
        SignalKind,
        needs={"similar_answers": {"other_session_id": make_tryout_session}},
    ),
    case(
        "ck_tryout_signals_other",
        refused=[{"kind": "similar_answers"}, {"kind": "impossible_speed", "other_session_id": make_tryout_session}],
        accepted=[{"kind": "impossible_speed"}, {"other_session_id": make_tryout_session}],
    ),
    case(
        "ck_tryout_signals_pair",
        refused=[
            {
                "tryout_session_id": lambda connection: make_tryout_session(connection, id=UUID(int=2)),
                "other_session_id": lambda connection: make_tryout_session(connection, id=UUID(int=1)),
            }
        ],
        accepted=[{"other_session_id": make_tryout_session}],
    ),
    case(
        "ck_tryout_signals_strength",
        refused=[{"strength": -0.1}, {"strength": float("inf")}, {"strength": float("nan")}],
        accepted=[{"strength": 0.0}],
    ),
    json_object("tryout_signals", "evidence"),
]

CASES = CONTENT + ATTEMPTS + SRS + TRYOUTS
