from datetime import UTC, datetime, timedelta

import psycopg

from tasks import events as _jobs  # noqa: F401  declares the job
from worker.events import Event, publish
from worker.jobs.execution import start_run, work_on_run

PERIOD = datetime(2026, 11, 24, 12, 20, tzinfo=UTC)


def test_the_job_keeps_as_many_days_as_the_setting_says(database_url, settings):
    settings(events_keep_days=2, database_url=database_url)
    with psycopg.connect(database_url) as connection:
        for hours in (49, 47):
            publish(connection, [Event("test.aged", None, {"hours": hours})], now=PERIOD - timedelta(hours=hours))
    work_on_run(start_run("events.prune", PERIOD).run.run_id)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT payload FROM app_events").fetchall() == [({"hours": 47},)]
