"""Which servers a command works with: those named by the settings, embedded ones that run, or ones it starts.

Embedded servers have users, the processes that work with them. The first user starts them and the last one stops them,
so a seed that ends never takes the servers away from an `elp up` in another terminal. A user that was killed is noticed
by its process mark; what it left running is taken over by the next.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final

from worker.db.scratch import scratch_database
from worker.embedded.postgres import PostgresServer
from worker.embedded.process import ProcessMark, ServerError, lock_within, write_private
from worker.embedded.server import EmbeddedServer
from worker.embedded.valkey import ValkeyServer
from worker.errors import ConfigurationError
from worker.settings import Settings, get_settings

_LOCK_SECONDS: Final = 120.0
"""Another command may be making a cluster or recovering one meanwhile."""
_VOLATILE: Final[Mapping[str, str]] = MappingProxyType({"fsync": "off"})
_KINDS: Final[dict[str, type[PostgresServer | ValkeyServer]]] = {"postgres": PostgresServer, "valkey": ValkeyServer}


@dataclass(frozen=True)
class Servers:
    """The addresses to work with, and which of them are embedded."""

    database_url: str = field(repr=False)  # holds a password
    redis_url: str = field(repr=False)
    embedded: tuple[str, ...] = ()
    """Titles of the embedded servers in use: PostgreSQL, Valkey, both or none."""


@dataclass(frozen=True)
class ServerStatus:
    """What `elp servers status` tells about one embedded server."""

    title: str
    home: Path
    pid: int | None
    """None: it does not run."""
    port: int | None
    answers: bool


@contextmanager
def servers(settings: Settings | None = None) -> Iterator[Servers]:
    """Yield servers to work with; inside, this process's and its children's ELP_…_URL variables name them.

    What the settings name is used as it is. For the rest embedded servers serve: running ones are joined, missing ones
    started; at the end they are stopped unless other processes still work with them.

    Raises:
        ConfigurationError: something embedded is needed and the extra `embedded` is not installed, or the data folder
            belongs to somebody else.
        ServerError: an embedded server does not start.
    """
    settings = settings or get_settings()
    with ExitStack() as stack:
        named = {"postgres": settings.database_url, "valkey": settings.redis_url}
        wanted = [kind for kind, url in named.items() if url is None]
        started: dict[str, EmbeddedServer] = {}
        if wanted:
            folder = settings.data_dir.absolute()
            started = stack.enter_context(_in_use(folder, wanted))
        urls = {kind: url if url is not None else started[kind].url for kind, url in named.items()}
        stack.enter_context(_environment(ELP_DATABASE_URL=urls["postgres"], ELP_REDIS_URL=urls["valkey"]))
        yield Servers(urls["postgres"], urls["valkey"], tuple(started[kind].title for kind in wanted))


@contextmanager
def scratch_servers(
    postgres_settings: Mapping[str, str] = _VOLATILE, *, database_on: str | None = None
) -> Iterator[Servers]:
    """Yield new, empty servers, whatever the settings name; they and their data are gone at the end.

    Inside, this process's and its children's ELP_…_URL variables name them.

    Args:
        postgres_settings: as in postgresql.conf; by default nothing waits for the disk.
        database_on: any database of a PostgreSQL on which to make an empty one, instead of starting a server.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="elp-scratch-", ignore_cleanup_errors=True)))
        if os.geteuid() == 0:
            folder.chmod(0o711)  # the servers' account passes through
        valkey = stack.enter_context(ValkeyServer(folder / "valkey", tethered=True))
        embedded: tuple[str, ...] = (valkey.title,)
        if database_on is None:
            postgres = PostgresServer(folder / "postgres", settings=postgres_settings, tethered=True)
            database_url = stack.enter_context(postgres).url
            embedded = (postgres.title, *embedded)
        else:
            database_url = stack.enter_context(scratch_database(database_on))
        stack.enter_context(_environment(ELP_DATABASE_URL=database_url, ELP_REDIS_URL=valkey.url))
        yield Servers(database_url, valkey.url, embedded)


def running_database_url() -> str | None:
    """Return the address of the embedded PostgreSQL if it runs: for a command in a second terminal."""
    return _running_url("postgres")


def running_redis_url() -> str | None:
    """Return the address of the embedded Valkey if it runs: for a command in a second terminal."""
    return _running_url("valkey")


def status(settings: Settings) -> Sequence[ServerStatus]:
    """Return the state of both embedded servers, in the order PostgreSQL, Valkey."""
    found = []
    for kind, server_class in _KINDS.items():
        home = settings.data_dir.absolute() / kind
        with _owned(settings.data_dir):
            server = server_class(home) if (home / "server.json").exists() else None
            record = server.record() if server else None
            if server and record:
                server.port = record.port
            found.append(
                ServerStatus(
                    title=server_class.title,
                    home=home,
                    pid=record.process.pid if record else None,
                    port=record.port if record else None,
                    answers=bool(server and record and server.answers()),
                )
            )
    return found


def stop(settings: Settings, *, force: bool = False) -> Sequence[str]:
    """Stop the embedded servers, left-over ones included, and return the titles of those that ran.

    Raises:
        ServerError: another process works with them, and `force` is off.
    """
    folder = settings.data_dir.absolute()
    if not folder.exists():
        return []
    stopped = []
    with _locked(folder):
        users = _live_users(folder)
        if users and not force:
            pids = ", ".join(str(user.pid) for user in users)
            raise ServerError(f"the servers in {folder} are in use by process {pids}: stop it first, or add --force")
        for kind, server_class in _KINDS.items():
            if (folder / kind / "server.json").exists():
                server = server_class(folder / kind)
                if server.is_running():
                    stopped.append(server.title)
                server.stop()
    return stopped


@contextmanager
def _in_use(folder: Path, kinds: Sequence[str]) -> Iterator[dict[str, EmbeddedServer]]:
    """Yield the running servers of these kinds, with this process written down as one of their users."""
    me = ProcessMark.of(os.getpid())
    assert me is not None, "this process runs"
    objects: dict[str, EmbeddedServer] = {kind: _KINDS[kind](folder / kind) for kind in kinds}
    with _owned(folder):
        # The account that servers run as for root must pass through it; nobody else needs to.
        folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    try:
        with _locked(folder):
            _write_users(folder, [*_live_users(folder), me])
            for server in objects.values():
                server.start()
        yield objects
    finally:
        with _locked(folder):
            users = _live_users(folder)
            if me in users:  # one entry only: this process may use them twice
                users.remove(me)
            _write_users(folder, users)
            if not users:
                for server in objects.values():
                    server.stop()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with _owned(folder):
        lock = lock_within(folder / "servers.lock", _LOCK_SECONDS)
        if lock is None:
            raise ServerError(f"another command has held {folder}/servers.lock for {_LOCK_SECONDS:.0f} s")
        try:
            yield
        finally:
            os.close(lock)


@contextmanager
def _owned(folder: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise ConfigurationError(
            f"{folder} belongs to another account ({error.filename}): run as that account, or set ELP_DATA_DIR"
        ) from error


def _live_users(folder: Path) -> list[ProcessMark]:
    try:
        written = json.loads((folder / "servers.json").read_text(encoding="utf-8"))["users"]
    except (FileNotFoundError, ValueError, KeyError):
        return []
    return [mark for mark in (ProcessMark(**user) for user in written) if mark.is_alive()]


def _write_users(folder: Path, users: Sequence[ProcessMark]) -> None:
    write_private(folder / "servers.json", json.dumps({"users": [asdict(user) for user in users]}))


def _running_url(kind: str) -> str | None:
    folder = get_settings().data_dir.absolute()
    with _owned(folder):
        if not (folder / kind / "server.json").exists():
            return None
        server = _KINDS[kind](folder / kind)
        record = server.record()
        if record is None:
            return None
        server.port = record.port
        return server.url


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    get_settings.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        get_settings.cache_clear()
