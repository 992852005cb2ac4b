"""Servers with backups; one for a whole module where tests only read them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.backups.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Make a server with a repository for this test alone: `world(max_slot_wal_keep_size="64MB")`."""
    made: list[World] = []

    def make(*, migrated: bool = False, **parameters: str) -> World:
        made.append(World(tmp_path / f"world{len(made)}", migrated=migrated, **parameters))
        return made[-1]

    yield make
    for each in made:
        each.close()
