"""Systems of a test's own: see `system.py` and `platform.py`."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability.platform import Platform
from tests.reliability.system import System
from tests.support.processes import Program
from worker.embedded.postgres import PostgresServer
from worker.embedded.valkey import ValkeyServer

__all__ = ["System", "pause"]


@pytest.fixture
def system(
    postgres_server: Callable[..., PostgresServer],
    valkey_server: Callable[..., ValkeyServer],
    program: Callable[..., Program],
) -> System:
    valkey = valkey_server()
    return System(postgres_server(), valkey, program, valkey.url)


@pytest.fixture
def platform(
    postgres_server: Callable[..., PostgresServer],
    valkey_server: Callable[..., ValkeyServer],
    program: Callable[..., Program],
    tmp_path: Path,
) -> Platform:
    return Platform(postgres_server(), valkey_server(), program, tmp_path)


def pause(seconds: float) -> None:
    """Let the load go on for a while."""
    time.sleep(seconds)
