"""PostgreSQL's programs: where those of the server's version are, and how they are run."""

import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from psycopg import conninfo

from worker.backups.errors import ToolError
from worker.db.engines import libpq_url
from worker.embedded import tether
from worker.embedded.account import Account
from worker.embedded.postgres import installed_binaries, version
from worker.errors import ConfigurationError
from worker.settings import Settings

_DEBIAN: Final = "/usr/lib/postgresql/{major}/bin"
_RED_HAT: Final = "/usr/pgsql-{major}/bin"

_PIPE_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Programs:
    """The programs of one installation."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        """Return a program's path."""
        return str(self.folder / name)

    def run(
        self,
        name: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        account: Account | None = None,
    ) -> str:
        """Run a program to its end and return what it said.

        Raises:
            ToolError: it failed.
        """
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own
            [self.path(name), *arguments],
            env={**client_environment(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode != 0:
            raise ToolError(name, done.returncode, done.stderr + done.stdout)
        return done.stdout

    def tethered(self, name: str, *arguments: str) -> list[str]:
        """Return the command of a program that ends with the thread that starts it, even by kill -9."""
        return [*tether.command(signal.SIGTERM), self.path(name), *arguments]


def programs_for(major: int, settings: Settings) -> Programs:
    """Return the programs of a major version: those of ELP_BACKUP_POSTGRES_BIN, the wheel's, or the system's.

    Raises:
        ConfigurationError: there are none; the message says what to set.
    """
    named = settings.backup_postgres_bin
    tried = []
    for folder in [named] if named else _places(major):
        with suppress(ConfigurationError):
            found = version(folder)
            if int(found.partition(".")[0]) == major:
                return Programs(folder, major)
            tried.append(f"{folder} ({found})")
    seen = f"; found {', '.join(tried)}" if tried else ""
    raise ConfigurationError(
        f"the programs of PostgreSQL {major} are needed{seen}: set ELP_BACKUP_POSTGRES_BIN to their folder"
    )


def _places(major: int) -> list[Path]:
    places = []
    with suppress(ConfigurationError):
        places.append(installed_binaries())
    places += [Path(pattern.format(major=major)) for pattern in (_DEBIAN, _RED_HAT)]
    on_path = shutil.which("pg_basebackup")
    return [*places, Path(on_path).resolve().parent] if on_path else places


def client_environment() -> dict[str, str]:
    """Return the environment of client programs: none of our secrets, no PG… variable of the shell."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC", "PGCONNECT_TIMEOUT": "10"}


def connection_of(database_url: str, application: str) -> tuple[str, dict[str, str]]:
    """Return how a program connects: its `--dbname`, which others may read, and the environment with the password."""
    values = conninfo.conninfo_to_dict(libpq_url(database_url))
    password = values.pop("password", None)
    values["application_name"] = application
    # Either side notices within a quarter of a minute that the other's machine is gone.
    values |= {"keepalives_idle": "5", "keepalives_interval": "3", "keepalives_count": "3"}
    return conninfo.make_conninfo("", **values), {"PGPASSWORD": str(password)} if password is not None else {}


def widen(pipe: IO[bytes]) -> None:
    """Have a pipe hold more, where the system allows that: whole databases go through it."""
    with suppress(OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def run_all(commands: Sequence["subprocess.Popen[bytes]"]) -> None:
    """End programs that still run, after a failure of what they work for."""
    for command in commands:
        if command.poll() is None:
            command.kill()
        command.wait()
