"""Work on one shard: claimed in a transaction, worked on and marked done in another, the failure noted in a third."""

from collections.abc import Iterator
from random import Random

from worker import clock
from worker.db import Connection, transaction
from worker.jobs import ledger
from worker.jobs.definition import Job, Shard
from worker.jobs.errors import LeaseLostError
from worker.jobs.leases import LeaseKeeper
from worker.jobs.ledger import Claim, Run
from worker.jobs.outcomes import Failure, outcome
from worker.logging import get_logger

_log = get_logger(__name__)


def claims(run: Run, job: Job, number: int) -> Iterator[Claim]:
    """Yield shards leased to this process: from `number` to the end, then once from the beginning."""
    position, may_wrap, is_planned = number, number > 0, run.state == "planned"
    while True:
        with transaction() as connection:
            # A claim lost in a crash of the server is a shard still free: it needs no wait for the disk.
            connection.execute("SET LOCAL synchronous_commit = off")
            now = clock.now()
            claim = ledger.claim_shard(connection, run, job, position, now=now)
            if claim is not None and is_planned:
                ledger.mark_running(connection, run.run_id, now)
        if claim is not None:
            position, is_planned = claim.number + 1, False
            yield claim
        elif may_wrap:
            position, may_wrap = 0, False
        else:
            return


def work_on_shard(run: Run, job: Job, claim: Claim, keeper: LeaseKeeper) -> bool:
    """Do one shard, work and done mark in one transaction; return whether it committed."""
    if claim.starts > job.max_starts:
        # It never came to an end, not even to an error: it kills whoever works on it.
        _record_failure(job, claim, f"its worker was lost {job.max_starts} times", is_final=True)
        return False
    try:
        with keeper.holding(claim):
            committed = outcome(lambda: _commit_shard(run, job, claim))
    except (SystemExit, KeyboardInterrupt):
        with transaction() as connection:
            ledger.release(connection, claim)
        _log.info("shard_released", job=job.name, run_id=str(run.run_id), shard=claim.number)
        raise
    if isinstance(committed, Failure):
        if isinstance(committed.error, LeaseLostError):
            _log.warning("shard_taken_over", job=job.name, run_id=str(run.run_id), shard=claim.number)
        else:
            _log.error(
                "shard_failed", job=job.name, run_id=str(run.run_id), shard=claim.number, exc_info=committed.error
            )
            _record_failure(job, claim, str(committed), is_final=claim.starts >= job.max_starts)
        return False
    for callback in committed.callbacks:
        called = outcome(callback)
        if isinstance(called, Failure):
            _log.error("after_commit_failed", job=job.name, run_id=str(run.run_id), exc_info=called.error)
    return True


def limit_transaction(connection: Connection, time_limit_s: int) -> None:
    """Have the server itself end what outlives the limit, or whose client is gone: a killed worker holds no locks."""
    connection.execute(
        """SELECT set_config('statement_timeout', %(limit)s, true),
                  set_config('idle_in_transaction_session_timeout', %(limit)s, true),
                  set_config('client_connection_check_interval', '2s', true)""",
        {"limit": f"{time_limit_s}s"},
    )


def _commit_shard(run: Run, job: Job, claim: Claim) -> Shard:
    with transaction() as connection:
        limit_transaction(connection, job.time_limit_s)
        shard = Shard(connection, run.run_id, claim.number, run.period, claim.bounds, run.parameters)
        items = job.body(shard)
        ledger.mark_done(connection, claim, items=items, now=clock.now())
    return shard


def _record_failure(job: Job, claim: Claim, error: str, *, is_final: bool) -> None:
    now = clock.now()
    # Seeded by the start: repeated under the same circumstances, a shard rests as long.
    chance = Random(f"{claim.run_id}/{claim.number}/{claim.starts}")  # noqa: S311
    run_after = None if is_final else now + job.retry.rest(claim.starts, chance)
    with transaction() as connection:
        ledger.mark_failed_start(connection, claim, error=error, now=now, run_after=run_after)
