"""The server is upgraded by pg_upgrade, from a real older version to a real newer one."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.backups.world import PATIENCE_S, World
from tests.support.servers import postgres_binaries
from worker.backups.taking import take
from worker.backups.verifying import verify
from worker.embedded.account import server_account
from worker.embedded.postgres import PostgresServer, version
from worker.settings import Settings

OLDER = Path("/usr/lib/postgresql/15/bin")

pytestmark = [
    pytest.mark.processes,
    pytest.mark.long,
    pytest.mark.skipif(not (OLDER / "postgres").exists(), reason="needs Debian's PostgreSQL 15"),
]


def test_chain_of_the_older_version_is_not_continued_and_stays_restorable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = postgres_binaries()
    if version(newer).startswith("15."):
        pytest.skip("the suite's own servers are the older ones")
    monkeypatch.setattr("tests.backups.world.postgres_binaries", lambda: OLDER)
    there = World(tmp_path / "older")
    upgraded = PostgresServer(tmp_path / "newer" / "postgres", binaries=newer, tethered=True)
    try:
        settings = there.settings(backup_postgres_bin=None)
        old = take(settings, "full")
        there.run("CREATE TABLE marks AS SELECT 5 AS number")
        there.server.stop()
        upgraded.start()  # makes the cluster
        with psycopg.connect(upgraded.url_of("postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE elp")  # it comes from the older cluster
        upgraded.stop()
        _upgrade(there.server, upgraded)
        (upgraded.home / "password").write_text(there.server.password)  # roles came over with theirs
        upgraded = PostgresServer(upgraded.home, binaries=newer, tethered=True)
        upgraded.start()
        after = Settings(**{**settings.model_dump(), "backup_key": there.key, "database_url": upgraded.url})
        taken = take(after, "incremental")
        assert (taken.kind, taken.parent) == ("full", None)
        assert taken.system_identifier != old.system_identifier
        assert (old.major, taken.major) == (15, int(version(newer).partition(".")[0]))
        assert verify(after).entry.label == taken.label
        assert verify(after, label=old.label).entry.label == old.label
    finally:
        upgraded.stop(timeout_s=20)
        there.close()


def _upgrade(old: PostgresServer, new: PostgresServer) -> None:
    account = server_account()
    command = [str(new.binaries / "pg_upgrade"), "-U", "elp", "-s", "/tmp"]
    command += ["-b", str(old.binaries), "-B", str(new.binaries), "-d", str(old.data), "-D", str(new.data)]
    for server in (old, new):  # pg_upgrade connects by a socket, without a password
        (server.data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        with (server.data / "pg_hba.conf").open("a") as rules:
            rules.write("host replication all 127.0.0.1/32 scram-sha-256\n")
    done = subprocess.run(
        command,
        cwd=new.data,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    assert done.returncode == 0, done.stdout + done.stderr
