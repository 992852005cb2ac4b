"""The same no-op job on Procrastinate (a queue in PostgreSQL for Python), as its documentation sets it up."""

from procrastinate import App, PsycopgConnector

from worker.db.engines import libpq_url
from worker.settings import get_settings

app = App(connector=PsycopgConnector(conninfo=libpq_url(get_settings().required_database_url())))


@app.task(name="nothing")
async def nothing(n: int) -> None:
    """Do nothing."""
