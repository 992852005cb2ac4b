"""What a report shows, gathered from the database in chunks of learners."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, Literal
from uuid import UUID

import msgspec

from worker.db import Connection
from worker.db.queries import load_query
from worker.errors import ElpError
from worker.srs import memory_store, prediction
from worker.srs.due_queue import DEFAULT_DAY_START_HOUR
from worker.srs.forecast import Due
from worker.srs.learner import RULE_DEFAULTS, LearnerRules
from worker.srs.prediction import Prediction, Quality
from worker.srs.study import StudyDay

Cohort = Literal["all", "fsrs", "sm2", "premium", "a1", "a2", "b1", "b2"]

EDGES: Final = (1.0, 2.0, 4.0, 7.0, 14.0, 30.0, 60.0, 120.0, 365.0)
"""Days between the bars of the stability's distribution."""
FORECAST_DAYS: Final = 30
_CHUNK: Final = 100
"""Learners whose answers are held at once: some 10 MB."""

_query = partial(load_query, "worker.srs")


class UnknownLearnerError(ElpError):
    """A report was asked for a learner who does not exist."""

    def __init__(self, user_id: UUID) -> None:
        super().__init__(f"there is no learner {user_id}")


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a report is about.

    Attributes:
        user_ids: the learners looked at.
        learners: all there are, if those looked at are a sample.
        cohort: None: one learner.
        today: the learner's local day; a cohort's is Jakarta's.
        desired_retention: what the learner aims at; None: many learners.
    """

    user_ids: list[UUID]
    learners: int
    cohort: Cohort | None
    today: date
    desired_retention: float | None = None


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """How one scheduler foresaw the reviews."""

    predictions: list[Prediction]
    quality: Quality


class ReportData(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a page shows.

    Attributes:
        subject: whom it is about.
        made_at: the present instant.
        since: first day looked at.
        days: what was done on each day since then.
        stabilities: cards by bin (see EDGES, one more than there are edges): by FSRS's stability, by SM-2's interval.
        due_on: due cards by day.
        new_cards: cards never reviewed.
        fsrs: how FSRS, with the parameters in use, foresees the reviews since then.
        sm2: the same of SM-2.
    """

    subject: Subject
    made_at: datetime
    since: date
    days: list[StudyDay]
    stabilities: list[tuple[int, int]]
    due_on: dict[date, Due]
    new_cards: int
    fsrs: Foreseen
    sm2: Foreseen


def of_learner(connection: Connection, user_id: UUID, now: datetime) -> Subject:
    """Return one learner as a subject.

    Raises:
        UnknownLearnerError: there is none with this id.
    """
    cursor = connection.execute(_query("learner_rules"), {**RULE_DEFAULTS, "user_id": user_id})
    row = cursor.fetchone()
    if row is None or cursor.description is None:
        raise UnknownLearnerError(user_id)
    rules = msgspec.convert(dict(zip([column.name for column in cursor.description], row, strict=True)), LearnerRules)
    return Subject(
        user_ids=[user_id],
        learners=1,
        cohort=None,
        today=rules.local_day(now),
        desired_retention=rules.desired_retention if rules.scheduler == "fsrs" else None,
    )


def of_cohort(connection: Connection, cohort: Cohort, sample: int, today: date) -> Subject:
    """Return a cohort as a subject: all of its learners, or the same sample of them each time."""
    wanted = {
        "scheduler": cohort if cohort in ("fsrs", "sm2") else None,
        "level": cohort.upper() if cohort in ("a1", "a2", "b1", "b2") else None,
        "is_premium": True if cohort == "premium" else None,
        "sample": sample,
    }
    rows = connection.execute(_query("cohort_learners"), wanted).fetchall()
    return Subject(user_ids=[row[0] for row in rows], learners=rows[0][1] if rows else 0, cohort=cohort, today=today)


def gather(connection: Connection, subject: Subject, *, days: int, now: datetime) -> ReportData:
    """Return what the page of a subject shows of the last `days` days.

    Cost: the attempts and cards of the learners looked at, about 10 µs an attempt.
    """
    since = subject.today - timedelta(days - 1)
    ids = {"user_ids": subject.user_ids}
    studied = connection.execute(
        _query("study_days"), {**ids, "since": since, "day_start_hour": DEFAULT_DAY_START_HOUR}
    )
    counted = {
        place: (by_stability, by_interval)
        for place, by_stability, by_interval in connection.execute(
            _query("stability_histogram"), {**ids, "edges": list(EDGES)}
        )
    }
    last_on = subject.today + timedelta(FORECAST_DAYS - 1)
    due = connection.execute(_query("due_forecast"), {**ids, "today": subject.today, "last_on": last_on}).fetchall()
    fsrs, sm2 = _foreseen(connection, subject.user_ids, since)
    return ReportData(
        subject=subject,
        made_at=now,
        since=since,
        days=[StudyDay(*row) for row in studied],
        stabilities=[counted.get(place, (0, 0)) for place in range(len(EDGES) + 1)],
        due_on={on: Due(count, overdue) for on, count, overdue in due if on is not None},
        new_cards=sum(count for on, count, _ in due if on is None),
        fsrs=Foreseen(predictions=fsrs, quality=prediction.measure(fsrs)),
        sm2=Foreseen(predictions=sm2, quality=prediction.measure(sm2)),
    )


def _foreseen(
    connection: Connection, user_ids: Sequence[UUID], since: date
) -> tuple[list[Prediction], list[Prediction]]:
    fsrs: list[Prediction] = []
    sm2: list[Prediction] = []
    for chunk in _chunks(user_ids):
        own, population = memory_store.current_parameters(connection, chunk)
        for user_id, reviews in memory_store.reviews(connection, chunk).items():
            first = sum(review.day < since.toordinal() for review in reviews)  # they are sorted by time
            fsrs += prediction.predictions(reviews, prediction.fsrs_predictor(own.get(user_id, population)), first)
            sm2 += prediction.predictions(reviews, prediction.predict_sm2, first)
    return fsrs, sm2


def _chunks(user_ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(user_ids), _CHUNK):
        yield user_ids[start : start + _CHUNK]
