"""Simulations of some days: what time brings out is survived, a seed gives the same tables, and faults are found."""

import re
from collections.abc import Callable, Iterator

import psycopg
import pytest
from typer.testing import CliRunner, Result

from worker.cli import app
from worker.db.scratch import scratch_database
from worker.jobs.definition import Job
from worker.simulate import invariants
from worker.simulate.invariants import INVARIANTS, Invariant, Look

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]
DAYS = ("--from", "2026-03-28", "--to", "2026-03-31")


@pytest.fixture
def simulate(database_url: str) -> Callable[..., Result]:
    """Run `elp simulate` with some learners, on a scratch database of the test run's PostgreSQL."""
    del database_url  # is ELP_DATABASE_URL: the scratch database is made on its server

    def run(*arguments: str, learners: int = 12) -> Result:
        return CliRunner().invoke(app, ["simulate", *arguments, "--learners", str(learners)], catch_exceptions=False)

    return run


def digest(result: Result) -> str:
    assert result.exit_code == 0, result.output
    found = re.search(r"digest (\w{64})", result.output)
    assert found
    return found[1]


def test_a_seed_gives_the_same_tables_again_and_another_seed_others(simulate: Callable[..., Result]) -> None:
    arguments = (*DAYS, "--outage", "2026-03-28T20:00Z/2026-03-29T05:00Z")
    first = digest(simulate(*arguments, "--seed", "5"))
    assert digest(simulate(*arguments, "--seed", "5")) == first
    assert digest(simulate(*arguments, "--seed", "6")) != first


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("2028-02-27", "2028-03-02"),  # a leap day and a month's end
        ("2026-10-24", "2026-10-27"),  # clocks go back in Europe
        ("2026-12-30", "2027-01-02"),  # a year's end
    ],
)
def test_every_invariant_holds_over(simulate: Callable[..., Result], begins: str, ends: str) -> None:
    result = simulate("--from", begins, "--to", ends, "--seed", "1")
    assert digest(result)
    for one in INVARIANTS:
        assert one.name.split(":")[0].split(",")[0][:40] in result.output


def test_a_scratch_database_is_empty_and_gone_afterwards_whoever_is_still_connected(maintenance_url: str) -> None:
    with scratch_database(maintenance_url) as url:
        left_open = psycopg.connect(url)
        tables = left_open.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchone()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert tables == (0,)
    left_open.close()


@pytest.fixture
def broken_invariant() -> Iterator[None]:
    def always(look: Look) -> Iterator[str]:
        yield f"there are {len(look.residents)} learners"

    INVARIANTS.append(Invariant("there are no learners", "day", always))
    yield
    INVARIANTS.pop()


def test_a_broken_invariant_stops_it_and_says_when_after_which_job_and_how_to_see_it_again(
    simulate: Callable[..., Result], broken_invariant: None
) -> None:
    result = simulate(*DAYS, "--seed", "5", "--outage", "2026-03-28T20:00Z/2026-03-29T05:00Z")
    assert result.exit_code == 1
    assert "broken: there are no learners" in result.output
    assert "there are 12 learners" in result.output
    assert "seed 5, virtual instant 2026-03-28T00:03:00+00:00, last job none" in result.output
    assert (
        "again: elp simulate --from 2026-03-28T00:00Z --to 2026-03-31T00:00Z --learners 12 --seed 5"
        " --outage 2026-03-28T20:00Z/2026-03-29T05:00Z" in result.output
    )


def test_a_job_that_fails_breaks_an_invariant(simulate: Callable[..., Result], declare: Callable[..., Job]) -> None:
    def fail(_: object) -> int:
        raise ValueError("as always")

    declare("test.fails", fail, schedule="0 6 * * *", max_starts=2)
    result = simulate(*DAYS, "--seed", "5")
    assert result.exit_code == 1
    assert "broken: no run fails" in result.output
    assert "test.fails 2026-03-28T06:00:00+00:00: shard 0: ValueError: as always" in result.output


@pytest.mark.parametrize(("policy", "holds"), [("all", True), ("latest", True), ("none", True)])
def test_each_catch_up_policy_is_followed_after_an_outage(
    simulate: Callable[..., Result], declare: Callable[..., Job], policy: str, holds: bool
) -> None:
    declare("test.hourly", schedule="30 * * * *", timezone="Australia/Lord_Howe", catch_up=policy)
    result = simulate(*DAYS, "--seed", "5", "--outage", "2026-03-28T02:40Z/2026-03-29T11:20Z")
    assert (result.exit_code == 0) is holds, result.output


def test_a_policy_that_is_not_followed_breaks_an_invariant(
    simulate: Callable[..., Result], declare: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    declare("test.hourly", schedule="30 * * * *", catch_up="latest")
    as_documented = invariants._wanted
    monkeypatch.setattr(
        invariants,
        "_wanted",
        lambda look, due: {"succeeded"} if due.job == "test.hourly" else as_documented(look, due),
    )
    result = simulate(*DAYS, "--seed", "5", "--outage", "2026-03-28T02:40Z/2026-03-29T11:20Z")
    assert result.exit_code == 1
    assert "test.hourly 2026-03-28T03:30:00+00:00: skipped, not succeeded" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--from", "2026-03-28", "--to", "2026-03-28"),
        ("--from", "tomorrow", "--to", "2026-03-28"),
        (*DAYS, "--outage", "2026-04-01/2026-04-02"),
    ],
)
def test_dates_that_cannot_be_are_refused_before_anything_is_started(
    simulate: Callable[..., Result], arguments: tuple[str, ...]
) -> None:
    from worker.simulate.errors import SimulationPeriodError  # noqa: PLC0415

    with pytest.raises(SimulationPeriodError):
        simulate(*arguments)
