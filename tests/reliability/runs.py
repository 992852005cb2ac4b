"""The ledger after a fault: each due period has exactly one finished run, no effect is twice there, none is stuck."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from uuid import UUID

import psycopg

from tests.reliability import jobs_under_faults
from tests.support.processes import wait_until
from worker.jobs.periods import Schedule, periods_after

EACH_MINUTE = Schedule("* * * * *")


@dataclass(frozen=True)
class Checked:
    """What a look at the ledger covered."""

    periods: int
    runs: int
    shards: int
    effects: int


def due_periods(since: datetime, until: datetime) -> list[datetime]:
    """Return the periods of the jobs that run each minute, after `since` and up to `until`."""
    return list(takewhile(lambda period: period <= until, periods_after(EACH_MINUTE, since)))


def wait_until_all_ran(connect: Callable[[], psycopg.Connection], due: Iterable[datetime], timeout_s: float) -> None:
    """Wait until each due period has its run and no run is open, so that nothing is stuck.

    Raises:
        AssertionError: it did not come about; the message holds what is missing or open.
    """
    due = list(due)

    def unfinished() -> list[str]:
        with connect() as connection:
            missing = connection.execute(
                "SELECT job || ' ' || period"
                " FROM unnest(%s::text[]) AS job CROSS JOIN unnest(%s::timestamptz[]) AS period"
                " EXCEPT SELECT job || ' ' || period FROM job_runs",
                (list(jobs_under_faults.MINUTELY), due),
            ).fetchall()
            stuck = connection.execute(
                "SELECT 'open: ' || run.job || ' ' || run.period || ' ' || run.state || ' ' || coalesce(string_agg("
                "   shard.number || ' ' || shard.state || ' ' || shard.starts || ' ' || coalesce(shard.error, ''), '; '"
                " ), '')"
                " FROM job_runs AS run LEFT JOIN job_shards AS shard"
                "   ON shard.run_id = run.id AND shard.state IN ('pending', 'running')"
                " WHERE run.state IN ('planned', 'running') AND run.period <= %s GROUP BY run.id",
                (max(due, default=datetime.max.replace(tzinfo=UTC)),),
            ).fetchall()
        return [f"missing: {row[0]}" for row in missing] + [row[0] for row in stuck]

    try:
        wait_until(lambda: not unfinished(), timeout_s, "a finished run for each period")
    except TimeoutError as error:
        raise AssertionError(f"{error}: {unfinished()[:20]}") from error


def assert_runs_are_sound(connection: psycopg.Connection, due: Iterable[datetime]) -> Checked:
    """Each due period has exactly one run, as the policy wants it; each shard done left one effect, any other none."""
    due = set(due)
    allowed = {"all": {"succeeded"}, "latest": {"succeeded", "skipped"}, "none": {"succeeded", "skipped"}}
    runs: dict[str, Counter[datetime]] = {name: Counter() for name in jobs_under_faults.MINUTELY}
    for name, period, state, error in connection.execute(
        "SELECT job, period, state, error FROM job_runs WHERE job = ANY(%s)", (list(jobs_under_faults.MINUTELY),)
    ):
        runs[name][period] += 1
        if period in due:
            assert state in allowed[jobs_under_faults.MINUTELY[name]], f"{name} {period}: {state} ({error})"
    for name, periods in runs.items():
        assert set(periods.values()) <= {1}, f"{name} has a period twice"
        assert due - periods.keys() == set(), f"{name} lacks periods"
    return Checked(len(due) * len(runs), *assert_effects_once(connection))


def assert_effects_once(connection: psycopg.Connection) -> tuple[int, int, int]:
    """Return runs, shards and effects that were counted; each shard done has one effect, each other one none."""
    effects = Counter[tuple[UUID, int]](dict_of(connection))
    shards = connection.execute(
        "SELECT run_id, number, shard.state FROM job_shards AS shard JOIN job_runs AS run ON run.id = run_id"
        " WHERE job LIKE 'test.faults%'"
    ).fetchall()
    wrong = {
        (run_id, number): (state, effects[run_id, number])
        for run_id, number, state in shards
        if effects[run_id, number] != (state == "done")
    }
    assert wrong == {}
    assert effects.keys() <= {(run_id, number) for run_id, number, _ in shards}
    return len({run_id for run_id, _, _ in shards}), len(shards), effects.total()


def dict_of(connection: psycopg.Connection) -> dict[tuple[UUID, int], int]:
    rows = connection.execute("SELECT run_id, n, count(*) FROM effects GROUP BY run_id, n")
    return {(run_id, number): times for run_id, number, times in rows}


def assert_nobody_holds_on(connection: psycopg.Connection) -> None:
    """No session has been idle in a transaction for long, and no lock of a lane is held by one."""
    held = connection.execute(
        "SELECT application_name, state, query FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%%'"
        " AND xact_start < clock_timestamp() - %s",
        (timedelta(seconds=20),),
    ).fetchall()
    assert held == []
