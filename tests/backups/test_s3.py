"""The same repository in a bucket, against moto's server."""

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from tests.backups.world import World
from worker.backups.chains import LATEST
from worker.backups.codec import Codec
from worker.backups.errors import ObjectMissingError, StoreError
from worker.backups.repository import Repository
from worker.backups.taking import take
from worker.backups.verifying import restore, verify

pytestmark = pytest.mark.processes


@contextmanager
def bucket_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Run moto's server with an empty bucket, name it in the environment, and yield its port."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    values = {"ACCESS_KEY_ID": "one", "SECRET_ACCESS_KEY": "s3cret", "REGION": "us-east-1", "ENDPOINT_URL": endpoint}
    for name, value in values.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    httpx.post(f"{endpoint}/moto-api/reset").raise_for_status()  # all its servers of a process share one account
    boto3.client("s3", region_name="us-east-1", endpoint_url=endpoint).create_bucket(Bucket="backups")
    try:
        yield port
    finally:
        server.stop()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket."""
    with bucket_server(monkeypatch):
        yield "s3://backups/elp"


def test_backups_and_log_live_in_a_bucket(world: Callable[..., World], bucket: str) -> None:
    there = world(migrated=True)
    settings = there.settings(backup_repository=bucket)
    with there.streaming(backup_repository=bucket):
        take(settings, "full")
        there.run("CREATE TABLE marks AS SELECT 5 AS number")
        second = take(settings, "incremental")
        there.wait_archived(backup_repository=bucket)
    assert verify(settings).entry.label == second.label
    done = restore(settings, there.folder / "back", LATEST, durable=False)
    assert done.segments >= 1
    repository = Repository.from_settings(settings)
    assert repository.location == bucket
    assert repository.folders("backups") == sorted(entry.label for entry in there.entries(backup_repository=bucket))


def test_objects_larger_than_a_part_go_through_and_their_absence_is_named(bucket: str) -> None:
    repository = Repository(bucket, Codec())
    content = os.urandom(20 << 20)

    class Source:
        left = memoryview(content)

        def read(self, size: int = -1) -> bytes:
            data, self.left = self.left[:size], self.left[size:]
            return bytes(data)

    stored = repository.put_stream("large", Source())
    assert stored.size_bytes == len(content)
    back = bytearray()

    class Sink:
        def write(self, data: bytes) -> int:
            back.extend(data)
            return len(data)

    repository.get_stream(stored, Sink())
    assert back == content
    assert repository.put_new("once", b"1")
    assert not repository.put_new("once", b"2")
    repository.delete(["large.zst", "large.zst"])
    with pytest.raises(ObjectMissingError, match=r"large\.zst"):
        repository.get_stream(stored, Sink())


def test_a_source_that_fails_half_way_leaves_no_object(tmp_path: Path) -> None:
    repository = Repository(str(tmp_path), Codec())

    class Failing:
        left = 12

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            if self.left < 0:
                raise ConnectionError("cut")
            return os.urandom(1 << 20)

    with pytest.raises(ConnectionError, match="cut"):
        repository.put_stream("half", Failing())
    assert list(repository.keys("")) == []


def test_a_store_that_is_not_there_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "one")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setattr("worker.backups.repository._RETRIES", 0)
        with pytest.raises(StoreError, match="the backup repository failed at x"):
            Repository("s3://backups/elp", Codec()).put_sealed("x", b"1")
