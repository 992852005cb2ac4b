"""Settings in tests: what the process has cached is forgotten when the environment changes."""

from worker.db import engines
from worker.settings import get_settings


def forget_settings() -> None:
    """Make the next call read the environment again, with new engines and their own connections."""
    engines.forget_sync_engine()
    if engines.async_engine.cache_info().currsize:
        engines.async_engine().sync_engine.dispose(close=False)  # its connections belong to a loop that may be closed
    engines.async_engine.cache_clear()
    get_settings.cache_clear()
