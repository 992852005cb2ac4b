"""Jobs of achievements. The catalogue is checked at import: a worker does not start on a wrong one."""

from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

from worker import clock
from worker.achievements import store
from worker.achievements.catalogue import Catalogue, load_catalogue
from worker.achievements.recounting import recount
from worker.achievements.rules import awards
from worker.achievements.store import Range
from worker.jobs import Bounds, Planning, Shard, job
from worker.logging import get_logger

_log = get_logger(__name__)

LEARNERS: Final = 2_000
"""Learners in a shard: a fraction of a second, and some MB of counters."""
TENTHS: Final = 10
_ALL_IDS: Final = 2**128
_LOGGED: Final = 10
"""Learners with drift that a shard logs; the audit log has all of them."""

load_catalogue()


def _bounds(ranges: Iterable[Range]) -> Iterator[Bounds]:
    for first, last in ranges:
        yield {"first": str(first), "last": str(last)}


def _range(shard: Shard) -> Range:
    return UUID(shard.bounds["first"]), UUID(shard.bounds["last"])


def _award(shard: Shard, user_ids: list[UUID], catalogue: Catalogue) -> int:
    found = awards(catalogue)(store.load_learners(shard.connection, user_ids))
    new = store.award(shard.connection, found, clock.now())
    for each in new:
        shard.show({"user_id": str(each.user_id), "code": each.code, "evidence": each.evidence})
    return len(new)


def plan_marked(planning: Planning) -> Iterator[Bounds]:
    """Cut the learners whose counters have changed into ranges of ids."""
    yield from _bounds(store.marked_ranges(planning.connection, LEARNERS))


@job("achievements.evaluate", schedule="*/5 * * * *", queue="batch", planner=plan_marked, parameters={})
def evaluate(shard: Shard) -> int:
    """Award what learners have earned whose counters have changed since they were last looked at.

    Learners who began before days were kept have their days counted here, once: nobody waits for the sweep.
    """
    user_ids = store.take_marked(shard.connection, *_range(shard))
    recount(
        shard.connection,
        store.without_all_days(shard.connection, user_ids),
        actor="job:achievements.evaluate",
        now=clock.now(),
    )
    return _award(shard, user_ids, load_catalogue())


def plan_sweep(planning: Planning) -> Iterator[Bounds]:
    """Cut a tenth of all learners, the next one each day, into ranges of ids; with `all`, every learner."""
    tenth = planning.period.toordinal() % TENTHS
    first, last = (0, TENTHS) if planning.parameters.get("all") else (tenth, tenth + 1)
    ids = UUID(int=first * _ALL_IDS // TENTHS), UUID(int=last * _ALL_IDS // TENTHS - 1)
    yield from _bounds(store.learner_ranges(planning.connection, *ids, LEARNERS))


@job(
    "achievements.sweep",
    schedule="30 18 * * *",
    queue="batch",
    planner=plan_sweep,
    parameters={"all": "true: every learner, not only the day's tenth"},
)
def sweep(shard: Shard) -> int:
    """Count a tenth of the learners anew from their history, report and put right what differs, award what is due."""
    user_ids = store.learners_between(shard.connection, *_range(shard))
    found = recount(shard.connection, user_ids, actor="job:achievements.sweep", now=clock.now())
    drifted = [each for each in found if each.is_drift]
    for each in drifted[:_LOGGED]:
        _log.error("counters_drifted", user_id=str(each.user_id), stored=each.stored, recounted=each.recounted)
    for each in found:
        shard.show({"user_id": str(each.user_id), "drift": each.is_drift, "is": each.stored, "to_be": each.recounted})
    if found:
        _log.info(
            "counters_recounted", learners=len(user_ids), drifted=len(drifted), refreshed=len(found) - len(drifted)
        )
    _award(shard, user_ids, load_catalogue())
    return len(drifted)


def plan_backfill(planning: Planning) -> Iterator[Bounds]:
    """Cut all learners into ranges of ids.

    Raises:
        UnknownAchievementError: the catalogue has no such achievement.
    """
    load_catalogue().only(planning.parameters.get("code", ""))
    ids = UUID(int=0), UUID(int=_ALL_IDS - 1)
    yield from _bounds(store.learner_ranges(planning.connection, *ids, LEARNERS))


@job(
    "achievements.backfill",
    queue="batch",
    planner=plan_backfill,
    parameters={"code": "the achievement, or one of its tiers"},
)
def backfill(shard: Shard) -> int:
    """Award one achievement of the catalogue to all learners who have earned it already."""
    user_ids = store.learners_between(shard.connection, *_range(shard))
    return _award(shard, user_ids, load_catalogue().only(shard.parameters["code"]))
