"""Scoring the usual way: one sitting after the other through the ORM, a commit each."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker import clock
from worker.attempts.grading import grade
from worker.models import AppEvent, Question, QuestionSet, QuestionSetQuestion, TryoutAnswer, TryoutSession


def score_one(session: Session, session_id: UUID) -> None:
    """Score one sitting: grades, points, breakdown by skill, percentile and event as ours, but no ability."""
    sitting = session.get_one(TryoutSession, session_id, with_for_update=True)
    scheme = session.get_one(QuestionSet, sitting.question_set_id).scheme
    right, wrong = Decimal(scheme["right"]), Decimal(scheme["wrong"])
    answers = {
        answer.question_id: answer
        for answer in session.scalars(select(TryoutAnswer).where(TryoutAnswer.tryout_session_id == session_id))
    }
    questions = session.scalars(
        select(Question)
        .join(QuestionSetQuestion, QuestionSetQuestion.question_id == Question.id)
        .where(QuestionSetQuestion.question_set_id == sitting.question_set_id)
    ).all()
    skills: dict[str, dict[str, Any]] = {}
    total = Decimal(0)
    for question in questions:
        part = skills.setdefault(question.skill, {"points": Decimal(0), "right": 0, "wrong": 0, "questions": 0})
        part["questions"] += 1
        answer = answers.get(question.id)
        if answer is None:
            continue
        found = grade(question.type, question.options, question.answer_key, answer.answer)
        answer.score = Decimal(str(found.score))
        answer.points = right if found.is_correct else wrong
        part["points"] += answer.points
        part["right" if found.is_correct else "wrong"] += 1
        total += answer.points
    sitting.raw_score, sitting.max_score = total, right * len(questions)
    sitting.is_passed = total * 100 >= sitting.max_score * Decimal(scheme["pass"]["total"])
    of_set = select(func.count()).where(
        TryoutSession.question_set_id == sitting.question_set_id, TryoutSession.state == "scored"
    )
    cohort = session.scalar(of_set) or 0
    below = session.scalar(of_set.where(TryoutSession.raw_score <= total)) or 0
    sitting.percentile = Decimal(100 * (below + 1)) / (cohort + 1)
    sitting.result = {"skills": {name: {**part, "points": str(part["points"])} for name, part in skills.items()}}
    sitting.state, sitting.scored_at = "scored", clock.now()
    session.add(AppEvent(kind="tryout.scored", user_id=sitting.user_id, payload={"tryout_session_id": str(session_id)}))
