"""The account that embedded servers run as: the caller's own, or for root (whom PostgreSQL refuses) one for servers."""

import logging
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker.errors import ConfigurationError

_log = logging.getLogger(__name__)

ACCOUNT_NAME: Final = "elp_embedded"
_FALLBACKS: Final = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An operating-system account without a login."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """Return the account servers must run as; None means: as whoever runs this process, who is not root.

    Root gets the account `elp_embedded`, created when missing; where accounts can't be created, `postgres` or
    `nobody` serve.

    Raises:
        ConfigurationError: this is root, and none of these accounts exists or can be made.
    """
    if os.geteuid() != 0:
        return None
    account = _find(ACCOUNT_NAME) or _create()
    for name in _FALLBACKS:
        account = account or _find(name)
    if account is None:
        raise ConfigurationError(
            f"PostgreSQL does not run as root, and the account {ACCOUNT_NAME} could not be created: "
            "install useradd, run as an ordinary user, or set ELP_DATABASE_URL and ELP_REDIS_URL"
        )
    return account


def make_reachable(path: Path, account: Account | None) -> None:
    """Let `account` pass through the folders above `path`: search permission only, never the right to list them.

    Nothing happens when `account` is None or gets there already. Each folder changed is logged.

    Raises:
        ConfigurationError: a folder above `path` keeps the account out and can't be changed.
    """
    if account is None:
        return
    for folder in path.resolve().parents:
        status = folder.stat()
        if _permits(status, account, stat.S_IXUSR):
            continue
        try:
            folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
        except OSError as error:
            raise ConfigurationError(
                f"{folder} keeps the account {account.name} out of {path} ({error.strerror}): move the checkout"
            ) from error
        _log.warning("gave others search permission (o+x) on %s: %s must reach %s", folder, account.name, path)


def make_readable(tree: Path, account: Account | None) -> None:
    """Let `account` read the installed program files in `tree`, should the installer's umask have kept it out.

    They come from a public wheel, so there is nothing in them to hide. Costs a look at each file (about 1,500).
    """
    if account is None:
        return
    for path in (tree, *_below(tree)):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            continue
        wanted = stat.S_IRUSR | (status.st_mode & stat.S_IXUSR)
        if not _permits(status, account, wanted):
            path.chmod(stat.S_IMODE(status.st_mode) | wanted >> 6)


def _below(tree: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(tree):
        yield from (Path(folder, name) for name in (*folders, *files))


def _permits(status: os.stat_result, account: Account, wanted: int) -> bool:
    """Tell whether `account` has the rights in `wanted` (given as the owner's bits)."""
    if status.st_uid == account.uid:
        granted = status.st_mode
    elif status.st_gid == account.gid:
        granted = status.st_mode << 3
    else:
        granted = status.st_mode << 6
    return granted & wanted == wanted


def _find(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create() -> Account | None:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        return None
    command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    done = subprocess.run(  # noqa: S603 - a fixed command
        [*command, "--shell", "/usr/sbin/nologin", ACCOUNT_NAME], capture_output=True, text=True, check=False
    )
    account = _find(ACCOUNT_NAME)  # also when another process was quicker
    if account is None:
        _log.warning("useradd could not create %s: %s", ACCOUNT_NAME, done.stderr.strip())
    return account
