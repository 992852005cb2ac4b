"""The script of docs/operations/backups.md restores a database with PostgreSQL's, zstd's and age's tools alone."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.backups.world import PATIENCE_S, World, eventually
from tests.support.processes import ROOT
from worker.backups.taking import take
from worker.embedded.account import make_reachable, server_account
from worker.embedded.ports import free_port

pytestmark = pytest.mark.processes

SCRIPT = re.search(r"```sh\n(.*?)```", (ROOT / "docs/operations/backups.md").read_text(encoding="utf-8"), re.DOTALL)

# Where the machine has no age or zstd, the same libraries that such tools are made of stand in for their command lines.
AGE = "import sys, pyrage\nkey = open(sys.argv[3]).read().strip()\ndata = open(sys.argv[4], 'rb').read()\n"
AGE += "sys.stdout.buffer.write(pyrage.decrypt(data, [pyrage.x25519.Identity.from_str(key)]))\n"
ZSTD = "import sys, zstandard\nzstandard.ZstdDecompressor().copy_stream(sys.stdin.buffer, sys.stdout.buffer)\n"


def test_script_of_the_documentation_restores(world: Callable[..., World], tmp_path: Path) -> None:
    assert SCRIPT is not None
    there = world(migrated=True)
    settings = there.settings()
    there.run("CREATE TABLE marks (number int)")
    with there.streaming():
        full = take(settings, "full")
        there.run("INSERT INTO marks VALUES (1)")
        second = take(settings, "incremental")
        there.run("INSERT INTO marks VALUES (2)")
        there.wait_archived()
    there.server.kill()
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in (("age", AGE), ("zstd", ZSTD)):
        (tools / f"{name}.py").write_text(text)
        (tools / name).write_text(f'#!/bin/sh\nexec {sys.executable} {tools}/{name}.py "$@"\n')
        (tools / name).chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    (work / "key.txt").write_text(there.key)
    script = SCRIPT[1]
    if second.kind == "full":  # before PostgreSQL 17
        script = script.replace("mkdir -m 700 full inc1", "mkdir -m 700 full")
        script = re.sub(r"^age_open .*INC1.*\n", "", script, flags=re.MULTILINE)
        script = re.sub(r"^pg_combinebackup .*", "mv full data", script, flags=re.MULTILINE)
    start = "pg_ctl -D data -w start\n"
    assert script.endswith(start)
    environment = {
        "PATH": f"{tools}:{there.server.binaries}:{os.environ['PATH']}",
        "R": str(there.repository_folder),
        "FULL": full.label,
        "INC1": second.label,
        "SYSTEM": full.system_identifier,
        "LC_ALL": "C",
    }
    done = subprocess.run(
        ["sh", "-e", "-c", script.removesuffix(start)],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    account = server_account()  # whom the script is meant for; under root the tools above ran as root
    if account is not None:
        make_reachable(work / "data", account)
        for path in (work, work / "data", *(work / "data").rglob("*")):
            os.chown(path, account.uid, account.gid)
    who = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    port = free_port()
    options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_preload_libraries="
    pg_ctl = [str(there.server.binaries / "pg_ctl"), "-D", str(work / "data")]
    command = [*pg_ctl, "-w", "-t", str(PATIENCE_S), "-l", str(work / "log"), "-o", options, "start"]
    try:
        started = subprocess.run(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, cwd="/", **who
        )
        assert started.returncode == 0, (work / "log").read_text()
        url = there.server.url.replace(f":{there.server.port}/", f":{port}/")

        def answers() -> bool:  # pg_ctl of 15 does not wait for the recovery's end
            try:
                psycopg.connect(url).close()
            except psycopg.OperationalError:
                return False
            return True

        eventually(answers)
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT number FROM marks ORDER BY 1").fetchall() == [(1,), (2,)]
    finally:
        subprocess.run([*pg_ctl, "-m", "immediate", "stop"], env=environment, capture_output=True, check=False, **who)
