"""The SQL that builds queues chooses what the plain statement of the rules chooses, on learners of every kind."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import make_card, make_lesson, make_question, make_stats, make_user
from worker.srs import store
from worker.srs.due_queue import DueQueue, local_days
from worker.srs.queue_policy import QueueCard, QueueRules, choose_cards

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # 10:00 in Jakarta
TODAY = date(2026, 11, 24)
MORNING = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)  # 05:30 in Jakarta, today
BEFORE = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)  # 03:30 in Jakarta, still yesterday
EVERYONE = UUID(int=0), UUID(int=2**128 - 1)

_cards = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["new", "learning", "review", "review", "review", "relearning"]),
        "overdue": st.integers(-2, 12),
        "interval": st.integers(0, 9),
        "stability": st.sampled_from([None, 0.5, 3.0, 3.0, 20.0]),
        "is_suspended": st.sampled_from([False, False, False, False, True]),
        "buried": st.sampled_from([None, None, None, 0, 1]),
        "question": st.integers(0, 11),
        "reviewed_at": st.sampled_from([None, BEFORE, BEFORE, MORNING]),
        "introduced_at": st.sampled_from([None, BEFORE, MORNING]),
    }
)
_learners = st.fixed_dictionaries(
    {
        "cards": st.lists(_cards, max_size=40),
        "review_limit": st.sampled_from([0, 3, 10, 200]),
        "new_limit": st.sampled_from([0, 2, 10]),
        "daily_goal": st.sampled_from([0, 2, 20]),
        "backlog_days": st.sampled_from([1, 2, 7]),
        "review_order": st.sampled_from(["overdueness", "lowest_retrievability", "highest_retrievability"]),
        "new_order": st.sampled_from(["last", "mixed"]),
        "bury_siblings": st.sampled_from(["none", "word", "lesson"]),
        "away": st.sampled_from([None, None, None, (0, 0), (-3, 1), (1, 4), (-4, -1)]),
        "is_plain": st.booleans(),
    }
)


def _questions(database):
    """Twelve questions of four words and one of none; six of them in a lesson, two of those in another as well."""
    questions = [make_question(database, family="" if number == 0 else f"word/{number % 4}") for number in range(12)]
    lessons = [make_lesson(database, question_ids=questions[:6]), make_lesson(database, question_ids=questions[4:8])]
    lesson_of = {}
    for lesson, members in zip(lessons, (questions[:6], questions[4:8]), strict=True):
        for question in members:
            lesson_of[question] = min(lesson_of.get(question, lesson), lesson)
    words = {question: f"word/{number % 4}" if number else None for number, question in enumerate(questions)}
    families = {"none": {}, "word": words, "lesson": words | {each: str(of) for each, of in lesson_of.items()}}
    return questions, families


def _make(database, wishes, questions, families):
    """Make a learner; return the id and the queue that the rules give."""
    wishes = dict(wishes)
    cards, away = wishes.pop("cards"), wishes.pop("away")
    if wishes.pop("is_plain"):
        wishes |= {"review_order": "overdueness", "new_order": "last", "bury_siblings": "none"}
    vacation = None if away is None else tuple(TODAY + timedelta(days) for days in away)
    user = make_user(
        database,
        **wishes,
        vacation_from=vacation and vacation[0],
        vacation_until=vacation and vacation[1],
    )
    known, seen = [], set()
    for card in cards:
        question = questions[card["question"]]
        item = question if question not in seen else uuid4()  # a card a question; others have no family
        seen.add(question)
        values = {
            "state": card["state"],
            "interval": card["interval"],
            "stability": card["stability"],
            "is_suspended": card["is_suspended"],
            "buried_until": None if card["buried"] is None else TODAY + timedelta(card["buried"]),
        }
        due_on = TODAY - timedelta(card["overdue"])
        introduced_at = None if card["reviewed_at"] is None else card["introduced_at"]
        card_id = make_card(
            database,
            user_id=user,
            item_id=item,
            next_review_date=due_on,
            is_learning=card["state"] in ("learning", "relearning"),
            last_reviewed_at=card["reviewed_at"],
            introduced_at=introduced_at,
            **values,
        )
        family = families[wishes["bury_siblings"]].get(item)
        reviewed = card["reviewed_at"] == MORNING
        known.append((
            QueueCard(id=card_id, due_on=due_on, family=family, reviewed_today=reviewed, **values),
            reviewed and introduced_at == MORNING,
        ))  # fmt: skip
    studied = [(card, is_first) for card, is_first in known if card.reviewed_today]
    make_stats(database, user_id=user, last_attempted_at=MORNING if studied else BEFORE)
    names = ("review_limit", "new_limit", "daily_goal", "review_order", "new_order", "backlog_days")
    rules = QueueRules(
        **{name: wishes[name] for name in names},
        vacation=vacation,
        introduced=sum(is_first for _, is_first in studied),
        reviewed=sum(not is_first and card.due_on > TODAY for card, is_first in studied),
    )
    return user, choose_cards([card for card, _ in known], rules, TODAY)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(learners=st.lists(_learners, min_size=1, max_size=4))
def test_sql_chooses_what_the_rules_choose(database, learners):
    with database.transaction(force_rollback=True):
        questions, families = _questions(database)
        expected = dict(_make(database, wishes, questions, families) for wishes in learners)
        days = local_days(store.day_rules(database), AT)
        built = store.build_due_queues(database, days, *EVERYONE, run_id=None, now=AT)
    assert {user for user, _, _ in built} == expected.keys()
    for user, day, as_json in built:
        queue = msgspec.json.decode(as_json, type=DueQueue)
        chosen = expected[user]
        assert day == TODAY
        assert queue.card_ids == chosen.card_ids
        assert (queue.learning, queue.review, queue.new, queue.overdue_total) == (
            chosen.learning,
            chosen.review,
            chosen.new,
            chosen.overdue_total,
        )
