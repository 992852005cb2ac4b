"""What must hold of achievements, however the year went: who earned them has them, once, and nothing drifts."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from worker.achievements import store
from worker.achievements.catalogue import load_catalogue
from worker.achievements.recounting import differences
from worker.achievements.rules import awards
from worker.db.queries import load_query
from worker.simulate.invariants import Look, invariant

_PACKAGE: Final = "worker.simulate"
_EVALUATED: Final = timedelta(minutes=15)
"""What learners did so long ago was evaluated, unless everything was down."""


@invariant("learners' counters and days equal a recount of their history: no drift", each="month")
def counters_do_not_drift(look: Look) -> Iterable[str]:
    """Recount all learners as the sweep does."""
    for found in differences(look.connection, list(look.residents)):
        if found.is_drift or found.rebuild_days:
            yield f"learner {found.user_id}: {found.stored}, but the history says {found.recounted}"
    for learner, before, after in look.connection.execute(
        "SELECT object_id, before::text, after::text FROM audit_log WHERE action = 'stats.recounted'"
    ):
        yield f"the sweep put right learner {learner}: {before} to {after}"


@invariant("an achievement is awarded at most once, with one event")
def awarded_once(look: Look) -> Iterable[str]:
    """Compare awards with the feed's events since the last look."""
    values = {"since": look.since, "until": look.until}
    for user_id, code, awarded, events in look.connection.execute(load_query(_PACKAGE, "wrong_awards"), values):
        yield f"learner {user_id}, {code}: awarded {awarded} times, {events} events"


@invariant("who has earned an achievement has it", each="month")
def earned_is_awarded(look: Look) -> Iterable[str]:
    """Evaluate everybody who is not marked for the next evaluation."""
    if not look.was_up(look.until - _EVALUATED, look.until):
        return
    marked = {user_id for (user_id,) in look.connection.execute("SELECT user_id FROM achievement_marks")}
    learners = store.load_learners(look.connection, [user_id for user_id in look.residents if user_id not in marked])
    for owed in awards(load_catalogue())(learners):
        yield f"learner {owed.user_id}: {owed.code}, earned by {owed.evidence}"


@invariant("who did something is evaluated within a few minutes")
def marks_are_taken(look: Look) -> Iterable[str]:
    """Look for marks that nothing recent explains, while everything is up."""
    if look.was_up(look.until - _EVALUATED, look.until):
        values = {"since": look.until - _EVALUATED}
        for (user_id,) in look.connection.execute(load_query(_PACKAGE, "old_marks"), values):
            yield f"learner {user_id} waits for being evaluated"
