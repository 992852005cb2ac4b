"""Scoring the usual way: one sitting after the other through the ORM, a commit each."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker import clock
from worker.attempts.grading import grade
from worker.models import AppEvent, Question, QuestionSet, QuestionSetQuestion, TryoutAnswer, TryoutSession
from worker.tryouts.ability import describe, estimate_abilities, level_of
from worker.tryouts.irt import Items
from worker.tryouts.scheme import DEFAULT_CUTS


def score_one(session: Session, session_id: UUID) -> None:
    """Score one sitting: grades, points, breakdown by skill, ability, percentile and event, as ours."""
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
    responses = np.zeros((1, len(questions)), dtype=np.int8)
    for place, question in enumerate(questions):
        part = skills.setdefault(question.skill, {"points": Decimal(0), "right": 0, "wrong": 0, "questions": 0})
        part["questions"] += 1
        answer = answers.get(question.id)
        if answer is None:
            continue
        mark = grade(question.type, question.options, question.answer_key, answer.answer)
        points = right if mark.is_correct else wrong
        part["points"] += points
        part["right" if mark.is_correct else "wrong"] += 1
        total += points
        responses[0, place] = mark.is_correct
    sitting.raw_score, sitting.max_score = total, right * len(questions)
    sitting.is_passed = total * 100 >= sitting.max_score * Decimal(scheme["pass"]["total"])
    of_set = select(func.count()).where(
        TryoutSession.question_set_id == sitting.question_set_id, TryoutSession.state == "scored"
    )
    cohort = session.scalar(of_set) or 0
    below = session.scalar(of_set.where(TryoutSession.raw_score <= total)) or 0
    sitting.percentile = Decimal(100 * (below + 1)) / (cohort + 1)
    sitting.result = {"skills": {name: {**part, "points": str(part["points"])} for name, part in skills.items()}}
    slopes = np.array([question.item_discrimination for question in questions], dtype=np.float64)
    difficulties = np.array([question.item_difficulty for question in questions], dtype=np.float64)
    found = estimate_abilities(responses, Items(slopes, -slopes * difficulties))
    sitting.ability, sitting.ability_error = float(found.estimate[0]), float(found.error[0])
    sitting.estimated_level = level_of(sitting.ability, DEFAULT_CUTS)
    sitting.result |= describe(sitting.ability, sitting.ability_error, DEFAULT_CUTS)
    sitting.state, sitting.scored_at = "scored", clock.now()
    session.add(AppEvent(kind="tryout.scored", user_id=sitting.user_id, payload={"tryout_session_id": str(session_id)}))
