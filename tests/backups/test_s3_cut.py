"""The network to a bucket is cut in the middle of an upload, and comes back: real requests over a real connection."""

from collections.abc import Callable, Iterator

import pytest

from tests.backups.test_faults import fill
from tests.backups.test_s3 import bucket_server
from tests.backups.world import World, eventually
from tests.support.wire import Wire, wire_to
from worker.backups.chains import LATEST
from worker.backups.checks import CheckResult
from worker.backups.errors import StoreError
from worker.backups.repository import Repository
from worker.backups.taking import take
from worker.backups.verifying import restore

pytestmark = pytest.mark.processes

BUCKET = "s3://backups/elp"


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """What leads to the bucket."""
    monkeypatch.setattr("worker.backups.repository._RETRIES", 1)  # its own patience is longer than a test's
    with bucket_server(monkeypatch) as port, wire_to(port) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{wire.port}")
        yield wire


def test_network_cut_in_mid_upload_fails_the_backup_by_name_and_the_next_one_is_well(
    world: Callable[..., World], wire: Wire
) -> None:
    there = world(migrated=True)
    fill(there, 12)
    settings = there.settings(backup_repository=BUCKET)
    wire.cut_after(10 << 20)  # in the second of the parts of 8 MiB
    with pytest.raises(StoreError, match=r"base\.tar"):
        take(settings, "full")
    assert wire.is_cut
    assert there.run("SELECT state, error LIKE '%base.tar%' FROM backups") == [("failed", True)]
    wire.mend()
    repository = Repository.from_settings(settings)
    assert list(repository.keys("")) == []  # what had arrived is no object
    entry = take(settings, "full")
    assert [found.label for found in there.entries(backup_repository=BUCKET)] == [entry.label]
    wire.cut_after(2 << 10)  # requests are small, and the answer is what is lost
    with pytest.raises(StoreError):
        restore(settings, there.folder / "cut", LATEST, durable=False)
    wire.mend()
    assert restore(settings, there.folder / "back", LATEST, durable=False).entry.label == entry.label


def test_log_waits_for_a_bucket_that_is_away_and_nothing_is_lost(world: Callable[..., World], wire: Wire) -> None:
    there = world(migrated=True)
    settings = there.settings(backup_repository=BUCKET)
    with there.streaming(backup_repository=BUCKET):
        there.run("CREATE TABLE marks (number int)")
        take(settings, "full")
        there.wait_archived(backup_repository=BUCKET)
        wire.cut_after(0)
        there.run("INSERT INTO marks VALUES (7)")
        there.run("SELECT pg_switch_wal()")
        there.run("INSERT INTO marks VALUES (8)")
        # The receiver goes on by itself: the server keeps nothing for a store that is away.
        eventually(
            lambda: (
                there.run("SELECT bool_and(sent_lsn >= pg_current_wal_flush_lsn()) FROM pg_stat_replication")
                == [(True,)]
            )
        )
        wire.mend()
        there.wait_archived(backup_repository=BUCKET)
    seen: list[int] = []

    def look(server, programs) -> list[CheckResult]:
        with server.connect() as connection:
            seen.extend(number for (number,) in connection.execute("SELECT number FROM marks ORDER BY 1"))
        return []

    restore(settings, there.folder / "back", LATEST, durable=False, use=look)
    assert seen == [7, 8]
