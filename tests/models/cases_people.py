"""Cases of the checks on users, preferences and tokens."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from tests.models.cases import Case, bounds, case, filled, json_object, vocabulary
from tests.samples import BCRYPT_HASH
from worker.models.base import Language, Level
from worker.models.users import NewOrder, ReviewOrder, Role, Scheduler, Siblings

TOKEN_ID = UUID("0f2a4d1e-5b1c-4f7e-9c58-2f0c0a7f3a11")
DAY = date(2026, 12, 20)

CASES: list[Case] = [
    case(
        "ck_users_email",
        refused=[
            {"email": "siti.example.org"},
            {"email": "siti@"},
            {"email": "si ti@example.org"},
            {"email": "siti@example.org\n"},
            {"email": "a@b@example.org"},
            {"email": f"{'a' * 243}@example.org"},
        ],
        accepted=[{"email": "a@b"}, {"email": f"{'a' * 242}@example.org"}, {"email": "élève+x@exämple.org"}],
    ),
    case(
        "ck_users_password_hash",
        refused=[
            {"password_hash": "secret"},
            {"password_hash": BCRYPT_HASH[:-1]},
            {"password_hash": BCRYPT_HASH + "a"},
            {"password_hash": BCRYPT_HASH.replace("$2b$", "$5b$")},
        ],
        accepted=[{"password_hash": BCRYPT_HASH}, {"password_hash": None}],
    ),
    filled("users", "full_name", 200),
    vocabulary("users", "current_level", Level, outside="C1"),
    vocabulary("users", "role", Role),
    case(
        "ck_users_timezone",
        refused=[
            {"timezone": ""},
            {"timezone": "Asia"},
            {"timezone": "asia/jakarta"},
            {"timezone": "Asia/Jakarta\n"},
            {"timezone": "WIB"},
            {"timezone": "posix/Asia/Jakarta"},
            {"timezone": "Asia/Atlantis"},  # well-formed, and no such zone
        ],
        accepted=[
            {"timezone": "UTC"},
            {"timezone": "Asia/Jayapura"},
            {"timezone": "America/Argentina/Buenos_Aires"},
            {"timezone": "America/Port-au-Prince"},
            {"timezone": "Etc/GMT+12"},
        ],
    ),
    vocabulary("users", "locale", Language, outside="fr"),
    vocabulary("user_preferences", "ui_language", Language, outside="fr"),
    bounds("user_preferences", "daily_goal", 0, 10_000),
    bounds("user_preferences", "new_limit", 0, 10_000),
    bounds("user_preferences", "review_limit", 0, 10_000),
    bounds("user_preferences", "day_start_hour", 0, 23),
    vocabulary("user_preferences", "scheduler", Scheduler),
    bounds("user_preferences", "desired_retention", Decimal("0.70"), Decimal("0.99"), step=Decimal("0.01")),
    json_object("user_preferences", "notifications"),
    *(
        case(
            f"ck_user_preferences_{steps}",
            refused=[{steps: [0]}, {steps: [31_536_001]}, {steps: [60, None]}, {steps: [60] * 11}],
            accepted=[{steps: []}, {steps: [1, 31_536_000]}, {steps: [60] * 10}],
        )
        for steps in ("learning_steps_s", "relearning_steps_s")
    ),
    bounds("user_preferences", "minimum_interval", 1),
    case(
        "ck_user_preferences_maximum_interval",
        refused=[{"maximum_interval": 36_501}],
        accepted=[{"maximum_interval": 36_500}, {"maximum_interval": 1}],
    ),
    case(
        "ck_user_preferences_intervals",
        refused=[{"minimum_interval": 8, "maximum_interval": 7}],
        accepted=[{"minimum_interval": 7, "maximum_interval": 7}],
    ),
    vocabulary("user_preferences", "review_order", ReviewOrder),
    vocabulary("user_preferences", "new_order", NewOrder),
    vocabulary("user_preferences", "bury_siblings", Siblings),
    bounds("user_preferences", "leech_lapses", 0, 100),
    bounds("user_preferences", "backlog_days", 1, 365),
    case(
        "ck_user_preferences_weekday_weights",
        refused=[
            {"weekday_weights": weights}
            for weights in ([100] * 6, [100] * 8, [0] * 7, [-1] + [9] * 6, [101] + [9] * 6, [None] + [9] * 6)
        ],
        accepted=[{"weekday_weights": [0] * 6 + [1]}, {"weekday_weights": [100] * 7}],
    ),
    case(
        "ck_user_preferences_vacation",
        refused=[
            {"vacation_from": DAY},
            {"vacation_until": DAY},
            {"vacation_from": DAY, "vacation_until": DAY - timedelta(1)},
        ],
        accepted=[
            {"vacation_from": DAY, "vacation_until": DAY},
            {"vacation_from": None, "vacation_until": None},
        ],
    ),
    filled("api_tokens", "name", 200),
    case(
        "ck_api_tokens_prefix",
        refused=[{"prefix": "abc"}, {"prefix": "a" * 17}],
        accepted=[{"prefix": "abcd"}, {"prefix": "a" * 16}],
    ),
    case(
        "ck_api_tokens_token_hash",
        refused=[{"token_hash": b"x" * 31}, {"token_hash": b"x" * 33}],
        accepted=[{"token_hash": b"x" * 32}],
    ),
    case(
        "ck_api_tokens_rotated_from",
        refused=[{"id": TOKEN_ID, "rotated_from_id": TOKEN_ID}],
        accepted=[{"id": TOKEN_ID, "rotated_from_id": None}],
    ),
]
