"""The servers' account reaches what it needs and gets no more."""

import os
import pwd
import stat
from pathlib import Path

import pytest

from worker.embedded.account import Account, make_reachable, make_readable, server_account

STRANGER = Account("stranger", 60_001, 60_001)


def mode(path: Path) -> str:
    return stat.filemode(path.stat().st_mode)


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    folder = tmp_path / "closed" / "listed" / "home"
    folder.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    (tmp_path / "closed" / "listed").chmod(0o744)
    folder.chmod(0o700)
    return folder


def test_folders_above_get_search_permission_and_never_the_right_to_list(tmp_path: Path, deep: Path) -> None:
    make_reachable(deep, STRANGER)
    assert mode(tmp_path / "closed") == "drwx-----x"
    assert mode(tmp_path / "closed" / "listed") == "drwxr--r-x"
    assert mode(deep) == "drwx------"


def test_each_changed_folder_is_logged_once(deep: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_reachable(deep, STRANGER)
    assert str(deep.parent.parent) in caplog.text
    assert "stranger must reach" in caplog.text
    caplog.clear()
    make_reachable(deep, STRANGER)
    assert caplog.text == ""


def test_nothing_changes_where_servers_run_as_the_caller(tmp_path: Path, deep: Path) -> None:
    make_reachable(deep, None)
    make_readable(deep, None)
    assert mode(tmp_path / "closed") == "drwx------"


def test_owner_and_group_are_judged_by_their_own_rights(tmp_path: Path, deep: Path) -> None:
    status = (tmp_path / "closed").stat()
    make_reachable(deep, Account("me", status.st_uid, status.st_gid))
    assert mode(tmp_path / "closed") == "drwx------"


def test_program_files_installed_under_a_strict_umask_become_readable_and_not_writable(tmp_path: Path) -> None:
    tree = tmp_path / "pginstall"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "postgres").touch(mode=0o700)
    (tree / "share").touch(mode=0o600)
    (tree / "link").symlink_to("share")
    for folder in (tree, tree / "bin"):
        folder.chmod(0o700)
    make_readable(tree, STRANGER)
    assert mode(tree) == mode(tree / "bin") == "drwx---r-x"
    assert mode(tree / "bin" / "postgres") == "-rwx---r-x"
    assert mode(tree / "share") == "-rw----r--"


@pytest.mark.skipif(os.geteuid() == 0, reason="for ordinary users")
def test_ordinary_user_runs_servers_as_itself() -> None:
    assert server_account() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="for root")
def test_root_runs_servers_as_an_account_that_cannot_log_in() -> None:
    account = server_account()
    assert account is not None
    assert account.uid != 0
    entry = pwd.getpwuid(account.uid)
    if account.name == "elp_embedded":  # else it is a fallback that the machine had
        assert entry.pw_shell.endswith("nologin")
