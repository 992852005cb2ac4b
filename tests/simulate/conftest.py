"""Jobs of a test's own."""

from tests.jobs.conftest import declare

__all__ = ["declare"]
