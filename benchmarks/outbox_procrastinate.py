"""The same no-op job on Procrastinate (a queue in PostgreSQL for Python), as its documentation sets it up."""

import os
import time

from procrastinate import App, PsycopgConnector

from benchmarks.outbox_tasks import starts_file
from worker.db.engines import libpq_url
from worker.settings import get_settings

app = App(connector=PsycopgConnector(conninfo=libpq_url(get_settings().required_database_url())))


@app.task(name="nothing")
async def nothing(n: int) -> None:
    """Do nothing."""


@app.task(name="stamp")
async def stamp(n: int) -> None:
    """Note the start, as `benchmarks.stamp` does."""
    os.write(starts_file(os.getpid()), f"{n} {time.time_ns()}\n".encode())
